"""Signed requests over real sockets, to a gateway that is started, checked and reloaded."""

from __future__ import annotations

import json
import re
import socket
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from adapters import cli
from adapters.composition.check import check_configuration
from adapters.composition.stores import settings_of
from adapters.store import read_configurations
from domain.flow.ids import KeyId
from tests.webhooks.signing import SECRET, SENDERS, Sender, by_hand, github
from tests.whole.reloadable import OLD, OWNER, Reloadable, document, route
from tests.whole.vitals import eventually

BODY = b'{"action": "create_flow", "goal": "ship it"}'
PATIENCE = 10.0
LIMITS = {"unverifiedBodySeconds": 0.3, "unverifiedBodyBytes": 2000, "rateRequests": 10_000}


def configuration(**routes: object) -> dict[str, Any]:
    signed = {
        name: {"sessionKey": OWNER, "secret": sender.secret, "auth": sender.auth}
        for name, sender in SENDERS.items()
    }
    return document({**signed, "zapier": route(), **routes}, taskflow={"limits": LIMITS})


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Reloadable]:
    made = Reloadable.in_folder(tmp_path_factory.mktemp("signed"), configuration())
    with made.gateway:
        yield made


def octets(name: str, body: bytes, *fields: tuple[str, str], framing: str | None = None) -> bytes:
    given = [
        ("Host", "gateway"),
        ("Content-Type", "application/json"),
        *fields,
        *([("Content-Length", str(len(body)))] if framing is None else []),
    ]
    lines = [f"POST /plugins/webhooks/{name} HTTP/1.1", *(f"{one}: {is_}" for one, is_ in given)]
    return "\r\n".join([*lines, *([framing] if framing else []), "", ""]).encode() + body


def exchanged(made: Reloadable, *sent: bytes) -> tuple[int, bytes]:
    """Send bytes, read until the end of one answer, and return its status and all of it."""
    place = made.gateway.place
    with socket.create_connection((place.host, place.port), PATIENCE) as sock:
        for part in sent:
            sock.sendall(part)
        answer = b""
        while not _is_whole(answer):
            got = sock.recv(65_536)
            assert got, answer
            answer += got
    return int(answer.split(b" ", 2)[1]), answer


def _is_whole(answer: bytes) -> bool:
    head, end, body = answer.partition(b"\r\n\r\n")
    length = re.search(rb"content-length: (\d+)", head.lower())
    return bool(end) and length is not None and len(body) >= int(length[1])


@pytest.mark.parametrize("sender", SENDERS.values(), ids=SENDERS.keys())
def test_a_sender_is_known_by_its_signature_alone(running: Reloadable, sender: Sender) -> None:
    (name,) = (name for name, one in SENDERS.items() if one is sender)
    now = int(time.time())
    status, answer = exchanged(running, octets(name, BODY, *sender.sign(BODY, now)))
    assert status == 200, answer
    changed = BODY.replace(b"ship", b"shop")
    assert exchanged(running, octets(name, changed, *sender.sign(BODY, now)))[0] == 401
    if name != "github":
        early = sender.sign(BODY, now + 400)
        assert exchanged(running, octets(name, BODY, *early))[0] == 401
        assert exchanged(running, octets(name, BODY, *sender.sign(BODY, now - 400)))[0] == 401


def test_a_401_is_the_same_to_the_byte_as_that_of_a_wrong_bearer(running: Reloadable) -> None:
    bearer = ("Authorization", "Bearer no")
    answers = [
        exchanged(running, octets("zapier", BODY, bearer)),
        exchanged(running, octets("github", BODY, bearer)),
        exchanged(running, octets("github", BODY, ("X-Hub-Signature-256", "sha256=\xff"))),
        exchanged(running, octets("github", BODY, *github(b"another", 0))),
    ]
    changing = re.compile(rb"(Date|X-Request-Id): [^\r]+")
    assert {status for status, _ in answers} == {401}
    assert len({changing.sub(b"", answer) for _, answer in answers}) == 1


