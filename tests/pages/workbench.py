"""The pages over a real store, asked in memory, with a clock that only moves when it is moved."""

from __future__ import annotations

import base64
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from html.parser import HTMLParser
from itertools import count
from pathlib import Path
from typing import Any, Final

from attrs import Factory, define, evolve, frozen
from falcon.testing import Result, TestClient

from adapters.pages import PageDependencies, create_pages_app
from adapters.store import StoreAuditLog, StoreFault, Undecodable, open_for_reading, read_refusals
from domain.application.ports import Progress
from domain.flow.evolve import BrokenHistory
from domain.flow.ids import RequestId
from domain.history.audit_log import AuditLog, LogEntry
from domain.history.refused_requests import RefusalLog
from domain.tlog.checkpoints import KnownCheckpoints
from domain.tlog.proofs import ProofResult
from tests.pages.seeds import DESK_OF_PROOFS, NOON, Sown

USER: Final = "auditor"
PASSWORD: Final = "correct horse battery staple"


@define(slots=False)
class Desk:
    """An auditor's desk: the pages, and what they logged."""

    audit_log: AuditLog
    refusals: RefusalLog
    checkpoints: Path
    public_key: str
    logged: list[Mapping[str, object]] = Factory(list)
    faults: list[BaseException] = Factory(list)
    seconds: float = 0.0
    _ids: Iterator[int] = Factory(lambda: count(1))

    def get(self, path: str, *, password: str | None = PASSWORD, method: str = "GET") -> Result:
        """Ask for a page."""
        address, _, query = path.partition("?")
        return TestClient(self.app).simulate_request(
            method, address, query_string=query, headers=basic(USER, password)
        )

    def page(self, path: str) -> str:
        """Return a page that is there."""
        answer = self.get(path)
        assert answer.status_code == 200, answer.text
        return answer.text

    def __attrs_post_init__(self) -> None:
        """Make the application once, so that it remembers who failed."""
        self.given = PageDependencies(
            audit_log=self.audit_log,
            refusals=self.refusals,
            checkpoints=self._checkpoints,
            prove=self._prove,
            proof_document=DESK_OF_PROOFS.document,
            damages=(StoreFault, Undecodable, BrokenHistory),
            admits=lambda user, password: (user, password) == (USER, PASSWORD),
            base_path="",
            trusts=lambda _: False,
            client_of=lambda peer, _: peer,
            client_key=lambda address: address,
            now=lambda: NOON,
            seconds=lambda: self.seconds,
            new_id=lambda: RequestId(f"page-{next(self._ids)}"),
            log_request=self.logged.append,
            log_fault=lambda _, error: self.faults.append(error),
        )
        self.app = create_pages_app(self.given)

    def rearrange(self, **given: Any) -> None:  # noqa: ANN401 - of Collaborators
        """Have the pages served with some other collaborators."""
        self.app = create_pages_app(evolve(self.given, **given))

    def _checkpoints(self) -> KnownCheckpoints:
        return DESK_OF_PROOFS.checkpoints(
            config=None, file=self.checkpoints, held=(), public_keys=(self.public_key,)
        )

    def _prove(self, entry: LogEntry, progress: Progress) -> ProofResult:
        prover = DESK_OF_PROOFS.prover(
            config=None, file=self.checkpoints, public_keys=(self.public_key,)
        )
        return prover(self.audit_log, entry, progress)


def basic(user: str, password: str | None) -> dict[str, str]:
    """Return the header that presents a user and a password; none without a password."""
    if password is None:
        return {}
    token = base64.b64encode(f"{user}:{password}".encode()).decode()
    return {"Authorization": f"Basic {token}"}


@contextmanager
def desk_over(sown: Sown) -> Iterator[Desk]:
    """Open a store to be looked at."""
    store = open_for_reading(sown.url)
    try:
        yield Desk(StoreAuditLog(store), read_refusals(sown.url), sown.checkpoints, sown.public_key)
    finally:
        store.close()


@frozen
class Seen:
    """What a reader sees of a page: its words, and where its links lead."""

    text: str
    links: tuple[str, ...]
    tags: frozenset[str]


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.words: list[str] = []
        self.links: list[str] = []
        self.tags: set[str] = set()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note an element, and where it leads."""
        self.tags.add(tag)
        self.links += [value or "" for name, value in attrs if name == "href"]

    def handle_data(self, data: str) -> None:
        """Note what is written."""
        self.words.append(data)


def seen(page: str) -> Seen:
    """Return what a reader sees of a page."""
    reader = _Reader()
    reader.feed(page)
    text = re.sub(r"\s+", " ", " ".join(reader.words))
    return Seen(text, tuple(reader.links), frozenset(reader.tags))
