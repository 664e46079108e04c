"""Makes an evidence pack: one pass over the log, from its beginning to a signed checkpoint.

Every pack that is made verifies: a log that does not agree with its checkpoints is not packed. The
checkpoints in a pack end with the first one that covers the range, so that the same range comes to
the same bytes for as long as the checkpoints file is only appended to.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from importlib.metadata import version
from pathlib import Path
from tempfile import SpooledTemporaryFile
from typing import IO, Final
from zipfile import ZIP_STORED, ZipFile

from attrs import asdict, frozen

from adapters.audit.checkpoint_reading import read_found_notes, read_notes
from adapters.audit.keys import Verifier, named
from adapters.audit.pack.archive import Archive
from adapters.audit.pack.joining import joined_verifier
from adapters.audit.pack.split_ranges import RangeSplitter
from adapters.audit.pack.verifier.events import oldest_version
from adapters.audit.pack.verifier.manifest import FORMAT
from adapters.audit.pack.verifier.pack_files import CHECKPOINTS, EVENTS, MANIFEST, STRETCHES
from adapters.presentation.printable import rfc_3339
from domain.application.ports import Progress
from domain.history.audit_log import AuditLog
from domain.history.selection import Selection, selected
from domain.tlog.checkpoints import FoundNote, KnownCheckpoints, Unprovable, VerifiedNote
from domain.tlog.rebuild_tree import rebuild_tree
from domain.tlog.verifying import verified

_README: Final = Path(__file__).with_name("README.txt")
_SPOOLED: Final = 1 << 23
"""So many bytes of omitted ranges are held in memory; more of them go to a temporary file."""


@frozen
class Packer:
    """Makes evidence packs against the checkpoints in a file, which some keys have signed."""

    file: Path
    verifiers: Sequence[Verifier]

    def covered(self, audit_log: AuditLog) -> int:
        """Return the position up to which a log has checkpoints.

        Raises:
            Unprovable: if it has none, or fewer events than they say, or the file cannot be read.
        """
        found = read_found_notes(self.file, self.verifiers)
        covered = max((one.checkpoint.size for one in _signed(found)), default=0)
        if covered == 0:
            none = f"{self.file}: no checkpoint by {named(self.verifiers)} covers any event yet"
            raise Unprovable(f"{none}: see taskflow audit checkpoint")
        if covered > audit_log.size():
            short = f"the log has {audit_log.size()} events, and its last checkpoint {covered}"
            raise Unprovable(f"{short}: see taskflow audit verify")
        return covered

    def write(
        self, audit_log: AuditLog, selection: Selection, sink: IO[bytes], *, progress: Progress
    ) -> int:
        """Write the pack of some events, and return how many there are.

        Raises:
            Unprovable: if no checkpoint covers the range, the log does not agree with those up to
                there, a flow lacks a version, or no event is selected.
            Unreadable: if an event that must be read to know whether it is selected cannot be.
        """
        found = self._covering(selection.last)
        with ZipFile(sink, "w", ZIP_STORED) as file, SpooledTemporaryFile(_SPOOLED) as ranges:
            archive = Archive(file)
            with archive.member(EVENTS) as events:
                splitter = RangeSplitter(
                    chosen=selected(audit_log, selection),
                    sizes={one.checkpoint.size for one in _signed(found)},
                    events=events,
                    ranges=ranges,
                    oldest=oldest_version(selection.first, has_since=selection.since is not None),
                )
                _compare(audit_log, splitter, found, progress)
            self._add_the_rest(archive, ranges, len(found))
            manifest = _manifest(archive, selection, splitter.taken, found)
            archive.add(MANIFEST, manifest)
        return splitter.taken

    def _covering(self, last: int) -> Sequence[FoundNote]:
        """Return what the file holds up to the first checkpoint that covers a position."""
        found = read_found_notes(self.file, self.verifiers)
        for number, one in enumerate(found, 1):
            if isinstance(one, VerifiedNote) and one.checkpoint.size >= last:
                return found[:number]
        raise Unprovable(
            f"{self.file}: no checkpoint by {named(self.verifiers)} covers position {last} yet:"
            " see taskflow audit checkpoint"
        )

    def _add_the_rest(self, archive: Archive, ranges: IO[bytes], notes: int) -> None:
        ranges.seek(0)
        with archive.member(STRETCHES) as inside:
            while octets := ranges.read(1 << 20):
                inside.write(octets)
        whole = read_notes(self.file).whole[:notes]
        archive.add(CHECKPOINTS, b"".join(note + b"\n" for note in whole))
        archive.add("verify.py", joined_verifier())
        archive.add("README.txt", _README.read_bytes())


def _manifest(
    archive: Archive, selection: Selection, count: int, found: Sequence[FoundNote]
) -> bytes:
    """Return what a pack says of itself; of the keys, those that signed what is in it."""
    chosen = {
        "first": selection.first,
        "last": selection.last,
        "flowId": selection.flow_id,
        "owner": selection.owner,
        "since": None if selection.since is None else rfc_3339(selection.since),
        "until": None if selection.until is None else rfc_3339(selection.until),
    }
    *previous, last = dict.fromkeys(one.public_key for one in _signed(found))
    document = {
        "format": FORMAT,
        "tool": f"taskflow-webhooks {version('taskflow-webhooks')}",
        "publicKey": last,
        **({"previousKeys": previous} if previous else {}),
        "range": {name: value for name, value in chosen.items() if value is not None},
        "events": count,
        "files": [asdict(member) for member in archive.members],
    }
    return f"{json.dumps(document, indent=2, ensure_ascii=False)}\n".encode()


def _signed(found: Sequence[FoundNote]) -> Iterator[VerifiedNote]:
    return (one for one in found if isinstance(one, VerifiedNote))


def _compare(
    audit_log: AuditLog, splitter: RangeSplitter, found: Sequence[FoundNote], progress: Progress
) -> None:
    """Split the log up to the last of some checkpoints, and compare it with all of them."""
    size = max(splitter.sizes)
    entries = splitter.pass_through(audit_log.entries(1, size))
    log = rebuild_tree(entries, splitter.sizes, lambda done: progress(done, size))
    for finding in verified(log, KnownCheckpoints(own=tuple(found))).findings:
        raise Unprovable(f"{finding.sentence}: see taskflow audit verify")
    if splitter.gap is not None:
        raise Unprovable(f"{splitter.gap}: see taskflow audit replay")
    if not splitter.taken:
        raise Unprovable("no event is selected, so there is nothing to prove")
