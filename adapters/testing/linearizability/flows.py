"""A flow as a sequential object, by the model: the answers that concurrent callers may get."""

from __future__ import annotations

from typing import Final, TypeAlias

from attrs import frozen

from adapters.testing.answers import Answer, PlainView, timeless, timeless_view
from adapters.testing.differences import one_line
from adapters.testing.model import IdempotentResult, ModelFlow, Rules, predict
from domain.flow.commands import Command, CommandContext, CreateFlow
from domain.flow.ids import FlowId, Owner


@frozen
class FlowCall:
    """A command of an owner on one flow.

    `flow_id` is the flow's, also for the command that creates it; `new_id` is the id that the
    answer gives a new task, or an unused one if there was no answer.
    """

    flow_id: FlowId
    owner: Owner
    command: Command
    new_id: str = "unheard-of"
    key: str | None = None

    def __str__(self) -> str:
        keyed = "" if self.key is None else f" with the key {self.key}"
        return f"{self.owner} sends {one_line(self.command)}{keyed}"


@frozen
class Look:
    """A question of an owner: what does a flow look like?"""

    flow_id: FlowId
    owner: Owner

    def __str__(self) -> str:
        return f"{self.owner} looks"


@frozen
class FlowState:
    """A flow, and what the keys that were used on it stand for."""

    flow: ModelFlow | None = None
    kept: tuple[tuple[str, IdempotentResult], ...] = ()


FlowCalls: TypeAlias = FlowCall | Look
CallResult: TypeAlias = Answer | PlainView | None

NOTHING: Final = FlowState()
"""Every flow at the start."""

_RULES: Final = Rules()


def call_flow_id(call: FlowCalls) -> str:
    """Return the flow that a call is on."""
    return call.flow_id


def flow_step(state: FlowState, call: FlowCalls) -> tuple[FlowState, CallResult]:
    """Return a flow after a call, and what the call returns.

    Without moments, which no order of calls determines: observations are compared as `timeless` and
    `timeless_view` leave them.
    """
    if isinstance(call, Look):
        seen = state.flow if state.flow and state.flow.owner == call.owner else None
        return state, None if seen is None else timeless_view(seen.view)
    new_id = call.flow_id if isinstance(call.command, CreateFlow) else call.new_id
    past = None if call.key is None else dict(state.kept).get(call.key)
    context = CommandContext(command=call.command, owner=call.owner, at=0, new_id=new_id)
    prediction = predict(_RULES, state.flow, context, past, keyed=call.key is not None)
    return _changed(state, prediction.change, call.key), timeless(prediction.answer)


def _changed(state: FlowState, change: IdempotentResult | None, key: str | None) -> FlowState:
    if change is None:
        return state
    kept = state.kept if key is None else (*state.kept, (key, change))
    return FlowState(change.flow, kept)
