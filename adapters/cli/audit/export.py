"""`taskflow audit export`: events taken away as one file, whole or not at all."""

from __future__ import annotations

from argparse import ArgumentTypeError
from collections.abc import Iterator
from contextlib import contextmanager
from enum import StrEnum
from hashlib import file_digest
from pathlib import Path
from typing import IO, Final, assert_never

from attrs import frozen

from adapters.cli import whole_file as files
from adapters.cli.arguments import Commands, flag, json_flag, store_options
from adapters.cli.audit.ask import AuditAsk
from adapters.cli.audit.export_range import in_store, range_options
from adapters.cli.exits import Exit, exit_codes
from adapters.cli.manual import STORE_TROUBLE, Page
from adapters.cli.parser import uri_reference
from adapters.cli.printable import counted
from adapters.cli.progress import progress_on
from adapters.cli.terminal import Terminal
from adapters.cli.tools import CommandError, Progress, Tools
from domain.audit.evidence import Evidence
from domain.audit.selection import Selection
from domain.values import Timestamp

PAGE: Final = Page(
    help="take events away as one file",
    description="""\
Writes events to one file, in the order of the log:

  ndjson       one JSON object a line, with the names of the HTTP API
  cloudevents  one CloudEvent 1.0 a line, in its JSON format

The same events give the same bytes, whenever and wherever they are exported.
The file appears when it is whole, and only its owner can read it. FILE `-` is
standard output.""",
    epilog="""\
examples:
  taskflow audit export events.ndjson --config gateway.json5
  taskflow audit export - --config gateway.json5 --owner agent:main:main | jq .
  taskflow audit export november.ndjson --config gateway.json5 \\
      --format cloudevents --since 2026-11-01 --until 2026-12-01

"""
    + exit_codes(
        done="written, even if no event was meant",
        findings="not used",
        trouble=f"{STORE_TROUBLE},\n     no such flow or position, or FILE exists",
    ),
)

STANDARD_OUTPUT: Final = Path("-")


class Form(StrEnum):
    """The forms in which events are taken away."""

    NDJSON = "ndjson"
    CLOUD_EVENTS = "cloudevents"


@frozen(kw_only=True)
class Export(AuditAsk):
    """Take some events away."""

    file: Path
    format: Form
    from_position: int | None
    to_position: int | None
    flow: str | None
    owner: str | None
    since: Timestamp | None
    until: Timestamp | None
    source: str
    force: bool
    json: bool

    def do(self, tools: Tools, terminal: Terminal) -> Exit:
        """Write them, and say what was written."""
        self._refuse_early(terminal)
        with (
            tools.open_evidence(self.config, self.database) as evidence,
            progress_on(terminal.err, "exporting") as progress,
        ):
            selection = in_store(self._selection(evidence), evidence)
            with self._sink(terminal) as sink:
                count = self._write(tools, evidence, selection, sink, progress=progress)
        if self.file != STANDARD_OUTPUT:
            self._tell(count, terminal)
        return Exit.DONE

    def _refuse_early(self, terminal: Terminal) -> None:
        if self.file == STANDARD_OUTPUT:
            # APPSEC: texts of callers stand there as they are, and could play tricks on a terminal.
            if terminal.out.isatty():
                raise CommandError("standard output is a terminal: name a file, or pipe it on")
        elif not self.force and self.file.exists():
            raise files.taken(self.file)
        else:
            files.spare_database(self.file)

    def _selection(self, evidence: Evidence) -> Selection:
        return Selection(
            first=self.from_position or 1,
            last=self.to_position or evidence.size(),
            flow_id=self.flow,
            owner=self.owner,
            since=self.since,
            until=self.until,
        )

    @contextmanager
    def _sink(self, terminal: Terminal) -> Iterator[IO[bytes]]:
        if self.file == STANDARD_OUTPUT:
            yield terminal.out.buffer
            return
        settle = files.replace if self.force else files.keep
        with files.whole_file(self.file, settle) as file:
            yield file

    def _write(
        self,
        tools: Tools,
        evidence: Evidence,
        selection: Selection,
        sink: IO[bytes],
        *,
        progress: Progress,
    ) -> int:
        match self.format:
            case Form.NDJSON:
                return tools.exports.ndjson(evidence, selection, sink, progress=progress)
            case Form.CLOUD_EVENTS:
                return tools.exports.cloud_events(
                    evidence, selection, sink, source=self.source, progress=progress
                )
            case _:
                assert_never(self.format)

    def _tell(self, count: int, terminal: Terminal) -> None:
        with self.file.open("rb") as file:
            digest = file_digest(file, "sha256").hexdigest()
            size = file.tell()
        if self.json:
            named = {"file": str(self.file), "bytes": size, "sha256": digest}
            terminal.dump({"events": count, **named})
        else:
            wrote = f"{counted(count, 'event')}, {counted(size, 'byte')}"
            terminal.say(f"Wrote {self.file}: {wrote}")
            terminal.say(f"SHA-256 {digest}")


def form(text: str) -> Form:
    """Return the form that an argument names."""
    if text not in tuple(Form):
        raise ArgumentTypeError(f"expected one of {', '.join(Form)}, found {text!r}")
    return Form(text)


def add(commands: Commands) -> None:
    """Add the command."""
    parser = commands.add_ask("export", PAGE, Export)
    parser.add_argument("file", metavar="FILE", type=Path, help="what to write, or -")
    parser.add_argument(
        "--format",
        metavar="FORMAT",
        type=form,
        default=Form.NDJSON,
        help=f"one of {', '.join(Form)} (default: {Form.NDJSON})",
    )
    parser.add_argument(
        "--source",
        metavar="URI",
        type=uri_reference,
        default="/taskflow",
        help="what CloudEvents name as their source (default: /taskflow)",
    )
    range_options(parser)
    store_options(parser)
    flag(parser, "--force", "replace FILE if it exists")
    json_flag(parser)
