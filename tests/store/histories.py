"""Histories: commands that callers might send, one after the other, and playing them on a store."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Sequence
from functools import partial
from typing import Any, Final, TypeAlias, TypeVar

from attrs import evolve as replace
from attrs import frozen
from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from domain.application.outcomes import Outcome
from domain.application.ports import FlowStore, ListFilter
from domain.application.recorded_events import CommandMetadata, RequestKey
from domain.application.sessions import OwnerSession, TaskFlows
from domain.application.views import FlowView
from domain.flow.commands import (
    REVISIONED,
    CancelFlow,
    Command,
    CommandContext,
    CreateFlow,
    FailFlow,
    FinishFlow,
    LoseTask,
    RequestCancel,
    ResumeFlow,
    RunTask,
    SetWaiting,
    UpdateTask,
)
from domain.flow.decide import decide
from domain.flow.evolve import fold
from domain.flow.ids import FlowId, Owner, RequestId, TaskId
from domain.flow.refusals import Refusal
from domain.flow.state import Flow, active_tasks, is_terminal
from domain.flow.status import ACTIVE, FlowStatus, Runtime
from tests.store.service import NOW, OWNER, ROUTE, STRANGER
from tests.store.strategies import instances

OWNERS: Final = (OWNER, STRANGER)
MOMENTS: Final = st.integers(min_value=NOW - 3, max_value=NOW + 3)
MAX_SIZE: Final = 20
T = TypeVar("T")


@frozen
class Step:
    """One request: a command of an owner at a moment, perhaps with an idempotency key."""

    owner: str
    command: Command
    at: int
    key: RequestKey | None


History: TypeAlias = tuple[Step, ...]


@frozen(kw_only=True)
class _Wish:
    """A step before it is known which flow and task it may mean, and of which revision."""

    command: Command
    which: int
    stale: bool
    owner: str | None
    at: int
    key: RequestKey | None


def _weighted(*choices: tuple[int, SearchStrategy[T]]) -> SearchStrategy[T]:
    # NOTE: `st.one_of` takes each strategy once, however often it is given.
    weighted = [strategy for weight, strategy in choices for _ in range(weight)]
    return st.integers(0, len(weighted) - 1).flatmap(weighted.__getitem__)


_TO: Final = st.just("")
_ON: Final = {"flow_id": _TO, "expected_revision": st.just(0)}
_RUNS: Final = instances(
    RunTask,
    flow_id=_TO,
    runtime=st.sampled_from(Runtime),
    run_id=st.sampled_from(["r1", "r2", None]),
    child_session_key=st.sampled_from([None, "agent:other:x"]),
    task=st.sampled_from(["work", "more work"]),
    label=st.sampled_from([None, "label"]),
    status=st.sampled_from(sorted(ACTIVE)),
    started_at=st.none() | MOMENTS,
    last_event_at=st.none() | MOMENTS,
)
_COMMANDS: Final[SearchStrategy[Command]] = _weighted(
    (2, instances(CreateFlow)),
    (3, instances(SetWaiting, **_ON)),
    (3, instances(ResumeFlow, **_ON)),
    (1, instances(FinishFlow, **_ON)),
    (1, instances(FailFlow, **_ON)),
    (1, instances(RequestCancel, **_ON)),
    (2, instances(CancelFlow, flow_id=_TO)),
    (5, _RUNS),
    (4, instances(UpdateTask, flow_id=_TO, task_id=_TO)),
    (1, instances(LoseTask, flow_id=_TO, task_id=_TO, silent_before=st.none() | MOMENTS)),
)
_KEYS: Final = st.builds(
    RequestKey,
    route_id=st.just(ROUTE.name),
    key=st.sampled_from(["k1", "k2", "k3"]),
    request_hash=st.sampled_from(["h1", "h2"]),
)


def _wishes(commands: SearchStrategy[Command]) -> SearchStrategy[_Wish]:
    return st.builds(
        _Wish,
        command=commands,
        which=st.integers(0, 99),
        stale=st.sampled_from([False] * 9 + [True]),
        owner=st.sampled_from([None] * 8 + list(OWNERS)),
        at=MOMENTS,
        key=_weighted((4, st.none()), (1, _KEYS)),
    )


_FIRST: Final = _wishes(instances(CreateFlow))
_LATER: Final = _wishes(_COMMANDS)


def histories() -> SearchStrategy[History]:
    """Return histories; the pure core tells which flows, revisions and tasks there are to mean."""
    later = st.lists(_LATER, min_size=MAX_SIZE // 2, max_size=MAX_SIZE)
    return st.tuples(_FIRST, later).map(lambda wishes: _resolved([wishes[0], *wishes[1]]))


def _resolved(wishes: Iterable[_Wish]) -> History:
    flows: dict[str, Flow] = {}
    steps: list[Step] = []
    for number, wish in enumerate(wishes, 1):
        flow = _meant(list(flows.values()), wish)
        step = _step(flow, wish)
        steps.append(step)
        after = _after(flow, step, new_id=f"id-{number}")
        if after is not None:
            flows[after.flow_id] = after
    return tuple(steps)


def _meant(flows: Sequence[Flow], wish: _Wish) -> Flow | None:
    """Return the flow that a wish is about: mostly one that goes on, none for a creation."""
    if isinstance(wish.command, CreateFlow):
        return None
    if isinstance(wish.command, UpdateTask | LoseTask):
        flows = [flow for flow in flows if flow.tasks] or flows
    live = [flow for flow in flows if not is_terminal(flow)]
    return _pick([*live * 3, *flows], wish.which)


def _step(flow: Flow | None, wish: _Wish) -> Step:
    owner = wish.owner or (OWNERS[wish.which % 2] if flow is None else flow.owner)
    command = wish.command if flow is None else _aimed(flow, wish)
    return Step(owner, command, wish.at, wish.key)


def _aimed(flow: Flow, wish: _Wish) -> Command:
    match wish.command:
        case CreateFlow() as command:
            return command
        case UpdateTask() | LoseTask() as command:
            task = _pick([*active_tasks(flow) * 3, *flow.tasks], wish.which)
            task_id = "none" if task is None else task.task_id
            return replace(command, flow_id=flow.flow_id, task_id=TaskId(task_id))
        case command if isinstance(command, REVISIONED):
            revision = flow.revision + wish.stale
            return replace(command, flow_id=flow.flow_id, expected_revision=revision)
        case command:
            return replace(command, flow_id=flow.flow_id)


def _pick(items: Sequence[T], which: int) -> T | None:
    return items[which % len(items)] if items else None


def _after(flow: Flow | None, step: Step, new_id: str) -> Flow | None:
    issued = CommandContext(
        command=step.command, owner=Owner(step.owner), at=step.at, new_id=new_id
    )
    decision = decide(flow, issued)
    return flow if isinstance(decision, Refusal) else fold(flow, decision)


class Player:
    """Plays histories on a store: its clock is set by each step, its ids are counted."""

    def __init__(self, store: FlowStore) -> None:
        """Begin with a new count of ids."""
        self._now = NOW
        self._ids = itertools.count(1)
        self._flows = TaskFlows(store, lambda: self._now, lambda: f"id-{next(self._ids)}")

    def play(self, step: Step) -> Outcome:
        """Execute one step's command."""
        self._now = step.at
        origin = CommandMetadata(
            actor=ROUTE, request_id=RequestId("request-1"), request_key=step.key
        )
        return self._flows.bind_session(Owner(step.owner)).execute(step.command, origin)

    def answers(self, history: History) -> list[Any]:
        """Return all that its owners can read after a history."""
        ids = [f"id-{number}" for number, _ in enumerate(history, 1)]
        return [_answers(self._flows.bind_session(owner), ids) for owner in OWNERS]


