"""The model's names of flows and tasks, and the ids that a service gave them."""

from __future__ import annotations

from typing import Final, TypeVar

from attrs import define, field
from attrs import evolve as replace

from adapters.testing.answers import Answer, PlainView
from domain.flow.commands import Command, CreateFlow, LoseTask, UpdateTask
from domain.flow.ids import FlowId, TaskId

T = TypeVar("T")
IDS: Final = ("flow_id", "parent_flow_id", "task_id")


@define
class Names:
    """Which id stands for which name; an id is learnt where it is first shown in its place."""

    _ids: dict[str, str] = field(factory=dict)
    _names: dict[str, str] = field(factory=dict)

    def knows(self, name: str) -> bool:
        """Say whether the id of a name was shown yet."""
        return name in self._ids

    def id_of(self, name: str) -> str:
        """Return the id of a name; a name that stands for nothing is an id that nothing has."""
        return self._ids.get(name, name)

    def addressed(self, command: Command) -> Command:
        """Return a command with ids in place of names."""
        if isinstance(command, CreateFlow):
            return command
        flow_id = self.id_of(command.flow_id)
        if isinstance(command, UpdateTask | LoseTask):
            return replace(
                command, flow_id=FlowId(flow_id), task_id=TaskId(self.id_of(command.task_id))
            )
        return replace(command, flow_id=FlowId(flow_id))

    def read_answer(self, expected: Answer, answer: Answer) -> Answer:
        """Return an answer with names in place of ids, which are learnt from what was expected."""
        pairs = zip(expected.tasks, answer.tasks, strict=False)
        for meant, told in ((expected.flow, answer.flow), (expected.task, answer.task), *pairs):
            self.learn(meant, told)
        return replace(
            answer,
            flow=self.named(answer.flow),
            task=self.named(answer.task),
            tasks=tuple(map(self._named, answer.tasks)),
        )

    def read(self, expected: PlainView | None, told: PlainView | None) -> PlainView | None:
        """Return what is shown with names in place of ids, learnt from what was expected."""
        self.learn(expected, told)
        return self.named(told)

    def named(self, told: PlainView | None) -> PlainView | None:
        """Return what is shown with names in place of ids."""
        return None if told is None else self._named(told)

    def learn(self, expected: PlainView | None, told: PlainView | None) -> None:
        """Take the ids that stand where names were expected, unless they are known already."""
        for place in IDS:
            name, found = (expected or {}).get(place), (told or {}).get(place)
            if isinstance(name, str) and isinstance(found, str):
                self._learn(name, found)

    def _learn(self, name: str, found: str) -> None:
        if name not in self._ids and found not in self._names:
            self._ids[name] = found
            self._names[found] = name

    def _named(self, told: PlainView) -> PlainView:
        return {
            place: self._names.get(str(value), value) if place in IDS else value
            for place, value in told.items()
        }
