"""The scene of every attack: a store with a life, checkpoints in between, and who holds them.

The gateway's ledger has a checkpoint after each part of the life. An auditor has carried away a
copy of it after the third, and a copy of the database after the second. Two more parts follow, the
last of them after the last checkpoint.
"""

from __future__ import annotations

import json
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from random import Random
from typing import Any, Final

from attrs import frozen

from adapters.cli import Dependencies
from adapters.store import open_for_writing
from tests.audit.attacks.life import Life
from tests.cli.workbench import Ran, taskflow, tools_over

PARTS: Final = 5
HELD: Final = 3
"""How many checkpoints the auditor has carried away."""


@frozen
class Scene:
    """A folder with everything in it: the gateway's files, and what the auditor holds."""

    folder: Path
    public_key: str

    @property
    def database(self) -> Path:
        """The gateway's store."""
        return self.folder / "flows.db"

    @property
    def ledger(self) -> Path:
        """The gateway's checkpoints."""
        return self.folder / "gateway.checkpoints"

    @property
    def held(self) -> Path:
        """The auditor's copy of the checkpoints, as they were."""
        return self.folder / "auditor.checkpoints"

    @property
    def older(self) -> Path:
        """A copy of the store, as it was."""
        return self.folder / "older.db"

    @property
    def url(self) -> str:
        """The URL of the store."""
        return f"sqlite:///{self.database}"

    @property
    def sizes(self) -> list[int]:
        """The sizes of the log that the auditor's checkpoints speak of."""
        texts = self.held.read_text().split("\n\n")[:-1:2]
        return [int(text.split("\n")[1]) for text in texts]

    @property
    def covered(self) -> int:
        """How many events the auditor's checkpoints cover."""
        return self.sizes[-1]

    @contextmanager
    def behind_its_back(self) -> Iterator[sqlite3.Connection]:
        """Edit the database, as whoever can write the file can."""
        with closing(sqlite3.connect(self.database)) as connection, connection:
            yield connection

    def copied(self, folder: Path) -> Scene:
        """Return a copy of the scene to be spoilt."""
        shutil.copytree(self.folder, folder)
        return Scene(folder, self.public_key)

    def verify(self) -> Findings:
        """Return what verifying finds, by the gateway's checkpoints and the auditor's."""
        return _findings(self.run("verify", *self.compared()))

    def replay(self) -> Findings:
        """Return what a replay finds."""
        return _findings(self.run("replay"))

    def compared(self) -> tuple[object, ...]:
        """Return the options that say what the store is compared with."""
        files = ("--checkpoints", self.ledger, "--held", self.held)
        return (*files, "--public-key", self.public_key)

    def run(self, command: str, *argv: object) -> Ran:
        """Run an auditor's command on the store."""
        return audit(tools_over(), command, "--database", self.url, "--json", *argv)


def _findings(ran: Ran) -> Findings:
    assert ran.code in {0, 1}, ran
    return Findings(ran.code, tuple(json.loads(ran.out)["findings"]))


@frozen
class Findings:
    """What a command found: its exit code, and its findings as it printed them."""

    code: int
    found: tuple[dict[str, Any], ...]


def audit(tools: Dependencies, command: str, *argv: object) -> Ran:
    """Run an auditor's command as an auditor does."""
    return taskflow(tools, "audit", command, *map(str, argv))


def made(folder: Path, *, seed: str, actions: int) -> Scene:
    """Make a scene whose store lives through so many actions in each of its parts."""
    folder.mkdir(parents=True)
    life = Life(Random(seed))  # noqa: S311 - not for secrets
    key = audit(tools_over(), "keygen", folder / "signing.key", "--name", "flows.example.com")
    scene = Scene(folder, key.out.strip())
    for part in range(1, PARTS + 1):
        with closing(open_for_writing(scene.url)) as store:
            life.go_on(store, actions)
        if part < PARTS:
            sign(scene, scene.folder / "signing.key", scene.ledger)
        if part == HELD:
            shutil.copy(scene.ledger, scene.held)
        if part == HELD - 1:
            shutil.copy(scene.database, scene.older)
    return scene


def sign(scene: Scene, key: Path, ledger: Path) -> None:
    """Append a checkpoint of the store to a ledger."""
    argv = ("--database", scene.url, "--key", key, "--checkpoints", ledger)
    ran = audit(tools_over(), "checkpoint", *argv)
    assert (ran.code, ran.err) == (0, ""), ran
