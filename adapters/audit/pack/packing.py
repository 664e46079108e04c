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

from attrs import asdict, frozen

from adapters.audit.checkpoint_reading import read_checkpoints, read_notes
from adapters.audit.export.cloud_events import rfc_3339
from adapters.audit.keys import Verifier, named
from adapters.audit.pack import verify
from adapters.audit.pack.archive import Archive, archive_on
from adapters.audit.pack.parting import Parting
from domain.application.ports import Progress
from domain.history.audit_log import AuditLog
from domain.history.selection import Selection, selected
from domain.tlog.checkpoints import FoundNote, KnownCheckpoints, Unprovable, VerifiedNote
from domain.tlog.rebuild_tree import rebuild_tree
from domain.tlog.verifying import verified

_HERE: Final = Path(__file__).parent
_SPOOLED: Final = 1 << 23
"""So many bytes of stretches are held in memory; more of them go to a temporary file."""


@frozen
class Packer:
    """Makes evidence packs against the checkpoints in a file, which some keys have signed."""

    file: Path
    verifiers: Sequence[Verifier]

    def covered(self, evidence: AuditLog) -> int:
        """Return the position up to which a log has checkpoints.

        Raises:
            Unprovable: if it has none, or fewer events than they say, or the file cannot be read.
        """
        covered = max((one.checkpoint.size for one in _signed(self._sightings())), default=0)
        if covered == 0:
            none = f"{self.file}: no checkpoint by {named(self.verifiers)} covers any event yet"
            raise Unprovable(f"{none}: see taskflow audit checkpoint")
        if covered > evidence.size():
            short = f"the log has {evidence.size()} events, and its last checkpoint {covered}"
            raise Unprovable(f"{short}: see taskflow audit verify")
        return covered

    def write(
        self, evidence: AuditLog, selection: Selection, sink: IO[bytes], *, progress: Progress
    ) -> int:
        """Write the pack of some events, and return how many there are.

        Raises:
            Unprovable: if no checkpoint covers the range, the log does not agree with those up to
                there, a flow lacks a version, or no event is meant.
            Unreadable: if an event that must be read to know whether it is meant cannot be.
        """
        sightings = self._covering(selection.last)
        with archive_on(sink) as archive, SpooledTemporaryFile(_SPOOLED) as stretches:
            with archive.member(verify.EVENTS) as events:
                parting = Parting(
                    chosen=selected(evidence, selection),
                    sizes={one.checkpoint.size for one in _signed(sightings)},
                    events=events,
                    stretches=stretches,
                    oldest=verify.oldest_version(
                        selection.first, has_since=selection.since is not None
                    ),
                )
                _compare(evidence, parting, sightings, progress)
            self._add_the_rest(archive, stretches, len(sightings))
            manifest = _manifest(archive, selection, parting.taken, sightings)
            archive.add("manifest.json", manifest)
        return parting.taken

    def _sightings(self) -> Sequence[FoundNote]:
        return read_checkpoints(self.file, self.verifiers)

    def _covering(self, last: int) -> Sequence[FoundNote]:
        """Return what the file holds up to the first checkpoint that covers a position."""
        sightings = self._sightings()
        for number, one in enumerate(sightings, 1):
            if isinstance(one, VerifiedNote) and one.checkpoint.size >= last:
                return sightings[:number]
        raise Unprovable(
            f"{self.file}: no checkpoint by {named(self.verifiers)} covers position {last} yet:"
            " see taskflow audit checkpoint"
        )

    def _add_the_rest(self, archive: Archive, stretches: IO[bytes], notes: int) -> None:
        stretches.seek(0)
        with archive.member(verify.STRETCHES) as inside:
            while octets := stretches.read(1 << 20):
                inside.write(octets)
        whole = read_notes(self.file).whole[:notes]
        archive.add(verify.CHECKPOINTS, b"".join(note + b"\n" for note in whole))
        for name in verify.OURS:
            archive.add(name, (_HERE / name).read_bytes())


def _manifest(
    archive: Archive, selection: Selection, count: int, sightings: Sequence[FoundNote]
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
    *previous, last = dict.fromkeys(one.public_key for one in _signed(sightings))
    document = {
        "format": verify.FORMAT,
        "tool": f"taskflow-webhooks {version('taskflow-webhooks')}",
        "publicKey": last,
        **({"previousKeys": previous} if previous else {}),
        "range": {name: value for name, value in chosen.items() if value is not None},
        "events": count,
        "files": [asdict(member) for member in archive.members],
    }
    return f"{json.dumps(document, indent=2, ensure_ascii=False)}\n".encode()


def _signed(sightings: Sequence[FoundNote]) -> Iterator[VerifiedNote]:
    return (one for one in sightings if isinstance(one, VerifiedNote))


def _compare(
    evidence: AuditLog, parting: Parting, sightings: Sequence[FoundNote], progress: Progress
) -> None:
    """Part the log up to the last of some checkpoints, and compare it with all of them."""
    size = max(parting.sizes)
    entries = parting.pass_through(evidence.entries(1, size))
    log = rebuild_tree(entries, parting.sizes, lambda done: progress(done, size))
    for finding in verified(log, KnownCheckpoints(own=tuple(sightings))).findings:
        raise Unprovable(f"{finding.sentence}: see taskflow audit verify")
    if parting.gap is not None:
        raise Unprovable(f"{parting.gap}: see taskflow audit replay")
    if not parting.taken:
        raise Unprovable("no event is meant, so there is nothing to prove")
