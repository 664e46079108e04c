"""What the pages need from outside; `app.py` hands it over."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from attrs import frozen

from domain.audit.evidence import Evidence
from domain.audit.refused_calls import Refusals
from domain.ports import Clock, NewId


@frozen(kw_only=True)
class Collaborators:
    """The evidence, what was refused, who may see it, and what is told of each request.

    `admits` decides on a user and a password, both bytes decoded as Latin-1. `client_of` returns
    the address of a client from its socket's and from `X-Forwarded-For`. `seconds` never steps
    back. `log_request` takes the fields of one line for each request; `log_fault` takes a
    request's id and what went wrong behind an answer of 500 or 503.
    """

    evidence: Evidence
    refusals: Refusals
    admits: Callable[[str, str], bool]
    client_of: Callable[[str, str], str]
    now: Clock
    seconds: Callable[[], float]
    new_id: NewId
    log_request: Callable[[Mapping[str, object]], None]
    log_fault: Callable[[str, BaseException], None]
