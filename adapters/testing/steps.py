"""The steps of a test run on a service, and their JSON.

A step is one JSON object: a command (`{"cancel_flow": {"flow_id": "flow-1"}}`, with `"as"` for
another owner than the first and `"key"` for an idempotency key), `{"clock": 5}` for five
milliseconds (negative ones step back), `{"restart": true}`, or `{"fail": "death", "moment":
"after"}` for what the next write comes to.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Final, TypeAlias, assert_never

from attrs import frozen

from adapters.testing.differences import one_line
from adapters.testing.failing import Moment, WriteFault
from adapters.testing.json_format import JsonObject, Unreadable, dump_command, load_command
from domain.flow.commands import Command
from domain.flow.ids import Owner

OWNERS: Final = (Owner("agent:ops:one"), Owner("agent:main:two"), Owner("three"))
"""Who sends commands in a run: two whose session key names an agent, and one whose does not."""


def other_than(owner: Owner) -> Owner:
    """Return another owner."""
    return OWNERS[1] if owner == OWNERS[0] else OWNERS[0]


@frozen
class Send:
    """A command of an owner, perhaps with an idempotency key."""

    owner: Owner
    command: Command
    key: str | None = None

    def __str__(self) -> str:
        keyed = "" if self.key is None else f" with the key {self.key}"
        return f"{self.owner} sends {one_line(self.command)}{keyed}"


@frozen
class Tick:
    """Time passes, or the clock steps back."""

    milliseconds: int

    def __str__(self) -> str:
        return f"the clock moves by {self.milliseconds} ms"


@frozen
class Restart:
    """The service stops and starts again."""

    def __str__(self) -> str:
        return "the service restarts"


@frozen
class FailNextWrite:
    """The next write of the store goes wrong."""

    fault: WriteFault
    moment: Moment = Moment.BEFORE

    def __str__(self) -> str:
        return f"the next write comes to {self.fault.value} {self.moment.value} it is done"


TrialStep: TypeAlias = Send | Tick | Restart | FailNextWrite


def dump_steps(steps: Iterable[TrialStep]) -> str:
    """Return steps as one line of JSON."""
    return json.dumps([dump_step(step) for step in steps], ensure_ascii=False)


def load_steps(text: str) -> list[TrialStep]:
    """Return the steps that a line of JSON stands for.

    Raises:
        Unreadable: if it is not in this format.
    """
    try:
        document = json.loads(text)
    except ValueError as error:
        raise Unreadable(f"the steps are not JSON: {error}") from error
    if not isinstance(document, list):
        raise Unreadable("the steps are not a list")
    return [load_step(each) for each in document]


def dump_step(step: TrialStep) -> JsonObject:
    """Return a step as JSON."""
    match step:
        case Send(owner, command, key):
            who = {} if owner == OWNERS[0] else {"as": owner}
            return {**dump_command(command), **who, **({} if key is None else {"key": key})}
        case Tick(milliseconds):
            return {"clock": milliseconds}
        case Restart():
            return {"restart": True}
        case FailNextWrite(fault, moment):
            return {"fail": fault.value, "moment": moment.value}
        case _:
            assert_never(step)


def load_step(document: object) -> TrialStep:
    """Return the step of a JSON object; raises Unreadable."""
    match document:
        case {"clock": int(milliseconds), **rest} if not rest:
            return Tick(milliseconds)
        case {"restart": True, **rest} if not rest:
            return Restart()
        case {"fail": str(fault), "moment": str(moment), **rest} if not rest:
            return _failure(fault, moment)
        case dict():
            return _command(document)
        case _:
            raise Unreadable(f"no step: {document!r}")


def _command(document: JsonObject) -> Send:
    match {"as": OWNERS[0], "key": None, **document}:
        case {"as": str(owner), "key": str() | None as key, **command}:
            return Send(Owner(owner), load_command(command), key)
        case _:
            raise Unreadable(f"a sender and a key are text: {document!r}")


def _failure(fault: str, moment: str) -> FailNextWrite:
    try:
        return FailNextWrite(WriteFault(fault), Moment(moment))
    except ValueError as error:
        raise Unreadable(str(error)) from error