def _answers(owner: OwnerSession, flow_ids: list[str]) -> list[Any]:
    return [
        owner.find_latest(),
        owner.resolve(owner.owner),
        _pages(owner, limit=1000),
        _pages(owner, limit=2),
        [_pages(owner, limit=1, status=status) for status in FlowStatus],
        [
            (owner.find(FlowId(flow_id)), owner.summarize_tasks(FlowId(flow_id)))
            for flow_id in flow_ids
        ],
        [owner.find_json(FlowId(flow_id)) for flow_id in flow_ids],
        owner.resolve_json(owner.owner),
        _json_pages(owner, limit=5),
        [_json_pages(owner, limit=1, status=status) for status in FlowStatus],
    ]


def _json_pages(
    owner: OwnerSession, *, limit: int, status: FlowStatus | None = None
) -> list[tuple[list[bytes], FlowId | None]]:
    """Return all pages as callers are shown them; at most three flows have room on one."""
    pages: list[tuple[list[bytes], FlowId | None]] = []
    cursor: FlowId | None = None
    while (not pages or cursor is not None) and len(pages) < MAX_SIZE:
        page: list[bytes] = []
        add = partial(_add, page)
        cursor = owner.page_json(add, limit=limit, only=ListFilter(status=status), cursor=cursor)
        pages.append((page, cursor))
    return pages


def _add(page: list[bytes], text: bytes) -> bool:
    page.append(text)
    return len(page) <= 3


def _pages(
    owner: OwnerSession, *, limit: int, status: FlowStatus | None = None
) -> list[Sequence[FlowView]]:
    """Return all pages; their cursors are the store's own affair."""
    page = owner.page(limit=limit, status=status)
    pages = [page.flows]
    while page.next_cursor is not None and len(pages) < MAX_SIZE:
        page = owner.page(limit=limit, status=status, cursor=page.next_cursor)
        pages.append(page.flows)
    return pages
