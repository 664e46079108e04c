"""The proof of one event against a signed checkpoint, made when it is asked for."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Final

import falcon
from attrs import frozen
from falcon import Request, Response

from adapters.pages.dependencies import PageDependencies
from adapters.pages.flow_detail import in_words
from adapters.pages.rendering import render_page
from adapters.presentation.printable import printable, shortened
from domain.application.ports import Progress
from domain.flow.ids import FlowId
from domain.history.audit_log import AuditLog, LogEntry
from domain.tlog.checkpoints import Unprovable
from domain.tlog.leaves import entry_hash
from domain.tlog.proofs import ProofResult

PATIENCE_SECONDS: Final = 20.0
"""How long a proof may take on its own page, where no tiles stand beside the checkpoints."""

_MOST_VERSION: Final = (1 << 63) - 1

_SHOWN: Final = 20_000
"""Characters of the stored bytes that the page shows."""


class ProofTooLong(Exception):  # noqa: N818 - reads as what is said of a proof
    """A proof would need more events to be read than there is time for."""


@frozen(kw_only=True)
class ProofAttempt:
    """A proof's verdict, or the reason why there is none."""

    verdict: ProofResult | None
    reason: str | None
    took_too_long: bool = False


def attempt_proof(given: PageDependencies, entry: LogEntry, progress: Progress) -> ProofAttempt:
    """Prove an event, as long as `progress` does not raise `ProofTooLong`."""
    try:
        return ProofAttempt(verdict=given.prove(entry, progress), reason=None)
    except Unprovable as reason:
        return ProofAttempt(verdict=None, reason=str(reason))
    except ProofTooLong:
        return ProofAttempt(verdict=None, reason=None, took_too_long=True)


def at_once(_done: int, _all: int) -> None:
    """Give up a proof that is not made from the tiles, on a page that has more to show."""
    raise ProofTooLong


def within(seconds: Callable[[], float]) -> Progress:
    """Return a progress that gives up a proof after a while."""
    deadline = seconds() + PATIENCE_SECONDS

    def progress(_done: int, _all: int) -> None:
        if seconds() > deadline:
            raise ProofTooLong

    return progress


@frozen
class ProofPage:
    """`GET /proofs/<id>?at=<version>`: a proof with its verdict; `&as=json` to take it away."""

    given: PageDependencies

    def on_get(self, req: Request, resp: Response, flow_id: FlowId) -> None:
        """Show it, or send its document."""
        entry = _entry(self.given.audit_log, flow_id, _version(req))
        found = attempt_proof(self.given, entry, within(self.given.seconds))
        if req.get_param("as") == "json" and found.verdict is not None:
            resp.content_type = falcon.MEDIA_JSON
            resp.downloadable_as = f"proof-{entry.position}.json"
            document = self.given.proof_document(found.verdict.proof)
            resp.data = json.dumps(document, indent=1).encode()
            return
        resp.text = render_page(
            "proof.html",
            {
                "nav": "flows",
                "entry": entry,
                "name": in_words(entry.name),
                "found": found,
                "leaf_hash": entry_hash(entry).hex(),
                "stored": printable(entry.state[:_SHOWN].decode("utf-8", "backslashreplace")),
            },
        )

    on_head = on_get


def _version(req: Request) -> int:
    return req.get_param_as_int("at", required=True, min_value=1, max_value=_MOST_VERSION)


def _entry(audit_log: AuditLog, flow_id: FlowId, version: int) -> LogEntry:
    entry = audit_log.entry(flow_id, version)
    if entry is None:
        sentence = f"There is no version {version} of flow {shortened(flow_id, 80)}."
        raise falcon.HTTPNotFound(description=sentence)
    return entry
