"""What our own answers have told so far: each flow, its owner, its children, as last seen.

The deviations need it: once a flow went another way than the reference's, its later lines are
held against what our rules say about the flow as it is here.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from attrs import define, field

from tests.contract.bindings import DAY_MS
from tests.contract.comparison import Now, Text

ACTIVE = ("queued", "running")
TERMINAL = ("succeeded", "failed", "cancelled")
LOST_AFTER_MS = 300_000


@define
class Flow:
    """One flow as our answers last showed it; `tasks` in the order of their creation."""

    owner: str
    view: dict[str, Any]
    tasks: dict[str, dict[str, Any]] = field(factory=dict)

    @property
    def is_terminal(self) -> bool:
        """Tell whether the flow has ended, for ever."""
        return self.view["status"] in TERMINAL

    def stale(self, now_ms: int) -> list[dict[str, Any]]:
        """Give the active children that were not heard of for five minutes."""
        active = (task for task in self.tasks.values() if task["status"] in ACTIVE)
        return [task for task in active if task["lastEventAt"] < now_ms - LOST_AFTER_MS]


@define
class Ledger:
    """Everything seen; `diverged` gives, by flow id, the deviation since which a flow differs.

    `disturbed` gives the same by owner, for answers about all of an owner's flows; `limited`
    holds the (path, client) that are over their rate.
    """

    flows: dict[str, Flow] = field(factory=dict)
    diverged: dict[str, str] = field(factory=dict)
    disturbed: dict[str, str] = field(factory=dict)
    limited: set[tuple[str, str]] = field(factory=set)

    def learn(self, owner: str, result: object) -> None:
        """Take the views of an answer's result in."""
        for view in reversed(list(_views(result, "flowId"))):
            flow = self.flows.setdefault(view["flowId"], Flow(owner, view))
            flow.view = view
        for task in reversed(list(_views(result, "taskId"))):
            if task.get("parentFlowId") in self.flows:
                self.flows[task["parentFlowId"]].tasks[task["taskId"]] = task

    def find(self, owner: str, flow_id: object) -> Flow | None:
        """Find a flow of this owner."""
        flow = self.flows.get(flow_id.strip()) if isinstance(flow_id, str) else None
        return flow if flow and flow.owner == owner else None

    def newest_first(self, owner: str) -> list[dict[str, Any]]:
        """List an owner's flows."""
        return [flow.view for flow in reversed(self.flows.values()) if flow.owner == owner]

    def diverge(self, flow_id: str, why: str) -> None:
        """Note that from here on a flow differs from the reference's."""
        self.diverged.setdefault(flow_id, why)
        self.disturbed.setdefault(self.flows[flow_id].owner, why)

    def sweep(self, now_ms: int) -> None:
        """Let five minutes of silence have their effect where ours is not the reference's (D17).

        The reference loses children with a session key, whether or not anybody wants to cancel;
        we lose every child of a flow with a cancel intent, and no other.
        """
        for flow_id, flow in self.flows.items():
            stale = flow.stale(now_ms)
            has_intent = "cancelRequestedAt" in flow.view
            if any(("childSessionKey" in task) != has_intent for task in stale):
                self.diverge(flow_id, "D17")
                _lose(flow, stale if has_intent else [])


def _views(value: object, key: str) -> Iterator[dict[str, Any]]:
    match value:
        case dict() if isinstance(value.get(key), str):
            yield value
        case dict():
            for name in value.keys() - {"stateJson", "waitJson"}:
                yield from _views(value[name], key)
        case list():
            for item in value:
                yield from _views(item, key)
        case _:
            return


def _lose(flow: Flow, tasks: list[dict[str, Any]]) -> None:
    for task in tasks:
        lost = {"status": "lost", "endedAt": Now(), "lastEventAt": Now(), "error": Text()}
        flow.tasks[task["taskId"]] = {**task, **lost, "cleanupAfter": Now(DAY_MS)}
    if tasks and not flow.is_terminal and not _has_active(flow.tasks):
        flow.view = _cancelled(flow.view)


def _has_active(tasks: Mapping[str, dict[str, Any]]) -> bool:
    return any(task["status"] in ACTIVE for task in tasks.values())


def _cancelled(view: dict[str, Any]) -> dict[str, Any]:
    kept = {k: v for k, v in view.items() if k not in ("blockedTaskId", "blockedSummary")}
    ended = {"status": "cancelled", "waitJson": None, "updatedAt": Now(), "endedAt": Now()}
    return {**kept, **ended, "revision": view["revision"] + 1}
