"""A real log with signed checkpoints, and packs of it that are made, unpacked and verified."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from contextlib import closing, contextmanager
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final
from zipfile import ZipFile

from attrs import evolve as replace
from attrs import frozen

from adapters.audit.checkpointing import CheckpointSigner, append_checkpoint
from adapters.audit.keys import Signer
from adapters.audit.pack.joining import joined_verifier
from adapters.audit.pack.packing import Packer
from adapters.audit.pack.verifier.pack_files import Pack
from adapters.audit.pack.verifier.report import verify
from adapters.store import StoreAuditLog, open_for_writing
from domain.history.audit_log import AuditLog
from domain.history.selection import Selection
from tests.audit.logs import fill
from tests.audit.release_0_1 import made_old
from tests.cli.workbench import Bench, bench

_TEMPORARY: Final = TemporaryDirectory()
ORIGIN: Final = "taskflow.example/log"


@frozen
class Signed:
    """A log, the file of its checkpoints, and who signs them."""

    audit_log: StoreAuditLog
    service: Bench
    file: Path
    signer: Signer

    @property
    def packer(self) -> Packer:
        """Who packs it."""
        return Packer(self.file, [self.signer.verifier])

    def grow(self) -> None:
        """Let more happen, and sign it."""
        fill(self.service)
        self.sign()

    def sign(self) -> None:
        """Sign the log as it is."""
        checkpoint_signer = CheckpointSigner(file=self.file, key=self.signer, origin=ORIGIN)
        append_checkpoint(self.audit_log, checkpoint_signer, progress=silent)

    def pack(self, **choice: Any) -> bytes:  # noqa: ANN401 - the fields of a selection
        """Return the pack of some events, of all if nothing is chosen."""
        whole = Selection(first=1, last=self.packer.covered(self.audit_log))
        return packed(self.packer, self.audit_log, replace(whole, **choice))


@contextmanager
def signed_log(folder: Path, *, old: int = 0) -> Iterator[Signed]:
    """Fill a store, and sign it while it is empty and three times afterwards.

    The first so many checkpoints are as release 0.1 wrote them.
    """
    with closing(open_for_writing(f"sqlite:///{folder / 'flows.db'}")) as store:
        service = bench(store)
        file, signer = folder / "checkpoints.txt", Signer.generate("taskflow.example")
        signed = Signed(StoreAuditLog(store), service, file, signer)
        signed.sign()
        for _ in range(3):
            signed.grow()
        made_old(file, signer, old)
        yield signed


def packed(packer: Packer, audit_log: AuditLog, selection: Selection) -> bytes:
    """Return the pack of some events."""
    sink = io.BytesIO()
    packer.write(audit_log, selection, sink, progress=silent)
    return sink.getvalue()


def unpacked(pack: bytes, folder: Path) -> Path:
    """Unpack a pack into a new folder."""
    with ZipFile(io.BytesIO(pack)) as archive:
        archive.extractall(folder)
    return folder


@cache
def verifier_file() -> Path:
    """Return the one file that verifies a pack, outside any pack."""
    file = Path(_TEMPORARY.name) / "verify.py"
    file.write_bytes(joined_verifier())
    return file


def silent(_done: int, _total: int) -> None:
    """Tell nobody."""


def verdict(folder: Path, *keys: str) -> tuple[int, dict[str, str]]:
    """Verify an unpacked pack; return the code, and what was said of each check but `ok`."""
    said: dict[str, str] = {}

    def tell(state: str, check: str, sentence: str) -> None:
        if state != "ok":
            said.setdefault(check, sentence)

    manifest = json.loads((folder / "manifest.json").read_bytes())
    return verify(Pack(folder, manifest, list(keys)), tell), said
