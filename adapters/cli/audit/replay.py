"""`taskflow audit replay`: fold and decide everything again, and name what does not agree."""

from __future__ import annotations

from typing import Final

from attrs import frozen

from adapters.cli.audit.replay_tables import report_document, show_report
from adapters.cli.command import ShardScope, StoreCommand
from adapters.cli.dependencies import Dependencies
from adapters.cli.exits import Exit, exit_codes
from adapters.cli.help_text import STORE_TROUBLE, HelpPage
from adapters.cli.options import json_flag, option
from adapters.cli.parser import number_within
from adapters.cli.progress import progress_on
from adapters.cli.terminal import Terminal
from domain.flow.values import Timestamp
from domain.history.audit_log import AuditLog
from domain.replay.findings import ReplayReport
from domain.replay.replay_store import find_missing, stages
from domain.tlog.checkpoints import KnownCheckpoints, Unprovable

PAGE: Final = HelpPage(
    name="replay",
    help="fold and decide all flows again, and name what does not agree",
    description="""\
Folds each flow's events again, decides each step again by the published
lifecycle, and compares the results with the snapshots, the index and the
request keys. Also looks for gaps in the log and in the flows' streams, for
time running backwards, and for events that contradict what stands beside
them. A healthy store has no finding, also beside a running gateway.

Advice is no finding: flows that wait, are blocked or are to be cancelled and
had no event for long, flows that were blocked on a task that they did not
have, and snapshots that were deleted (they are a cache).

Findings and advice are all counted, and the first 1,000 of each are listed.
What was changed consistently, derived rows included, is not seen here, nor what
is missing at the end of a short copy: that takes checkpoints. With those of a
configuration, a log that is shorter than they say is a finding.""",
    examples="""\
  taskflow audit replay --config gateway.json5
  taskflow audit replay --database sqlite:///copy.db --stuck-after 30
  taskflow audit replay --database sqlite:///copy.db --json | jq .findings""",
    codes=exit_codes(
        done="everything agrees, whatever the advice",
        findings="there are findings",
        trouble=STORE_TROUBLE,
    ),
)

_DAY: Final = 86_400_000
_MOST_DAYS: Final = 36_500


@frozen(kw_only=True)
class ReplayStore(StoreCommand):
    """Replay a store; `stuck_after` is in days."""

    page = PAGE
    scope = ShardScope.EACH

    stuck_after: int = option(
        "DAYS",
        "call a flow stuck that had no event for so long (default: 7)",
        read=number_within(0, _MOST_DAYS),
        default=7,
    )
    json: bool = json_flag()

    def run(self, given: Dependencies, terminal: Terminal) -> Exit:
        """Replay it, and show what was found."""
        silent_before = given.clock() - self.stuck_after * _DAY
        checkpoints = self._checkpoints(given)  # before the log, which may grow meanwhile
        with given.open_audit_log(self.config, self.database) as audit_log:
            report = replay_log(audit_log, silent_before, terminal)
        find_missing(report, max(checkpoints.sizes, default=0))
        if self.json:
            terminal.dump(report_document(report))
        else:
            show_report(report, terminal)
        return Exit.FINDINGS if report.findings.total() else Exit.DONE

    def _checkpoints(self, given: Dependencies) -> KnownCheckpoints:
        """Return what the configuration's checkpoints say, if it has the key to read them by."""
        try:
            return given.proving.checkpoints(config=self.config, file=None, held=(), public_keys=())
        except Unprovable:
            return KnownCheckpoints()


def replay_log(audit_log: AuditLog, silent_before: Timestamp, terminal: Terminal) -> ReplayReport:
    """Replay a store, and show how far that is."""
    report = ReplayReport()
    for stage in stages(audit_log, report, silent_before):
        with progress_on(terminal.err, stage.label) as progress:
            stage.run(progress)
    return report
