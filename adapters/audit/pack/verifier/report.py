"""Every check in turn, and what is said of it."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NoReturn

from adapters.audit.pack.verifier.events import check_events
from adapters.audit.pack.verifier.forms import Unchecked, Wrong, counted
from adapters.audit.pack.verifier.keys import check_key
from adapters.audit.pack.verifier.manifest import check_files, check_manifest
from adapters.audit.pack.verifier.notes import check_notes, check_signatures
from adapters.audit.pack.verifier.pack_files import Pack, read_manifest
from adapters.audit.pack.verifier.tree import check_tree

VERIFIED, WRONG, OPEN = 0, 1, 2
LONGEST_SENTENCE = 1000
VERDICTS = {
    VERIFIED: "VERIFIED: every event here is, to the byte, what was signed.",
    WRONG: "WRONG: do not rely on this pack; the lines above say what is not as it should be.",
    OPEN: "NOT VERIFIED: nothing is wrong, but what is marked OPEN could not be checked.",
}
CHECKS: tuple[tuple[str, Callable[[Pack], str]], ...] = (
    ("manifest", check_manifest),
    ("files", check_files),
    ("events", check_events),
    ("checkpoints", check_notes),
    ("key", check_key),
    ("signatures", check_signatures),
    ("tree", check_tree),
)


def verify(pack: Pack, tell: Callable[[str, str, str], object]) -> int:
    """Make every check, tell what came of it, and return how it ended."""
    ended = set()
    for name, check in CHECKS:
        try:
            tell("ok", name, check(pack))
        except Unchecked as reason:
            ended.add(OPEN)
            tell("OPEN", name, str(reason))
        except Wrong as wrong:
            ended.add(WRONG)
            for sentence in wrong.args:
                tell("WRONG", name, sentence)
        except Exception as error:  # noqa: BLE001 - also what nobody has thought of is a sentence
            ended.add(WRONG)
            tell("WRONG", name, f"cannot be read: {error!r}")
        if check is check_manifest and ended:
            break
    return WRONG if WRONG in ended else max(ended, default=VERIFIED)


def what_it_shows(pack: Pack) -> Iterator[str]:
    """Return what a pack shows if it is verified, and what it cannot show.

    NOTE: nobody signs the manifest. Whoever cuts off events at the beginning or the end of a flow
    can let it say that they were not asked for, so that what was asked for shows nothing.
    """
    first, last = pack.manifest["range"]["first"], pack.manifest["range"]["last"]
    events = f"{counted(pack.manifest['events'], 'event')} of {counted(len(pack.flows), 'flow')}"
    if pack.manifest["range"].keys() == {"first", "last"}:
        yield f"It shows all events of the log from position {first} to {last}: {events}."
        before = f"before position {first}, or " if first > 1 else ""
        yield f"It cannot show what happened {before}after position {last}."
        return
    spans, late = pack.flows.items(), sum(oldest > 1 for oldest, _ in pack.flows.values())
    if len(spans) == 1:
        [(flow, (oldest, newest))] = spans
        yield f"It shows versions {oldest} to {newest} of flow {flow}, without a gap."
    else:
        yield f"It shows {events}, without a gap within any flow."
    if late:
        yield f"The first versions of {counted(late, 'flow')} are not here."
    yield "It cannot show that a flow here has no later version, or that there is no other flow."


class _Arguments(argparse.ArgumentParser):
    """Arguments; if they are wrong, the exit code is not that of what could not be checked."""

    def error(self, message: str) -> NoReturn:
        self.exit(WRONG, f"WRONG: {message}\n")


def verify_folder() -> int:
    """Verify the pack that the arguments name, and return the exit code."""
    parser = _Arguments(description="Verifies an unpacked evidence pack.")
    parser.add_argument("folder", nargs="?", type=Path, default=Path(__file__).parent)
    parser.add_argument(
        "--key",
        action="append",
        default=[],
        help="the public key that you were given; of a log whose key was rotated, each of them",
    )
    given = parser.parse_args()
    pack = Pack(given.folder, {}, given.key)
    try:
        pack.manifest = read_manifest(given.folder)
        code = verify(pack, _tell)
    except Wrong as wrong:
        code = WRONG
        _tell("WRONG", "manifest", str(wrong))
    sys.stdout.write(f"\n{VERDICTS[code]}\n")
    for sentence in what_it_shows(pack) if code == VERIFIED else ():
        sys.stdout.write(f"{_plain(sentence)}\n")
    return code


def _tell(state: str, check: str, sentence: str) -> None:
    sys.stdout.write(f"{state:7}{check:13}{_plain(sentence)}\n")


def _plain(sentence: str) -> str:
    plain = sentence[:LONGEST_SENTENCE].encode("ascii", "backslashreplace").decode()
    return "".join(c if c.isprintable() else f"\\x{ord(c):02x}" for c in plain)


if __name__ == "__main__":
    sys.exit(verify_folder())
