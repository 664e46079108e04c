"""How events that were stored under a former name are read: one step at a time, on plain fields.

An upcaster takes the fields of the event under an old name and returns those under the next one;
the stored bytes stay as they are. There is no former name yet; the golden bytes of every released
name are kept in `tests/store/golden/` and must load for ever.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final, TypeAlias

from adapters.store.codec import StoredFields

Upcaster: TypeAlias = Callable[[StoredFields], StoredFields]

UPCASTERS: Final[Mapping[str, tuple[str, Upcaster]]] = {}
"""Former name -> (the name after it, what turns the fields into those of that name)."""


def upcast(
    name: str, fields: StoredFields, steps: Mapping[str, tuple[str, Upcaster]] = UPCASTERS
) -> tuple[str, StoredFields]:
    """Return the present name and fields of an event that may be stored under a former name."""
    while name in steps:
        name, step = steps[name]
        fields = step(fields)
    return name, fields
