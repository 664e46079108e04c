"""Which steps were reached, held against the published lifecycle table, both ways."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final, TypeAlias

from attrs import define, field, frozen

from domain.flow.commands import Command, SetWaiting
from domain.flow.events import Event
from domain.flow.lifecycle import LIFECYCLE, LifecycleRow, State, matching_rows
from domain.flow.refusals import RefusalCode
from domain.flow.state import active_tasks, cancel_requested
from domain.flow.status import FlowStatus
from tests.prove.laws import Step

OF_DATA: Final = frozenset(
    {
        RefusalCode.NOT_FOUND,  # of another owner
        RefusalCode.REVISION_CONFLICT,
        RefusalCode.TASK_NOT_FOUND,
        RefusalCode.TASK_TERMINAL,
        RefusalCode.TASK_NOT_SILENT,
        RefusalCode.WAIT_OVER,
        RefusalCode.WAIT_NOT_DUE,
        RefusalCode.LINK_USED,
        RefusalCode.SAME_APPROVER,
        RefusalCode.CORRELATION_KEY_TAKEN,
    }
)
"""Refusals that come around the table: whose flow, which revision, which task, which wait, and
which flow a correlation key names."""


@frozen
class Cell:
    """What the table is asked with."""

    command: type[Command]
    state: State
    intent: bool
    active: bool
    same: bool = False
    kept: bool = False

    def __str__(self) -> str:
        standing = _standing(self.state, intent=self.intent, active=self.active)
        guards = " by who let it wait" * self.same + " with a kept resume" * self.kept
        return f"{self.command.__name__} on {standing}{guards}"


Effect: TypeAlias = tuple[RefusalCode | None, frozenset[type[Event]], FlowStatus | None, int]
"""The refusal, the kinds of events, the status afterwards if it is another or was led to, the move
of the revision."""


@define
class Reached:
    """Every step that was seen, by its cell of the table."""

    effects: dict[Cell, set[Effect]] = field(factory=dict)

    def add(self, step: Step) -> None:
        """Note a step."""
        self.effects.setdefault(_cell(step), set()).add(_effect(step))

    def __or__(self, other: Reached) -> Reached:
        """Return both together."""
        cells = self.effects.keys() | other.effects.keys()
        none: set[Effect] = set()
        return Reached({c: self.effects.get(c, none) | other.effects.get(c, none) for c in cells})

    def transitions(self) -> int:
        """Return how many different steps there were, as the table tells them apart."""
        return sum(len(effects) for effects in self.effects.values())

    def outside(self) -> Iterator[str]:
        """Yield what was reached and the table does not allow."""
        for cell, effects in self.effects.items():
            found = list(
                matching_rows(
                    cell.command,
                    cell.state,
                    intent=cell.intent,
                    active=cell.active,
                    same=cell.same,
                    kept=cell.kept,
                )
            )
            if len(found) != 1:
                yield f"{cell}: {len(found)} rows of the table apply"
                continue
            for effect in effects:
                if not _allowed(found[0], cell, effect):
                    yield f"{cell}: {told(effect)} is not in the table"

    def unreached(self) -> Iterator[str]:
        """Yield what the table allows and was not reached: rows, their events, statuses, moves."""
        for row in LIFECYCLE:
            seen = [effect for cell in self._cells_of(row) for effect in self.effects[cell]]
            yield from _missing(row, [effect for effect in seen if _is_of(row, effect)])

    def missed(self) -> list[str]:
        """Return the states of a flow that were never reached."""
        seen = {(cell.state, cell.intent, cell.active) for cell in self.effects}
        return [
            _standing(status, intent=intent, active=active)
            for status in FlowStatus
            for intent in (False, True)
            for active in (False, True)
            if (status, intent, active) not in seen
        ]

    def _cells_of(self, row: LifecycleRow) -> list[Cell]:
        return [
            cell
            for cell in self.effects
            if cell.command is row.command
            and cell.state in row.source
            and cell.intent in row.intent
            and cell.active in row.active
            and cell.same in row.same
            and cell.kept in row.kept
        ]


def _standing(state: State, *, intent: bool, active: bool) -> str:
    words = ["no flow" if state is None else state.value]
    words += ["with intent"] if intent else ["without intent"]
    words += ["with an active child"] if active else ["without an active child"]
    return " ".join(words)


def _cell(step: Step) -> Cell:
    flow, command = step.before, type(step.issued.command)
    if flow is None:
        return Cell(command, None, intent=False, active=False)
    wished, kept = step.issued, flow.kept_resume
    own = isinstance(wished.command, SetWaiting) and wished.command.separate_approver
    return Cell(
        command,
        flow.status,
        intent=cancel_requested(flow),
        active=bool(active_tasks(flow)),
        same=wished.caller in flow.requesters,
        kept=command is SetWaiting
        and kept is not None
        and not (own and kept.caller == wished.caller),
    )


def _effect(step: Step) -> Effect:
    before, after = step.before, step.after
    if step.refusal is not None or after is None:
        return (step.refusal, frozenset(), None, 0)
    kinds = frozenset(type(event) for event in step.events)
    moved = after.revision - (0 if before is None else before.revision)
    return (None, kinds, after.status, moved)


def _is_of(row: LifecycleRow, effect: Effect) -> bool:
    """Say whether an effect is that of a row, rather than of what comes around the table."""
    return effect[0] == row.refusal


def _allowed(row: LifecycleRow, cell: Cell, effect: Effect) -> bool:
    refusal, kinds, status, move = effect
    if refusal is not None:
        return refusal is row.refusal or refusal in OF_DATA
    targets = row.target or {cell.state}
    stays = status is cell.state and not _must_leave(row)
    return (
        row.refusal is None
        and kinds <= set(row.events)
        and (status in targets or stays)
        and move in row.moves
    )


def _must_leave(row: LifecycleRow) -> bool:
    """Say whether a row's target is reached whenever it applies: it moves the revision always."""
    return bool(row.target) and 0 not in row.moves


def told(effect: Effect) -> str:
    """Return the words for an effect."""
    refusal, kinds, status, move = effect
    if refusal is not None:
        return f"refused: {refusal}"
    events = ", ".join(sorted(kind.__name__ for kind in kinds)) or "nothing"
    return f"{events} -> {status} +{move}"


def _missing(row: LifecycleRow, effects: list[Effect]) -> Iterator[str]:
    name = row_name(row)
    if not effects:
        yield f"row {name} was not reached"
        return
    kinds = frozenset[type[Event]]().union(*(effect[1] for effect in effects))
    statuses = {effect[2] for effect in effects}
    moves = {effect[3] for effect in effects}
    yield from (
        f"row {name}: {kind.__name__} was not reached" for kind in row.events if kind not in kinds
    )
    yield from (f"row {name}: {status} was not reached" for status in row.target - statuses)
    if row.refusal is None:
        yield from (f"row {name}: a move by {move} was not reached" for move in row.moves - moves)


def row_name(row: LifecycleRow) -> str:
    """Return how a row of the table is called."""
    sources = "/".join(sorted("no flow" if s is None else s.value for s in row.source))
    flags = [
        f"{name}={'yes' if True in values else 'no'}"
        for name, values in (
            *(("intent", row.intent), ("active", row.active)),
            *(("same", row.same), ("kept", row.kept)),
        )
        if len(values) == 1
    ]
    outcome = row.refusal or ", ".join(event.__name__ for event in row.events) or "nothing"
    return f"{row.command.__name__} on {' '.join([sources, *flags])}: {outcome}"
