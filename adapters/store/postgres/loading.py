"""What a batch of commands decides on, read in one statement."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from contextlib import suppress
from functools import partial
from typing import Any, Final

from attrs import define, field
from eventsourcing.persistence import StoredEvent

from adapters.store.application import FlowApplication, with_rows
from adapters.store.codec import Undecodable
from adapters.store.faults import translated
from adapters.store.postgres.arrays import Flags, Numbers, Texts
from adapters.store.store import EventSourcedStore, key_record
from domain.application.ports import FlowRef, KeyRef, Loaded
from domain.flow.commands import FlowCommand
from domain.flow.concerned import AllTasks, SomeTasks, TaskSelection, concerned
from domain.flow.evolve import BrokenHistory
from domain.flow.ids import FlowId
from domain.flow.state import Flow

_COLUMNS: Final = ("flow_id", "number", "task_id", "run_id", "stale_since", "checksum", "state")
_SELECTED: Final = ((2, "task_id"), (3, "run_id"))

_LOAD: Final = "SELECT * FROM load_batch(?,?,?,?,?,?,?,?,?)"


class PostgresStore(EventSourcedStore):
    """A store whose batches are loaded in one round trip."""

    def load_many(
        self, wanted: Mapping[FlowRef, Sequence[FlowCommand]], keys: Collection[KeyRef]
    ) -> Loaded:
        """Return flows and request keys as of one moment."""
        selected = {ref: concerned(*commands) for ref, commands in wanted.items()}
        with translated():
            return self._loaded(selected, keys)

    def _flows(self, selected: Mapping[FlowRef, TaskSelection]) -> Mapping[FlowRef, Flow]:
        return self._loaded(selected, ()).flows

    def _loaded(
        self, selected: Mapping[FlowRef, TaskSelection], keys: Collection[KeyRef]
    ) -> Loaded:
        refs = list(selected)
        named = (Texts(route for route, _ in keys), Texts(key for _, key in keys))
        with self.application.datastore.one_statement() as cursor:
            cursor.execute(_LOAD, (*_wanted(selected), *named))
            rows = cursor.fetchall()
            records = {
                (row["route_id"], row["key"]): key_record(cursor, row)
                for row in rows
                if row["n"] is None
            }
        flows: dict[FlowRef, Flow] = {}
        for row in rows:
            if row["n"] is None:
                continue
            owner, flow_id = ref = refs[row["n"] - 1]
            flow = _as_kept(self.application, ref, row, selected[ref])
            if flow is None:
                flow = self.application.load_of(owner, flow_id, selected[ref])
            if flow is not None:
                flows[ref] = flow
        return Loaded(flows, records)


def _wanted(selected: Mapping[FlowRef, TaskSelection]) -> Sequence[list[object]]:
    some = [
        (n, selection)
        for n, selection in enumerate(selected.values(), 1)
        if isinstance(selection, SomeTasks)
    ]
    ids = [(n, task_id) for n, selection in some for task_id in selection.ids]
    runs = [(n, run_id) for n, selection in some for run_id in selection.runs]
    return [
        Texts(flow_id for _, flow_id in selected),
        Texts(owner for owner, _ in selected),
        Flags(isinstance(selection, AllTasks) for selection in selected.values()),
        Numbers(n for n, _ in ids),
        Texts(task_id for _, task_id in ids),
        Numbers(n for n, _ in runs),
        Texts(run_id for _, run_id in runs),
    ]


def _as_kept(
    application: FlowApplication,
    ref: FlowRef,
    row: Any,  # noqa: ANN401 - a row
    selection: TaskSelection,
) -> Flow | None:
    """Return the flow of a row; None if what is kept is not right, or not of its last event."""
    owner, flow_id = ref
    if row["originator_version"] is None or row["originator_version"] != row["latest"]:
        return None
    stored = StoredEvent(flow_id, row["originator_version"], row["topic"], row["kept"])
    rows = _LoadedRows(flow_id, row)
    with suppress(Undecodable, BrokenHistory):
        snapshot = application.snapshot_mapper.to_domain_event(stored)
        flow = snapshot.state(partial(with_rows, rows, selection))
        return flow if (flow.owner, flow.flow_id) == (owner, flow_id) else None
    return None


@define
class _LoadedRows:
    """Rows of a flow that were read already, for those who select them."""

    flow_id: FlowId
    row: Any
    _found: Sequence[Any] = field(factory=list, init=False)

    def execute(self, query: str, params: Sequence[object] = (), /) -> None:
        if "flow_values" in query:
            values = zip(self.row["names"], self.row["jsons"], strict=True)
            self._found = [(json,) for name, json in values if name == params[1]]
        else:
            rows = zip(*(self.row[f"{name}s"] or () for name in _COLUMNS), strict=True)
            by = next((at for at, name in _SELECTED if f"{name}=?" in query), None)
            self._found = [row for row in rows if by is None or row[by] == params[1]]

    def executemany(self, query: str, params: Any, /) -> None:  # noqa: ANN401 - rows of values
        raise NotImplementedError

    def fetchone(self) -> Any:  # noqa: ANN401 - a row
        return self._found[0] if self._found else None

    def fetchall(self) -> Sequence[Any]:
        return self._found
