"""What an auditor sees of a configuration that changed: fields, key ids and digests, no secret."""

from __future__ import annotations

import hashlib
import re
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from adapters.audit.keys import Signer
from adapters.store import read_configurations
from domain.history.configuration import Cause, ConfigurationChange, FieldChange
from tests.whole.reloadable import NEW, OLD, OWNER, Reloadable, document, route
from tests.whole.vitals import eventually

PLAIN = document({"zapier": route()})
DIGEST = re.compile(r"scrypt:[0-9a-f]{32}")


@pytest.fixture
def made(tmp_path: Path) -> Reloadable:
    return Reloadable.in_folder(tmp_path, PLAIN)


@pytest.fixture
def running(made: Reloadable) -> Iterator[Reloadable]:
    with made.gateway:
        yield made


def entries(made: Reloadable, count: int) -> list[ConfigurationChange]:
    """Return so many changes, the newest first, as soon as there are as many."""

    def found() -> list[ConfigurationChange]:
        return list(read_configurations(made.url).page(limit=1000).changes)

    eventually(lambda: len(found()) >= count, f"{count} changes are recorded")
    assert len(found()) == count
    return found()


def changes(entry: ConfigurationChange) -> dict[str, tuple[str | None, str | None]]:
    return {change.field: (change.before, change.after) for change in entry.changes}


def test_the_first_start_records_the_whole_configuration(running: Reloadable) -> None:
    (first,) = entries(running, 1)
    assert (first.number, first.cause, first.pid) == (1, Cause.START, running.gateway.pid)
    recorded = changes(first)
    assert recorded["routes.zapier.path"] == (None, "/plugins/webhooks/zapier")
    assert recorded["routes.zapier.sessionKey"] == (None, OWNER)
    assert recorded["routes.zapier.limits.inFlight"] == (None, "8")
    assert recorded["taskflow.limits.trackedKeys"] == (None, "4096")
    digest = recorded["routes.zapier.keys.old"][1]
    assert digest is not None
    assert DIGEST.fullmatch(digest)


def test_a_reload_records_what_changed(running: Reloadable) -> None:
    times = {"secret": OLD, "notAfter": "2099-12-01T01:00:00+01:00"}
    running.reloaded(document({"zapier": route(secrets={"old": times, "new": NEW})}))
    running.reloaded()  # nothing has changed, so that nothing is recorded
    running.reloaded(document({"zapier": route(secrets={"new": OLD}, path="/elsewhere")}))
    third, second, first = entries(running, 3)
    assert {second.cause, third.cause} == {Cause.RELOAD}
    old = changes(first)["routes.zapier.keys.old"][1]
    new = changes(second)["routes.zapier.keys.new"][1]
    assert second.changes == [
        FieldChange("routes.zapier.keys.new", None, new),
        FieldChange("routes.zapier.keys.old.notAfter", None, "2099-12-01T00:00:00.000Z"),
    ]
    assert changes(third) == {
        "routes.zapier.keys.new": (new, old),
        "routes.zapier.keys.old": (old, None),
        "routes.zapier.keys.old.notAfter": ("2099-12-01T00:00:00.000Z", None),
        "routes.zapier.path": ("/plugins/webhooks/zapier", "/elsewhere"),
    }


def test_every_setting_but_those_of_the_pages_is_recorded(tmp_path: Path) -> None:
    old, older = (str(Signer.generate("flows.example").verifier) for _ in range(2))
    shared = {"url": "redis://127.0.0.1:1", "password": "the-password-of-the-counts"}
    taskflow = {
        "server": {"coreDumps": True, "admin": {"port": 0}},
        "limits": {"shared": {**shared, "whileGone": "refuse"}},
        "audit": {"previousKeys": [old, older]},
    }
    made = Reloadable.in_folder(tmp_path, document({}, taskflow=taskflow))
    with made.gateway:
        (first,) = entries(made, 1)
        made.reloaded(document({}, taskflow={**taskflow, "audit": {"previousKeys": [older]}}))
        second, _ = entries(made, 2)
    recorded = {field: after for field, (_, after) in changes(first).items()}
    assert recorded["taskflow.server.coreDumps"] == "True"
    assert recorded["taskflow.server.admin.port"] == "0"
    assert recorded["taskflow.limits.shared.whileGone"] == "refuse"
    assert recorded["taskflow.limits.shared.password"] == "inline"
    assert changes(second) == {"taskflow.audit.previousKeys": (f"{old}, {older}", older)}


def test_a_refused_reload_records_nothing(running: Reloadable) -> None:
    entries(running, 1)
    running.refused("{")
    running.refused(document({"zapier": route(secrets={"new": "${NOWHERE_TO_BE_FOUND}"})}))
    running.reloaded(document({"zapier": route(secrets={"new": NEW})}))
    assert len(entries(running, 2)) == 2


def test_a_start_records_what_changed_since_the_last(made: Reloadable) -> None:
    with made.gateway:
        entries(made, 1)
    with made.gateway:  # as it was
        entries(made, 1)
        made.write(document({"zapier": route(secrets={"old": NEW})}))
        made.gateway.kill()
    with made.gateway:
        second, first = entries(made, 2)
    assert second.cause is Cause.START
    old = changes(first)["routes.zapier.keys.old"][1]
    assert changes(second).keys() == {"routes.zapier.keys.old"}
    assert changes(second)["routes.zapier.keys.old"][0] == old


def test_digests_are_of_one_store_and_one_route(tmp_path: Path) -> None:
    digests = set()
    for name in ("a", "b"):
        folder = tmp_path / name
        folder.mkdir()
        made = Reloadable.in_folder(folder, document({"x": route(), "y": route(path="/y")}))
        with made.gateway:
            (first,) = entries(made, 1)
        digests |= {changes(first)[f"routes.{one}.keys.old"][1] for one in ("x", "y")}
    assert len(digests) == 4


def test_no_file_beside_the_store_has_a_secret_or_a_fast_digest_of_one(
    running: Reloadable,
) -> None:
    running.reloaded(document({"zapier": route(secrets={"new": NEW})}))
    entries(running, 2)
    for file in running.gateway.folder.glob("taskflow.db*"):
        octets = file.read_bytes()
        for secret in (OLD, NEW):
            assert secret.encode() not in octets
            assert hashlib.sha256(secret.encode()).hexdigest().encode() not in octets
            assert hashlib.sha256(secret.encode()).digest() not in octets


def test_what_cannot_be_written_now_is_written_later(running: Reloadable) -> None:
    entries(running, 1)
    refusals = running.gateway.database.with_name("taskflow.db.refusals")
    with closing(sqlite3.connect(refusals, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        running.reloaded(document({"zapier": route(secrets={"new": NEW})}))
        assert running.statuses(OLD, NEW) == [401, 200]
        failed = "ERROR configuration not recorded"
        eventually(lambda: failed in running.gateway.logs, "the fault is logged")
        other.execute("ROLLBACK")
    entries(running, 2)
    assert running.gateway.logs.count(failed) == 1
