"""The model's names of flows and tasks, and the ids that a service gave them."""

from __future__ import annotations

from typing import Any, Final

from attrs import define, field
from attrs import evolve as replace

from adapters.testing.answers import Answer, PlainView
from domain.flow.commands import Command

IDS: Final = ("flow_id", "parent_flow_id", "task_id")


@define
class Names:
    """Which id stands for which name; an id is learnt where it first stands in place of a name."""

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
        ids: dict[str, Any] = {
            place: self.id_of(getattr(command, place))
            for place in ("flow_id", "task_id")
            if hasattr(command, place)
        }
        return replace(command, **ids)

    def read_answer(self, expected: Answer, answer: Answer) -> Answer:
        """Return an answer with names in place of ids, which are learnt from the expected one."""
        tasks = zip(expected.tasks, answer.tasks, strict=False)
        for view, found in ((expected.flow, answer.flow), (expected.task, answer.task), *tasks):
            self.learn(view, found)
        return replace(
            answer,
            flow=self.named(answer.flow),
            task=self.named(answer.task),
            tasks=tuple(view for task in answer.tasks if (view := self.named(task))),
        )

    def read(self, expected: PlainView | None, actual: PlainView | None) -> PlainView | None:
        """Return a view with names in place of ids, which are learnt from the expected one."""
        self.learn(expected, actual)
        return self.named(actual)

    def named(self, view: PlainView | None) -> PlainView | None:
        """Return a view with names in place of ids."""
        return view and {
            place: self._names.get(str(value), value) if place in IDS else value
            for place, value in view.items()
        }

    def learn(self, expected: PlainView | None, actual: PlainView | None) -> None:
        """Take the ids that stand where names were expected, unless they are known already."""
        for place in IDS:
            name, found = (expected or {}).get(place), (actual or {}).get(place)
            new = name not in self._ids and found not in self._names
            if new and isinstance(name, str) and isinstance(found, str):
                self._ids[name], self._names[found] = found, name
