"""A disk that fails, at every write and sync that there is: told as 503, and nothing half-done.

First every kind of trouble as a whole, as `tests/whole/test_disk_faults.py` proves it: errors of
all writes, of all syncs, a full and a read-only file system. Then single calls: the n-th write or
sync of several concurrent commits fails, once or from then on. Each caller is answered 503
`persist_failed`, or 200 if its commit was whole before; sent again with the same key, each request
is done once; at the end the store holds exactly what was acknowledged. Linux, with a C compiler.
"""

from __future__ import annotations

import errno
import os
import sys
import tempfile
import traceback
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager
from pathlib import Path
from random import Random
from typing import Final, TypeAlias

from attrs import define, field

from tests.prove.orders import Order, Orders, failing
from tests.prove.result import SHOWN, Progress, Result, scaled
from tests.prove.shim import compiled
from tests.whole.callers import Answer, Caller
from tests.whole.gateway import RunningGateway
from tests.whole.serving_in_trouble import prove
from tests.whole.stored import assert_holds_exactly, assert_nothing_to_rebuild
from tests.whole.troubles import file_system, filled, make_faulty_disk
from tests.whole.writers import Writer, crowd

POINTS: Final = 5_000
WRITERS: Final = 3
KILL_EVERY: Final = 100
FURTHEST: Final = 40
"""Calls that may succeed before one fails: more than a commit of several small requests has."""

OWN: Final = {"limits": {"rateRequests": 1_000_000}, "children": {"sweepSeconds": 0.2}}
TROUBLES: Final = (
    ("w", errno.EIO),
    ("t", errno.EIO),
    ("s", errno.EIO),
    ("ws", errno.ENOSPC),
    ("t", errno.ENOSPC),
    ("ws", errno.EDQUOT),
    ("ws", errno.EROFS),
)
"""Calls by the letters of `tests/whole/faulty_disk.c`, and how they fail."""

Attempt: TypeAlias = Callable[[], None]


def run(scale: float, progress: Progress) -> Result:
    """Prove that a failing disk loses nothing and leaves nothing half-done."""
    points = scaled(POINTS, scale)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        troubles = list(_troubles(folder, least=scale < 1))
        violations = [told for told in map(_tried, troubles) if told]
        campaign = Campaign(folder / "points", compiled(folder), Random(0))  # noqa: S311 - moments
        violations += filter(None, [_tried(lambda: campaign.run(points, progress))])
    return Result(
        tried="a disk that fails as a whole, and at single writes and syncs of concurrent commits",
        counts={
            "whole troubles": len(troubles),
            "points": points,
            "failed calls": campaign.failed,
            "refused requests": campaign.refused,
            "kills while it failed": campaign.kills,
        },
        violations=tuple(violations[:SHOWN]),
        notes=() if _may_mount() else ("no full file system was tried: that needs root",),
    )


def _tried(attempt: Attempt) -> str:
    """Return why an attempt failed, or nothing."""
    try:
        attempt()
    except AssertionError:
        return traceback.format_exc()
    return ""


def _troubles(folder: Path, *, least: bool) -> Iterator[Attempt]:
    disk = make_faulty_disk(folder)
    for number, (calls, error) in enumerate(TROUBLES[:1] if least else TROUBLES):
        gateway = _gateway(folder / f"whole-{number}")
        gateway.environment = {**gateway.environment, **disk.environment(gateway.database)}
        yield _serving(gateway, disk.failing(calls, error))
    if _may_mount() and not least:
        yield lambda: _on_a_full_file_system(folder / "full")


def _serving(gateway: RunningGateway, trouble: AbstractContextManager[None]) -> Attempt:
    def attempt() -> None:
        with gateway:
            prove(gateway, trouble)

    return attempt


def _on_a_full_file_system(folder: Path) -> None:
    gateway = _gateway(folder)
    with file_system(folder / "small", "4m") as small:
        gateway.database.symlink_to(small / gateway.database.name)
        with gateway:
            prove(gateway, filled(small))


def _gateway(folder: Path) -> RunningGateway:
    folder.mkdir()
    return RunningGateway.of_contract(folder, OWN)


def _may_mount() -> bool:
    return sys.platform == "linux" and os.geteuid() == 0


@define
class Campaign:
    """Single calls that fail, one point after the other, on one gateway."""

    folder: Path
    shim: Path
    chance: Random
    failed: int = 0
    refused: int = 0
    kills: int = 0
    writers: Sequence[Writer] = field(factory=lambda: crowd(1, WRITERS))

    def run(self, points: int, progress: Progress) -> None:
        """Fail at so many points; raises AssertionError if anything is lost or half-done."""
        gateway = _gateway(self.folder)
        with Orders.at(self.folder / "orders") as orders:
            ordered = failing(self.shim, gateway.database, self.folder / "orders")
            gateway.environment = {**gateway.environment, **ordered}
            with gateway:
                for point in range(1, points + 1):
                    self._fail(gateway, orders, kill=point % KILL_EVERY == 0)
                    progress(point, points)
                assert gateway.stop() == 0, gateway.logs[-2000:]
            self.failed = orders.failed
        self._check(gateway)

    def _fail(self, gateway: RunningGateway, orders: Orders, *, kill: bool) -> None:
        with orders.given(self._order()):
            self._ask_all(gateway)
            if kill:
                gateway.kill()
        if kill:
            self.kills += 1
            gateway.start()
        for answer in self._ask_all(gateway):
            raise AssertionError(f"no service after the trouble: {answer}")

    def _order(self) -> Order:
        writes = self.chance.random() < 0.7
        return Order(
            after=self.chance.randint(0, FURTHEST),
            times=self.chance.choice([1, 2, 1_000]),
            error=self.chance.choice([errno.EIO, errno.ENOSPC]),
            writes=writes,
            syncs=not writes or self.chance.random() < 0.5,
        )

    def _ask_all(self, gateway: RunningGateway) -> Sequence[Answer]:
        """Let all writers ask at once for what they wait for, and return the refusals."""
        with ThreadPoolExecutor(len(self.writers)) as pool:
            list(pool.map(lambda writer: _ask(writer, gateway), self.writers))
        refusals = [answer for writer in self.writers for answer in writer.faults]
        for writer in self.writers:
            writer.faults.clear()
        for answer in refusals:
            assert (answer.status, answer.document["code"]) == (503, "persist_failed"), answer
            assert int(answer.headers["retry-after"]) > 0, answer
        self.refused += len(refusals)
        return refusals

    def _check(self, gateway: RunningGateway) -> None:
        told = [entry for writer in self.writers for entry in writer.acknowledged]
        assert_holds_exactly(gateway.database, told)
        assert_nothing_to_rebuild(gateway.database)
        assert "Traceback" not in gateway.logs


def _ask(writer: Writer, gateway: RunningGateway) -> None:
    with Caller(gateway.place) as caller:
        writer.ask(caller)
