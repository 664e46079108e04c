"""`taskflow audit export`: events taken away as one file, whole or not at all."""

from __future__ import annotations

from enum import StrEnum
from functools import partial
from pathlib import Path
from typing import Final, assert_never

from attrs import asdict, frozen

from adapters.cli.command import ShardScope, StoreCommand
from adapters.cli.dependencies import CommandError, Dependencies, WriteEvents
from adapters.cli.exits import Exit, exit_codes
from adapters.cli.help_text import STORE_TROUBLE, HelpPage
from adapters.cli.options import (
    OptionGroup,
    argument,
    checkpoints_option,
    flag,
    json_flag,
    option,
    public_keys_option,
    time_option,
)
from adapters.cli.output import Output, WrittenFile, measured
from adapters.cli.parser import one_of, positive_number, uri_reference
from adapters.cli.progress import progress_on
from adapters.cli.terminal import Terminal
from adapters.presentation.printable import counted
from domain.flow.ids import FlowId, Owner
from domain.flow.values import Timestamp
from domain.history.audit_log import AuditLog
from domain.history.selection import Selection

PAGE: Final = HelpPage(
    name="export",
    help="take events away as one file",
    description="""\
Writes events to one file, in the order of the log:

  ndjson       one JSON object a line, with the names of the HTTP API
  cloudevents  one CloudEvent 1.0 a line, in its JSON format
  pack         an evidence pack: a ZIP of the events, the signed checkpoints,
               what proves one by the other, and a verifier that needs nothing
               but Python. It ends with the last checkpoint.

The same events give the same bytes, whenever and wherever they are exported.
The file appears when it is whole, and only its owner can read it. FILE `-` is
standard output; a device or a pipe is written to as it is.""",
    examples="""\
  taskflow audit export events.ndjson --config gateway.json5
  taskflow audit export - --config gateway.json5 --owner agent:main:main | jq .
  taskflow audit export november.ndjson --config gateway.json5 \\
      --format cloudevents --since 2026-11-01 --until 2026-12-01
  taskflow audit export flow.zip --config gateway.json5 --format pack \\
      --flow 2f1d7b6e-5d6f-4b6f-8a43-0d6d2a9c1f00""",
    codes=exit_codes(
        done="written, even if no event was selected",
        trouble=f"""{STORE_TROUBLE},
     no such flow or position, or FILE exists; for a pack also: no checkpoint
     covers the range, or the log is not what was signed""",
    ),
)

WHICH_EVENTS: Final = OptionGroup(
    "which events", "All that are given must hold; without any, the whole log is written."
)
STANDARD_OUTPUT: Final = Path("-")


class ExportFormat(StrEnum):
    """The forms in which events are taken away."""

    NDJSON = "ndjson"
    CLOUD_EVENTS = "cloudevents"
    PACK = "pack"