def test_a_stranger_is_cut_off_where_another_caller_is_not(running: Reloadable) -> None:
    long = BODY + b" " * 2000
    bearer = ("Authorization", f"Bearer {OLD}")
    assert exchanged(running, octets("zapier", long, bearer))[0] == 200
    assert exchanged(running, octets("github", long, *github(long, 0)))[0] == 413
    chunk = f"{len(long):x}\r\n".encode()
    chunked = "Transfer-Encoding: chunked"
    # The size of the chunk is enough: no byte of it is waited for.
    head = octets("github", b"", *github(long, 0), framing=chunked)
    assert exchanged(running, head, chunk)[0] == 413
    head = octets("zapier", b"", bearer, framing=chunked)
    assert exchanged(running, head, chunk, long + b"\r\n0\r\n\r\n")[0] == 200
    began = time.monotonic()
    slow = octets("github", BODY, *github(BODY, 0))[:-1]
    assert exchanged(running, slow)[0] == 408
    assert 0.3 <= time.monotonic() - began < 10  # others have 15 seconds


def test_the_log_names_the_key_and_shows_no_signature(running: Reloadable) -> None:
    exchanged(running, octets("github", BODY, *github(BODY, 0)))
    exchanged(running, octets("github", BODY, ("X-Hub-Signature-256", "sha256=0")))
    eventually(lambda: "route=github" in running.gateway.logs, "the requests are logged")
    logs = running.gateway.logs
    assert re.search(r"route=github .*key_id=default .*status=200", logs), logs
    assert by_hand(SECRET, BODY).hexdigest() not in logs
    assert SECRET not in logs


def test_a_reload_changes_schemes_and_rights(tmp_path: Path) -> None:
    made = Reloadable.in_folder(tmp_path, configuration())
    with made.gateway:
        signed = octets("github", BODY, *github(BODY, 0))
        assert exchanged(made, signed)[0] == 200
        hub = {"sessionKey": OWNER, "secret": SECRET, "auth": {"scheme": "slack"}}
        made.reloaded(configuration(github=hub))
        assert exchanged(made, signed)[0] == 401
        hub = {"sessionKey": OWNER, "secret": SECRET, "auth": {"scheme": "github"}}
        made.reloaded(configuration(github={**hub, "may": ["get_flow"]}))
        status, answer = exchanged(made, signed)
        assert (status, json.loads(answer.partition(b"\r\n\r\n")[2])["code"]) == (
            403,
            "action_not_allowed",
        )
        changes = _changes(made, 3)
    assert changes["routes.github.keys.default.auth"] == ("slack", "github")
    assert changes["routes.github.keys.default.may"] == (None, "get_flow")


def _changes(made: Reloadable, count: int) -> dict[str, tuple[str | None, str | None]]:
    def found() -> list[Any]:
        return list(read_configurations(made.url).page(limit=10).changes)

    eventually(lambda: len(found()) == count, f"{count} changes are recorded")
    return {one.field: (one.before, one.after) for one in found()[0].changes}


def test_check_shows_schemes_and_who_may_do_what(tmp_path: Path) -> None:
    hub = {"sessionKey": OWNER, "secret": SECRET, "auth": {"scheme": "github"}}
    narrow = {**hub, "may": ["create_flow", "get_flow"]}
    made = Reloadable.in_folder(tmp_path, document({"hub": narrow, "zapier": route()}))
    report = check_configuration(made.gateway.config)
    assert isinstance(report, cli.Startable)
    assert report.routes[0].key_schemes == (cli.KeyScheme(KeyId("default"), "github"),)
    assert report.routes[1].key_schemes is None
    assert report.allowed is not None
    allowed = {one.action: one.keys for one in report.allowed}
    assert allowed["create_flow"] == ("hub/default", "zapier/old")
    assert allowed["cancel_flow"] == ("zapier/old",)
    assert len(allowed) == 14
    made.write(document({"zapier": route()}))
    report = check_configuration(made.gateway.config)
    assert isinstance(report, cli.Startable)
    assert report.allowed is None
    assert settings_of(made.gateway.config).routes[0].keys[0].may is None
