"""What is measured: the actions, each on something small and on something large."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from random import Random
from typing import Any, Final, TypeAlias

from attrs import define, field, frozen

from bench.gateway import Running
from bench.generator import Generator, Script
from bench.load import Answer, Body, NextRequest, ask
from bench.plan import Sizes
from bench.stores import FEW, STATE, Built

CYCLE: Final = "set_waiting / resume_flow"
REVISION: Final = "@revision@"

Scripts: TypeAlias = Callable[[Running, int], Sequence[Script]]
"""Returns what each of some connections to a process sends in one measurement."""


@frozen(kw_only=True)
class Operation:
    """An action on something of some size, over the route of its owner; is each one synced?"""

    action: str
    on: str
    route: str
    scripts: Scripts
    durable: bool = False


def operations(built: Built, sizes: Sizes) -> Iterator[Operation]:
    """Return all that is measured of ours alone, on a store that was built."""
    few, many = f"an owner of {FEW} flows", f"an owner of {sizes.flows:,}"
    long = f"a flow of {sizes.events:,}"
    create = _always(_CREATE)
    yield _writing("create_flow", "a new owner", "new", create)
    yield _writing("create_flow", many, "many", create)
    yield _reading("get_flow", "a flow of 1 event", "bench", _get(built.short))
    yield _reading("get_flow", long, "bench", _get(built.long))
    yield _writing(CYCLE, "a flow of 1 event", "bench", cycle_of_new)
    yield _writing(CYCLE, long, "bench", partial(_cycle_of, built.changing))
    yield _reading("list_flows", few, "few", _always(body(action="list_flows")))
    yield _reading(
        f"list_flows, limit {FEW}", many, "many", _always(body(action="list_flows", limit=FEW))
    )
    yield _reading(
        "list_flows", f"an owner of {sizes.page:,}", "page", _always(body(action="list_flows"))
    )
    yield _reading("find_latest_flow", few, "few", _always(body(action="find_latest_flow")))
    yield _reading("find_latest_flow", many, "many", _always(body(action="find_latest_flow")))


@define
class Subjects:
    """The flows of one process that it is measured with beside another."""

    shown: Sequence[str]
    fresh: Sequence[str]
    parents: Sequence[str]
    _random: Random = field(factory=lambda: Random(13))  # noqa: S311 - no secret

    @classmethod
    def seeded(cls, generator: Generator, process: Running, sizes: Sizes) -> Subjects:
        """Create them over HTTP, as both sides allow it."""
        counts = (FEW, sizes.fresh, sizes.parents)
        shown, fresh, parents = (_created(process, count) for count in counts)
        children = [Script(tuple(_run_task(flow_id) for flow_id in parents))]
        generator.send(process, "bench", children, sizes.parents * sizes.children)
        owned = ask(process.place, "page", [body(action="list_flows")])[0]["flows"]
        fill(generator, process, "page", sizes.page - len(owned), connections=1)
        return cls(shown, fresh, parents)

    def spread(self, flows: Sequence[str], process: Running, connections: int) -> Sequence[Script]:
        """Have each connection add children to its share of some flows, in a new order."""
        del process
        order = self._random.sample(flows, len(flows))
        shares = (order[number % len(order) :: connections] for number in range(connections))
        return [Script(tuple(_run_task(flow_id) for flow_id in share)) for share in shares]


def compared(subjects: Subjects, sizes: Sizes) -> Iterator[Operation]:
    """Return all that is measured beside the reference."""
    create = _always(_CREATE)
    yield _reading("get_flow", "", "bench", _get(*subjects.shown))
    yield _writing("create_flow", "", "new", create)
    yield _writing(CYCLE, "", "bench", cycle_of_new)
    for on, flows in (
        ("a flow of 1 child", subjects.fresh),
        (f"a flow of {sizes.children:,} children", subjects.parents),
    ):
        yield _writing("run_task", on, "bench", partial(subjects.spread, flows))
    yield _reading(
        "list_flows", f"{sizes.page:,} owned", "page", _always(body(action="list_flows"))
    )


def fill(
    generator: Generator, process: Running, route: str, flows: int, *, connections: int = 16
) -> None:
    """Create so many flows over HTTP."""
    if flows > 0:
        scripts = [Script((_CREATE,))] * min(connections, flows)
        generator.send(process, route, scripts, flows)


def life() -> NextRequest:
    """Return the requests of whole lives of flows, one after the other on each connection."""
    lives: dict[int, Iterator[Body]] = {}

    def next_request(number: int, answer: Answer | None) -> Body:
        found = next(lives.get(number, iter(())), None)
        if found is not None:
            return found
        if answer is None or "created" not in answer.result:
            return _CREATE
        lives[number] = _life(answer.result["flow"]["flowId"])
        return next(lives[number])

    return next_request


def _life(flow_id: str) -> Iterator[Body]:
    def on(action: str, **given: object) -> Body:
        return body(action=action, flowId=flow_id, **given)

    yield on("get_flow")
    yield on("set_waiting", expectedRevision=0, waitJson={"kind": "approval"})
    yield on("resume_flow", expectedRevision=1, stateJson={"approved": True})
    yield on("run_task", runtime="acp", task="Inspect the next message batch")
    yield on("get_task_summary")
    yield body(action="list_flows", limit=FEW)
    yield on("finish_flow", expectedRevision=2)


def _reading(action: str, on: str, route: str, scripts: Scripts) -> Operation:
    return Operation(action=action, on=on, route=route, scripts=scripts)


def _writing(action: str, on: str, route: str, scripts: Scripts) -> Operation:
    return Operation(action=action, on=on, route=route, scripts=scripts, durable=True)


def _always(*bodies: Body) -> Scripts:
    script = Script(bodies)
    return lambda _process, connections: [script] * connections


def _get(*flows: str) -> Scripts:
    return _always(*(body(action="get_flow", flowId=flow_id) for flow_id in flows))


def _created(process: Running, count: int) -> Sequence[str]:
    results = ask(process.place, "bench", [_CREATE] * count)
    return [result["flow"]["flowId"] for result in results]


def cycle_of_new(process: Running, connections: int) -> Sequence[Script]:
    """Let new flows wait and go on in turn, one for each connection."""
    return _cycle_of(_created(process, connections), process, connections)


def _cycle_of(flows: Sequence[str], process: Running, connections: int) -> Sequence[Script]:
    """Let each connection's flow wait and go on in turn, from where it is."""
    shown = [body(action="get_flow", flowId=flow_id) for flow_id in flows[:connections]]
    return [_cycle(result["flow"]) for result in ask(process.place, "bench", shown)]


def _cycle(flow: Mapping[str, Any]) -> Script:
    place = {"flowId": flow["flowId"], "expectedRevision": REVISION}
    wait = {"currentStep": "await_approval", "waitJson": {"kind": "approval"}}
    bodies = (
        body(action="set_waiting", stateJson=STATE, **wait, **place),
        body(action="resume_flow", **place),
    )
    first = 1 if flow["status"] == "waiting" else 0
    return Script((bodies[first], bodies[1 - first]), flow["revision"])


def _run_task(flow_id: str) -> Body:
    return body(action="run_task", flowId=flow_id, runtime="acp", task="Inspect the next batch")


def body(**document: object) -> Body:
    """Return a request's body; where it says `REVISION` the generator puts a flow's."""
    text = json.dumps(document, separators=(",", ":"))
    return text.replace(f'"{REVISION}"', "{revision}").encode()


_CREATE: Final = body(action="create_flow", goal="bench", stateJson=STATE)
