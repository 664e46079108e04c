"""Fifty damaged copies: each is refused, or what it restores is right; what was there stays."""

from __future__ import annotations

import random
import shutil
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Final

import pytest

from adapters.audit.keys import Signer
from adapters.cli import Dependencies
from adapters.store import StoreAuditLog, open_for_reading
from domain.history.audit_log import LogEntry
from tests.cli.copies import everything_in, grow, growing, made
from tests.cli.workbench import Ran, taskflow, tools_over

EACH: Final = 10
KEY: Final = Signer.generate("flows.example")

Damage = Callable[[random.Random, Path], None]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store, its checkpoints, a backup made after them, and the store as it was long before."""
    folder = tmp_path_factory.mktemp("copies")
    made(folder / "old.db", 5)
    shutil.copyfile(folder / "old.db", folder / "new.db")
    with growing(folder / "new.db", 6) as bench:
        grow(bench, 25, "a longer goal " * 40)
    (folder / "key").write_text(KEY.secret_text(), encoding="ascii")
    (folder / "key").chmod(0o600)
    signed = ["--key", str(folder / "key"), "--checkpoints", str(folder / "log")]
    database = ["--database", f"sqlite:///{folder}/new.db"]
    assert taskflow(tools_over(), "audit", "checkpoint", *signed, *database).code == 0
    return folder


def entries(path: Path) -> list[LogEntry]:
    with closing(open_for_reading(f"sqlite:///{path}")) as store:
        return list(StoreAuditLog(store).entries())


def flip_bits(chance: random.Random, copy: Path) -> None:
    """Change some bits, as a bad disk does."""
    contents = bytearray(copy.read_bytes())
    for _ in range(chance.choice([1, 1, 3, 50])):
        contents[chance.randrange(len(contents))] ^= 1 << chance.randrange(8)
    copy.write_bytes(contents)


def truncate(chance: random.Random, copy: Path) -> None:
    """Cut the end off, at a page or anywhere."""
    size = copy.stat().st_size
    keep = chance.randrange(size)
    with copy.open("r+b") as file:
        file.truncate(keep // 4096 * 4096 if chance.random() < 0.5 else keep)


def zero_pages(chance: random.Random, copy: Path) -> None:
    """Put zeros in the place of a page, as a torn copy does."""
    page = chance.randrange(copy.stat().st_size // 4096)
    with copy.open("r+b") as file:
        file.seek(4096 * page)
        file.write(bytes(4096))


def mix_pages(chance: random.Random, copy: Path) -> None:
    """Put pages of an older copy among the newer ones, as `cp` beside a checkpoint does."""
    old = copy.with_name("old.db").read_bytes()
    page = chance.randrange(len(old) // 4096)
    with copy.open("r+b") as file:
        file.seek(4096 * page)
        file.write(old[4096 * page : 4096 * (page + 1)])


def add_a_log(chance: random.Random, copy: Path) -> None:
    """Put the log of another store beside it."""
    other = copy.with_name(f"other-{chance.random()}.db")
    with growing(other, 80) as bench:
        grow(bench, chance.randrange(1, 9))
        contents = other.with_name(f"{other.name}-wal").read_bytes()
    copy.with_name(f"{copy.name}-wal").write_bytes(contents)


def restore(tools: Dependencies, folder: Path, copy: Path, path: Path) -> Ran:
    key = ["--checkpoints", str(folder / "log"), "--public-key", str(KEY.verifier)]
    database = ["--database", f"sqlite:///{path}"]
    return taskflow(tools, "store", "restore", str(copy), *database, *key)


@pytest.mark.full
@pytest.mark.parametrize("damage", [flip_bits, truncate, zero_pages, mix_pages, add_a_log])
def test_a_damaged_copy_is_refused_or_restored_right(
    tools: Dependencies, folder: Path, tmp_path: Path, damage: Damage
) -> None:
    whole = entries(folder / "new.db")
    for seed in range(EACH):
        copy, path = tmp_path / f"{seed}" / "copy.db", tmp_path / f"{seed}" / "to" / "flows.db"
        path.parent.mkdir(parents=True)
        shutil.copyfile(folder / "new.db", copy)
        shutil.copyfile(folder / "old.db", copy.with_name("old.db"))
        damage(random.Random(f"{damage.__name__} {seed}"), copy)  # noqa: S311 - damage, not a secret
        if seed % 2:
            shutil.copyfile(folder / "old.db", path)
        before = everything_in(path.parent)
        ran = restore(tools, folder, copy, path)
        if ran.code == 0:
            assert entries(path) == whole
        elif ran.code == 1:
            assert entries(path) == whole[: len(entries(path))]
        else:
            assert (ran.code, ran.out, ran.err.count("\n")) == (2, "", 1)
            assert everything_in(path.parent) == before