@frozen(kw_only=True)
class ExportEvents(StoreCommand):
    """Take some events away."""

    page = PAGE
    scope = ShardScope.EACH

    file: Path = argument("FILE", "what to write, or -", read=Path)
    format: ExportFormat = option(
        "FORMAT",
        f"one of {', '.join(ExportFormat)} (default: {ExportFormat.NDJSON})",
        read=one_of(ExportFormat),
        default=ExportFormat.NDJSON,
    )
    from_position: int | None = option(
        "N", "the first position", name="--from", read=positive_number, group=WHICH_EVENTS
    )
    to_position: int | None = option(
        "N", "the last position", name="--to", read=positive_number, group=WHICH_EVENTS
    )
    flow: FlowId | None = option("FLOW", "only events of this flow", group=WHICH_EVENTS)
    owner: Owner | None = option(
        "KEY", "only events of flows of this session key", group=WHICH_EVENTS
    )
    since: Timestamp | None = time_option("only events from this time on", WHICH_EVENTS)
    until: Timestamp | None = time_option("only events before this time", WHICH_EVENTS)
    source: str = option(
        "URI",
        "what CloudEvents name as their source (default: /taskflow)",
        read=uri_reference,
        default="/taskflow",
    )
    checkpoints: Path | None = checkpoints_option()
    public_keys: tuple[str, ...] = public_keys_option()
    force: bool = flag("replace FILE if it is a regular file")
    json: bool = json_flag()

    def run(self, given: Dependencies, terminal: Terminal) -> Exit:
        """Write them, and say what was written."""
        output = self._output(given)
        self._refuse_early(output, terminal)
        with (
            given.open_audit_log(self.config, self.database) as audit_log,
            progress_on(terminal.err, "exporting") as progress,
        ):
            write, last = self._form(given, audit_log)
            selection = _in_store(self._selection(last), audit_log)
            if output is None:
                write(audit_log, selection, terminal.out.buffer, progress=progress)
                return Exit.DONE
            with output.opened() as sink:
                count = write(audit_log, selection, sink, progress=progress)
                written = measured(self.file, sink, count)
            uncovered = self._uncovered(last, audit_log)
        if not output.is_standard:
            self._report(written, uncovered, terminal)
        return Exit.DONE

    def _output(self, given: Dependencies) -> Output | None:
        """Return the file that is to be written, or None for standard output."""
        if self.file == STANDARD_OUTPUT:
            return None
        own = given.own_files(self.config, self.database, self.checkpoints)
        return Output(path=self.file, own=own, force=self.force)

    def _refuse_early(self, output: Output | None, terminal: Terminal) -> None:
        if output is not None:
            output.check()
        elif self.format is ExportFormat.PACK:
            raise CommandError("a pack is an archive: name a file")
        if terminal.out.isatty() if output is None else output.is_terminal:
            # APPSEC: texts of callers stand there as they are, and could play tricks on a terminal.
            which = "standard output" if output is None else str(self.file)
            raise CommandError(f"{which} is a terminal: name a file, or pipe it on")

    def _form(self, given: Dependencies, audit_log: AuditLog) -> tuple[WriteEvents, int]:
        """Return who writes the events, and the last position that can be written."""
        match self.format:
            case ExportFormat.NDJSON:
                return given.exports.ndjson, audit_log.size()
            case ExportFormat.CLOUD_EVENTS:
                return partial(given.exports.cloud_events, source=self.source), audit_log.size()
            case ExportFormat.PACK:
                packer = given.proving.packer(
                    config=self.config, file=self.checkpoints, public_keys=self.public_keys
                )
                return packer.write, packer.covered(audit_log)
            case _:
                assert_never(self.format)

    def _selection(self, last: int) -> Selection:
        return Selection(
            first=self.from_position or 1,
            last=self.to_position or last,
            flow_id=self.flow,
            owner=self.owner,
            since=self.since,
            until=self.until,
        )

    def _uncovered(self, last: int, audit_log: AuditLog) -> int:
        """Return how many events a pack of all that can be packed leaves out."""
        is_open = self.format is ExportFormat.PACK and self.to_position is None
        return audit_log.size() - last if is_open else 0

    def _report(self, written: WrittenFile, uncovered: int, terminal: Terminal) -> None:
        if self.json:
            counts = {"events": written.events, "uncovered": uncovered}
            terminal.dump({**counts, **asdict(written)})
            return
        written.show(terminal)
        if uncovered:
            left = f"Left out: {counted(uncovered, 'later event')} that no checkpoint covers yet"
            terminal.say(f"{left} (see taskflow audit checkpoint)")


def _in_store(selection: Selection, audit_log: AuditLog) -> Selection:
    """Return a selection, if a store has what it names.

    Raises:
        CommandError: if it has no such position, or no such flow.
    """
    first, last, size = selection.first, selection.last, audit_log.size()
    if size == 0:
        raise CommandError("the store has no events")
    if max(first, last) > size:
        log = f"the log has {counted(size, 'event')}"
        raise CommandError(f"there is no position {max(first, last)}: {log}")
    if first > last:
        raise CommandError(f"no position lies between {first} and {last}")
    if selection.flow_id is not None and not audit_log.stream(selection.flow_id):
        raise CommandError(f"there is no flow {selection.flow_id}")
    return selection
