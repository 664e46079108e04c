"""`taskflow audit prove`: the proof that the log has one event."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Final

from attrs import frozen

from adapters.cli.audit.checkpoint_text import checkpoint_line
from adapters.cli.audit.timeline import FLOW_TROUBLE, POINTS, read_history, step_of
from adapters.cli.command import ShardScope, StoreCommand
from adapters.cli.dependencies import CommandError, Dependencies
from adapters.cli.exits import Exit, exit_codes
from adapters.cli.help_text import HelpPage
from adapters.cli.options import (
    argument,
    checkpoints_option,
    flag,
    flow_argument,
    option,
    public_keys_option,
)
from adapters.cli.output import Output
from adapters.cli.parser import point
from adapters.cli.progress import progress_on
from adapters.cli.terminal import Terminal
from domain.flow.ids import FlowId
from domain.history.as_of import AtVersion, Point
from domain.history.audit_log import AuditLog, LogEntry
from domain.tlog.proofs import Proof, ProofResult

PAGE: Final = HelpPage(
    name="prove",
    help="write the proof that the log has one event",
    description=f"""\
Writes a JSON document that proves to anybody with the public key that an event
stands in the log, to the byte and at its place: the event, its audit path
(RFC 9162), and the last signed checkpoint that covers it. With --held also
that this checkpoint continues one that somebody kept. See verify-proof.

{POINTS}""",
    examples="""\
  taskflow audit prove 2f1d7b6e-5d6f-4b6f-8a43-0d6d2a9c1f00 7 \\
      --config gateway.json5 --out proof.json
  taskflow audit prove 2f1d7b6e-5d6f-4b6f-8a43-0d6d2a9c1f00 r3 \\
      --database sqlite:///copy.db --checkpoints taskflow.checkpoints \\
      --public-key "$KEY\"""",
    codes=exit_codes(
        done="written",
        findings="the log no longer leads to that checkpoint: see verify",
        trouble=f"{FLOW_TROUBLE},\n     no checkpoint covers the event yet, or FILE exists",
    ),
)


@frozen(kw_only=True)
class ProveEvent(StoreCommand):
    """Prove an event."""

    page = PAGE
    scope = ShardScope.FLOW

    flow: FlowId = flow_argument()
    point: Point = argument("VERSION", "which of its events", read=point)
    checkpoints: Path | None = checkpoints_option()
    public_keys: tuple[str, ...] = public_keys_option()
    held: Path | None = option(
        "FILE",
        "checkpoints that somebody kept: prove that the log continues their\nlast one too",
        read=Path,
    )
    out: Path | None = option("FILE", "where the proof goes (default: standard output)", read=Path)
    force: bool = flag("replace FILE if it is a regular file")

    def run(self, given: Dependencies, terminal: Terminal) -> Exit:
        """Write the proof, if there is one."""
        output = self._output(given)
        if output is not None:
            output.check()
        prover = given.proving.prover(
            config=self.config,
            file=self.checkpoints,
            public_keys=self.public_keys,
            held=self.held,
        )
        with (
            given.open_audit_log(self.config, self.database) as audit_log,
            progress_on(terminal.err, "hashing") as progress,
        ):
            verdict = prover(audit_log, _entry(audit_log, self.flow, self.point), progress)
        if verdict.reason is not None:
            terminal.complain(f"not proven: {verdict.reason}: see taskflow audit verify")
            return Exit.FINDINGS
        document = given.proving.document(verdict.proof)
        if output is None or output.is_standard:
            terminal.dump(document)
            return Exit.DONE
        with output.opened() as file:
            file.write(f"{json.dumps(document, indent=2)}\n".encode())
        self._report(verdict, terminal)
        return Exit.DONE

    def _output(self, given: Dependencies) -> Output | None:
        """Return the file that is to be written, or None for standard output."""
        if self.out is None:
            return None
        own = given.own_files(self.config, self.database, self.checkpoints)
        held = {} if self.held is None else {self.held: "the file of checkpoints that is held"}
        return Output(path=self.out, own={**own, **held}, force=self.force)

    def _report(self, verdict: ProofResult, terminal: Terminal) -> None:
        terminal.say(f"Wrote {self.out}: {_event_text(verdict.proof)}")
        if verdict.checkpoint is not None:
            terminal.say(f"Proven by the checkpoint of {checkpoint_line(verdict.checkpoint)}")


def _event_text(proof: Proof) -> str:
    entry = proof.entry
    return f"version {entry.version} of flow {entry.flow_id}, position {entry.position:,}"


def _entry(audit_log: AuditLog, flow_id: FlowId, at: Point) -> LogEntry:
    """Return the event of a flow that a point means, unread if it is a version."""
    version = at.version if isinstance(at, AtVersion) else None
    if version is None:
        version = step_of(read_history(audit_log, flow_id), at).record.version
    stream = audit_log.stream(flow_id)
    if not stream:
        raise CommandError(f"there is no flow {flow_id}")
    found = next((entry for entry in stream if entry.version == version), None)
    if found is None:
        raise CommandError(f"flow {flow_id} has no version {version}: it has {len(stream)}")
    return found
