"""Every state that up to seven commands reach in small worlds, and every command in each of them.

Breadth first, memoised on the state as `small_world.normal` has it. A state at depth seven is
checked as the outcome of its last step, and not gone on from.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial, reduce
from operator import or_
from typing import Final

from attrs import define, field

from adapters.testing.differences import one_line
from domain.flow.commands import CommandContext
from domain.flow.decide import decide
from domain.flow.evolve import fold
from domain.flow.refusals import Refusal
from tests.prove.laws import Step, broken
from tests.prove.reached import Reached
from tests.prove.result import SHOWN, Progress, Result, scaled
from tests.prove.small_world import WISHES, WORLDS, State, normal
from tests.prove.workers import chunks, spread

DEPTH: Final = 7
ALL_REACHED: Final = 5
"""The depth from which on every line of the lifecycle table is reached."""

CHUNK: Final = 500
THEN: Final = " then "
"""Between two commands of a path."""


@define
class Expanded:
    """What came of trying everything in some states: new states and how they were reached."""

    size: int
    steps: int = 0
    found: dict[State, tuple[State, CommandContext]] = field(factory=dict)
    reached: Reached = field(factory=Reached)
    violated: list[tuple[str, State, CommandContext]] = field(factory=list)

    def add(self, step: Step) -> None:
        """Take in a step."""
        self.steps += 1
        self.reached.add(step)
        self.violated += [(law, step.before, step.issued) for law in broken(step)]
        if step.events and step.after is not None:
            self.found.setdefault(normal(step.after), (step.before, step.issued))


def expand(world: str | None, states: Sequence[State]) -> Expanded:
    """Try every command of a world, or of all, in some states."""
    expanded = Expanded(len(states))
    wishes = WISHES if world is None else WORLDS[world]
    for state in states:
        for issued in wishes:
            expanded.add(step_of(state, issued))
    return expanded


def step_of(state: State, issued: CommandContext) -> Step:
    """Return what a command does to a state."""
    decision = decide(state, issued)
    after = state if isinstance(decision, Refusal) else fold(state, decision)
    return Step(state, issued, decision, after)


@define
class Search:
    """A search through all states of a world, or of all worlds as one, shallowest first."""

    progress: Progress
    world: str | None = None
    steps: int = 0
    reached: Reached = field(factory=Reached)
    came_from: dict[State, tuple[State, CommandContext] | None] = field(
        factory=lambda: {None: None}
    )
    violations: list[str] = field(factory=list)

    def run(self, depth: int) -> None:
        """Try all commands in all states that fewer than `depth` commands lead to."""
        edge: Sequence[State] = [None]
        for _ in range(depth):
            edge = list(self._level(edge))

    def _level(self, edge: Sequence[State]) -> Iterator[State]:
        done = len(self.came_from) - len(edge)
        for expanded in spread(partial(expand, self.world), chunks(edge, CHUNK)):
            done += expanded.size
            self.steps += expanded.steps
            self.reached |= expanded.reached
            new = expanded.found.keys() - self.came_from.keys()
            self.came_from |= {state: expanded.found[state] for state in new}
            self.violations += [
                f"{law}: {self.path(state, issued)}" for law, state, issued in expanded.violated
            ]
            self.progress(done, len(self.came_from))
            yield from new

    def path(self, state: State, issued: CommandContext) -> str:
        """Return the commands that lead to a state, and one more."""
        path = [issued]
        while (origin := self.came_from[state]) is not None:
            state, before = origin
            path.append(before)
        return THEN.join(map(_told, reversed(path)))


def _told(issued: CommandContext) -> str:
    return f"{one_line(issued.command)} by {issued.owner} at {issued.at}"


def run(scale: float, progress: Progress) -> Result:
    """Prove that every state that up to seven commands reach keeps the laws and the table."""
    depth = min(DEPTH, scaled(DEPTH, scale))
    searches = [Search(progress, world) for world in WORLDS]
    for search in searches:
        search.run(depth)
    reached = reduce(or_, (search.reached for search in searches))
    unreached = reached.unreached() if depth >= ALL_REACHED else ()
    return Result(
        tried=f"every command in every state that fewer than {depth} commands lead to",
        counts={
            "states": sum(len(search.came_from) for search in searches),
            "steps": sum(search.steps for search in searches),
            "transitions": reached.transitions(),
        },
        violations=(
            *[told for search in searches for told in search.violations[:SHOWN]],
            *reached.outside(),
            *unreached,
        ),
        notes=(f"unreachable: {', '.join(reached.missed())}",) if depth >= ALL_REACHED else (),
    )
