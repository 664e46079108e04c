"""Clients that work on the same few flows at once, and note each call and what it was told.

A request with a key whose answer was lost is sent again until it is answered: it is one call, from
the first time that it was sent. One without a key whose answer was lost stays without one.
"""

from __future__ import annotations

import json
import time
from random import Random
from typing import TypeAlias

from attrs import define, field
from attrs import evolve as replace

from adapters.testing.answers import Answer, timeless, timeless_view
from adapters.testing.drivers import wire
from adapters.testing.linearizability import FlowCall, Look, Operation
from domain.flow.commands import Command, CreateFlow, RunTask
from domain.flow.ids import FlowId, Owner, RouteId
from tests.prove.board import SIDES, STRANGER, Board, Side, Target, Whereabouts
from tests.prove.wishes import wish
from tests.whole.callers import Answer as Reply
from tests.whole.callers import Caller, GoneError, Request

Observed: TypeAlias = Operation[FlowCall | Look, object]


class NeverAnsweredError(Exception):
    """A request without a key was sent, and its answer was lost."""


@define(eq=False)
class Client:
    """One of the clients, in a thread of its own."""

    number: int
    board: Board
    whereabouts: Whereabouts
    chance: Random
    history: list[Observed] = field(factory=list)
    faults: list[str] = field(factory=list)
    lost_answers: int = 0
    _callers: dict[str, Caller] = field(factory=dict)
    _counted: int = 0

    def run(self, calls: int) -> None:
        """Make so many calls."""
        while len(self.history) < calls:
            self._call()

    def look_at_last(self, target: Target) -> None:
        """Look at a flow when all is over."""
        self._look(SIDES[0], target)

    def close(self) -> None:
        """Hang up."""
        for caller in self._callers.values():
            caller.close()

    def _call(self) -> None:
        target = self.board.pick(self.chance)
        side = self.chance.choice(SIDES)
        if isinstance(target, int):
            self._create(side, target)
        elif self.chance.random() < 0.2:
            self._look(self.chance.choice((side, side, STRANGER)), target)
        elif target.latest is not None and self.chance.random() < 0.1:
            again, command, key = target.latest
            self._send(again, target, command, key)
        else:
            self._send_new(side, target)

    def _create(self, side: Side, place: int) -> None:
        command = CreateFlow(goal="be shared", controller_id="proof")
        began = time.monotonic()
        key = self._key()
        answer = self._answer(side, command, self._exchange(side, command, key))
        if answer.flow is not None:
            target = Target(str(answer.flow["flow_id"]))
            self.board.put(place, target)
            self._note(
                FlowCall(FlowId(target.flow_id), Owner(side.owner), command, key=key), began, answer
            )

    def _look(self, side: Side, target: Target) -> None:
        began = time.monotonic()
        asked = {"action": "get_flow", "flowId": target.flow_id}
        reply = self._patiently(side, Request(asked))
        result = wire.parse_result(reply.status, reply.body, route_id=RouteId(side.route_id))
        seen = None if result["flow"] is None else wire.parse_flow(result["flow"])
        if seen is not None:
            target.learn(seen)
        told = None if seen is None else timeless_view(seen)
        call = Look(FlowId(target.flow_id), Owner(side.owner))
        self.history.append(Operation(call, began, time.monotonic(), told))

    def _send_new(self, side: Side, target: Target) -> None:
        command = wish(target, self.chance, self._key())
        keyed = isinstance(command, RunTask) or self.chance.random() < 0.5
        key = self._key() if keyed else None
        if self.chance.random() < 0.03:
            side = STRANGER
        elif key is not None:
            target.latest = (side, command, key)
        self._send(side, target, command, key)

    def _send(self, side: Side, target: Target, command: Command, key: str | None) -> None:
        call = FlowCall(FlowId(target.flow_id), Owner(side.owner), command, key=_on(side, key))
        began = time.monotonic()
        try:
            reply = self._exchange(side, command, key)
        except NeverAnsweredError:
            self.lost_answers += 1
            self.history.append(Operation(call, began))
            return
        except GoneError:
            return  # it was never sent as a whole, so that it cannot have happened
        answer = self._answer(side, command, reply)
        self._learn(target, command, answer)
        if isinstance(command, RunTask) and answer.task is not None:
            call = replace(call, new_id=str(answer.task["task_id"]))
        self._note(call, began, answer)

    def _learn(self, target: Target, command: Command, answer: Answer) -> None:
        if answer.flow is not None:
            target.learn(answer.flow)
        if isinstance(command, RunTask) and answer.task is not None:
            target.tasks.append(str(answer.task["task_id"]))

    def _note(self, call: FlowCall, began: float, answer: Answer) -> None:
        self.history.append(Operation(call, began, time.monotonic(), timeless(answer)))

    def _answer(self, side: Side, command: Command, reply: Reply) -> Answer:
        if reply.status >= 500:
            self.faults.append(f"{command} was answered {reply}")
        return wire.parse_answer(command, reply.status, reply.body, route_id=RouteId(side.route_id))

    def _exchange(self, side: Side, command: Command, key: str | None) -> Reply:
        """Send a command; with a key, until it is answered."""
        request = Request(json.loads(wire.request_of(command)), key)
        if key is not None:
            return self._patiently(side, request)
        caller = self._caller(side)
        try:
            return caller.ask(request)
        except GoneError as error:
            if caller.sent_at:
                raise NeverAnsweredError from error
            raise

    def _patiently(self, side: Side, request: Request) -> Reply:
        while True:
            try:
                return self._caller(side).ask(request)
            except GoneError:
                self.lost_answers += 1

    def _caller(self, side: Side) -> Caller:
        place = self.whereabouts.here()
        known = self._callers.get(side.route_id)
        if known is None or known.place != place:
            if known is not None:
                known.close()
            known = self._callers[side.route_id] = Caller(place, side.door)
        return known

    def _key(self) -> str:
        self._counted += 1
        return f"client-{self.number}-{self._counted}"


def _on(side: Side, key: str | None) -> str | None:
    """Return a key as it is told apart: each route has its own."""
    return None if key is None else f"{side.route_id}/{key}"
