"""Adds golden bytes for the samples that have none: `python -m tests.store.write_golden`.

What is there stays as it is. A sample whose bytes would differ from those that were kept is
refused: stored bytes are permanent, so a changed event needs a new name and an upcaster.
"""

from __future__ import annotations

import json
import sys
from importlib.metadata import version

import attrs

from adapters.store.snapshot import Stored
from tests.store.golden_bytes import FOLDER, MAPPER, Golden, described, golden_file, read_golden
from tests.store.samples import samples


class Refused(Exception):  # noqa: N818 - what the script says
    """Golden bytes that would have to change."""


def golden_of(title: str, stored: Stored, since: str) -> Golden:
    """Return what today's program stores of a sample."""
    written = MAPPER.to_stored_event(stored)
    return Golden(
        name=written.topic,
        title=title,
        since=since,
        stored=written.state.decode(),
        loads_as=described(stored),
    )


def add(entry: Golden) -> bool:
    """Keep an entry unless it is kept already, and say whether it was new.

    Raises:
        Refused: if other bytes are kept under its title.
    """
    kept = read_golden(entry.name)
    for known in kept:
        if known.title == entry.title:
            if known.stored != entry.stored:
                raise Refused(f"{entry.name} {entry.title!r}: other bytes were released")
            return False
    plain = [attrs.asdict(item, filter=_not_the_name) for item in (*kept, entry)]
    text = json.dumps(plain, indent=2, ensure_ascii=False) + "\n"
    golden_file(entry.name).write_text(text, "utf-8")
    return True


def _not_the_name(attribute: attrs.Attribute[object], _: object) -> bool:
    return attribute.name != "name"


def main() -> int:
    """Add what is missing and say how much that was."""
    FOLDER.mkdir(exist_ok=True)
    since = version("taskflow-webhooks")
    try:
        added = sum(add(golden_of(title, stored, since)) for title, stored in samples())
    except Refused as refusal:
        sys.stderr.write(f"{refusal}\n")
        return 1
    sys.stdout.write(f"{added} added\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
