"""Checks the integrity of a whole log, once at a time: replays it, and compares its checkpoints.

It reads every event, which takes a while on a large log. So no request waits for it: one starts it
in a thread of its own, and the pages show how far it is, or what the last one came to.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from threading import Lock, Thread
from typing import Final

from attrs import define, field, frozen

from domain.application.ports import Clock
from domain.flow.values import Timestamp
from domain.history.audit_log import AuditLog
from domain.replay.findings import ReplayReport
from domain.replay.replay_store import stages
from domain.tlog.checkpoints import KnownCheckpoints, Unprovable
from domain.tlog.rebuild_tree import rebuild_tree
from domain.tlog.verifying import Verified, verified

STUCK_AFTER: Final = 7 * 86_400_000
"""Milliseconds without an event after which a flow looks stuck."""


@frozen(kw_only=True)
class IntegrityReport:
    """What a check found: the replay, and the comparison or why there was none."""

    began: Timestamp
    ended: Timestamp
    report: ReplayReport
    verified: Verified | None
    unverified: str | None

    @property
    def is_healthy(self) -> bool:
        """Return whether nothing was found."""
        return not self.report.findings.total() and not (self.verified and self.verified.findings)


@frozen(kw_only=True)
class RunningCheck:
    """A check that is on its way: since when, at what, and how far."""

    began: Timestamp
    doing: str = "beginning"
    done: int = 0
    of: int = 0


@frozen
class FailedCheck:
    """When a check could not go on, and why: a clause."""

    at: Timestamp
    reason: str


@define
class IntegrityCheck:
    """Runs checks, and keeps the last report."""

    audit_log: AuditLog
    checkpoints: Callable[[], KnownCheckpoints]
    now: Clock
    damages: tuple[type[Exception], ...]
    on_fault: Callable[[BaseException], None]
    _lock: Lock = field(factory=Lock, init=False, eq=False)
    running: RunningCheck | None = field(default=None, init=False)
    last: IntegrityReport | None = field(default=None, init=False)
    broken_off: FailedCheck | None = field(default=None, init=False)

    def start(self) -> None:
        """Start a check, unless one is running."""
        with self._lock:
            if self.running is not None:
                return
            self.running = RunningCheck(began=self.now())
        Thread(target=self._run, args=(self.running.began,), name="checkup", daemon=True).start()

    def _run(self, began: Timestamp) -> None:
        try:
            self.last = self._examine(began)
            self.broken_off = None
        except self.damages as error:
            self.broken_off = FailedCheck(self.now(), f"the store is damaged: {error}")
        except Exception as error:  # noqa: BLE001 - a thread has nobody who could catch it
            self.broken_off = FailedCheck(self.now(), "the log of this program says why")
            self.on_fault(error)
        finally:
            self.running = None

    def _examine(self, began: Timestamp) -> IntegrityReport:
        report = ReplayReport()
        for stage in stages(self.audit_log, report, began - STUCK_AFTER):
            stage.run(partial(self._report, began, stage.label))
        comparison, reason = self._compare(partial(self._report, began))
        return IntegrityReport(
            began=began, ended=self.now(), report=report, verified=comparison, unverified=reason
        )

    def _compare(
        self, report: Callable[[str, int, int], object]
    ) -> tuple[Verified | None, str | None]:
        try:
            found = self.checkpoints()
        except Unprovable as reason:
            return None, str(reason)
        size = self.audit_log.size()
        log = rebuild_tree(
            self.audit_log.entries(1, size),
            found.sizes,
            lambda done: report("comparing with the checkpoints", done, size),
        )
        return verified(log, found), None

    def _report(self, began: Timestamp, doing: str, done: int, of: int, /) -> None:
        self.running = RunningCheck(began=began, doing=doing, done=done, of=of)
