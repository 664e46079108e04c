"""What of a gateway's configuration changed, and when: keys by their ids and digests, no secret."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from enum import StrEnum
from typing import Protocol, TypeAlias

from attrs import frozen

from domain.flow.values import Timestamp

ConfigurationState: TypeAlias = Mapping[str, str]
"""Each field of a configuration, as in `routes.zapier.path`, and its value as a text."""


class Cause(StrEnum):
    """What put a configuration in force."""

    START = "start"
    RELOAD = "reload"


@frozen
class FieldChange:
    """A field of the configuration, and its value before and after; None where it had none."""

    field: str
    before: str | None
    after: str | None


@frozen(kw_only=True)
class ConfigurationChange:
    """What was changed at once: when, by which process, and each field. Numbers begin at 1."""

    number: int
    at: Timestamp
    cause: Cause
    pid: int
    changes: Sequence[FieldChange]


@frozen(kw_only=True)
class ConfigurationPage:
    """Some changes, newest first, and the cursor of the rest if there is a rest."""

    changes: Sequence[ConfigurationChange]
    next_cursor: int | None


class ConfigurationLog(Protocol):
    """The changes of a gateway's configuration, opened to be read, also beside the gateway."""

    def page(self, *, limit: int, before: int | None = None) -> ConfigurationPage:
        """Return at most `limit` changes, newest first, those numbered before a cursor.

        Raises:
            StoreUnavailable: if they cannot be read.
        """
        ...


def changed_fields(before: ConfigurationState, after: ConfigurationState) -> Sequence[FieldChange]:
    """Return the fields that differ between two states, by name."""
    names: Iterable[str] = sorted(before.keys() | after.keys())
    changes = (FieldChange(name, before.get(name), after.get(name)) for name in names)
    return [change for change in changes if change.before != change.after]
