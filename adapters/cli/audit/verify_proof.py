"""`taskflow audit verify-proof`: is an event proven, by the proof and the public key alone?"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from attrs import frozen
from rich.text import Text

from adapters.cli.audit.checkpoint_text import checkpoint_document, checkpoint_line
from adapters.cli.command import CliCommand
from adapters.cli.dependencies import Dependencies
from adapters.cli.exits import Exit, exit_codes
from adapters.cli.help_text import HelpPage
from adapters.cli.options import argument, json_flag, public_keys_option
from adapters.cli.tables import details
from adapters.cli.terminal import Terminal
from adapters.presentation.documents import JsonDocument
from adapters.presentation.printable import pretty_json
from domain.tlog.proofs import ProofResult

PAGE: Final = HelpPage(
    name="verify-proof",
    help="check the proof of an event, without a store",
    description="""\
Checks a proof that `prove` wrote, with nothing but the proof and the public
key of the log: that the key signed the checkpoint in it, and that the event,
to the byte, stands at its place in the tree whose root was signed; and, if the
proof says so, that this log continues an older checkpoint: compare that with
your own copy. Shows the event. That nothing has changed since is for `verify`
to say.""",
    examples="""\
  taskflow audit verify-proof proof.json --public-key "$KEY\"""",
    codes=exit_codes(
        done="the event is proven",
        findings="it is not: the event, the proof or the checkpoint was changed",
        trouble="wrong arguments, no such file, or it is no proof",
    ),
)


@frozen(kw_only=True)
class VerifyProof(CliCommand):
    """Check a proof."""

    page = PAGE

    file: Path = argument("FILE", "the proof", read=Path)
    public_keys: tuple[str, ...] = public_keys_option(required=True)
    json: bool = json_flag()

    def run(self, given: Dependencies, terminal: Terminal) -> Exit:
        """Check it, and say whether it holds."""
        verdict = given.proving.judge(self.file, self.public_keys)
        if self.json:
            terminal.dump(_document(verdict))
        else:
            _report(verdict, terminal)
        return Exit.DONE if verdict.holds else Exit.FINDINGS


def _document(verdict: ProofResult) -> JsonDocument:
    entry, checkpoint = verdict.proof.entry, verdict.checkpoint
    return {
        "proven": verdict.holds,
        "reason": verdict.reason,
        "flowId": entry.flow_id,
        "version": entry.version,
        "name": entry.name,
        "position": entry.position,
        "event": _read(entry.state),
        "checkpoint": None if checkpoint is None else checkpoint_document(checkpoint),
        "since": None if verdict.older is None else checkpoint_document(verdict.older),
    }


def _report(verdict: ProofResult, terminal: Terminal) -> None:
    if verdict.reason is not None:
        terminal.say(f"Not proven: {verdict.reason}.")
        return
    terminal.show(details("The event", _rows(verdict)))
    terminal.say("")
    terminal.say("Proven: this event stood at this place of the log when it was signed.")


def _rows(verdict: ProofResult) -> Iterator[tuple[str, str | Text]]:
    entry, checkpoint = verdict.proof.entry, verdict.checkpoint
    yield "Flow", entry.flow_id
    yield "Version", str(entry.version)
    yield "Event", entry.name
    yield "Position", f"{entry.position:,}"
    if checkpoint is not None:
        yield "Signed", checkpoint_line(checkpoint)
    if verdict.older is not None:
        yield "Continues", checkpoint_line(verdict.older)
    stored = _read(entry.state)
    # Only printable ASCII, line by line.
    yield "Stored", "not JSON" if stored is None else Text(pretty_json(json.dumps(stored)))


def _read(state: bytes) -> object:
    """Return what an event's bytes say, for people to read; None if they are not JSON."""
    try:
        return json.loads(state)
    except (ValueError, RecursionError):
        return None
