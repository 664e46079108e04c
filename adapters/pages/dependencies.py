"""What the pages need from outside."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from attrs import frozen

from domain.application.ports import Clock, Progress
from domain.flow.ids import RequestId
from domain.history.audit_log import AuditLog, LogEntry
from domain.history.refused_requests import RefusalLog
from domain.tlog.checkpoints import KnownCheckpoints
from domain.tlog.proofs import Proof, ProofResult


@frozen(kw_only=True)
class PageDependencies:
    """The audit log of a store, who may see it, and what is logged of each request.

    Attributes:
        shard: The name of the store, where there are several.
        audit_log: What the store holds.
        refusals: What callers were refused, of all stores.
        checkpoints: Returns what the log is to be compared with; raises `Unprovable`.
        prove: Proves an event; raises `Unprovable`.
        proof_document: Returns the JSON document of a proof.
        damages: What the store raises where it holds something else than we wrote; the sentences
            are for people.
        admits: Decides on a user and a password, both bytes decoded as Latin-1.
        base_path: Where the pages stand below a proxy that does not say it; `""` or `/audit`.
        trusts: Decides whether a socket's address is that of a proxy whose word is taken.
        client_of: Returns a client's address from its socket's and from `X-Forwarded-For`.
        client_key: Returns the client that an address belongs to, for whom attempts are counted.
        now: The wall clock.
        seconds: A clock that never steps back.
        new_id: Makes the ids of requests.
        log_request: Takes the fields of one line for each request.
        log_fault: Takes a request's id, and what went wrong behind an answer of 500 or 503.
    """

    shard: str = ""
    audit_log: AuditLog
    refusals: RefusalLog
    checkpoints: Callable[[], KnownCheckpoints]
    prove: Callable[[LogEntry, Progress], ProofResult]
    proof_document: Callable[[Proof], Mapping[str, object]]
    damages: tuple[type[Exception], ...]
    admits: Callable[[str, str], bool]
    base_path: str
    trusts: Callable[[str], bool]
    client_of: Callable[[str, str], str]
    client_key: Callable[[str], str]
    now: Clock
    seconds: Callable[[], float]
    new_id: Callable[[], RequestId]
    log_request: Callable[[Mapping[str, object]], None]
    log_fault: Callable[[RequestId, BaseException], None]
