"""Reading the settings again while a gateway runs: all that is right, or nothing of it."""

from __future__ import annotations

import fcntl
import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from adapters.store import read_refusals
from domain.history.refused_requests import Wanted
from tests.contract.wire_client import Address, HeldRequest, Outgoing, Wire
from tests.whole.callers import Caller, Door
from tests.whole.gateway import ROOT
from tests.whole.reloadable import NEW, OLD, Reloadable, document, lines, route
from tests.whole.vitals import eventually

OTHER = "a-secret-of-another-route"
PLAIN = document({"zapier": route()})


@pytest.fixture
def running(tmp_path: Path) -> Iterator[Reloadable]:
    made = Reloadable.in_folder(tmp_path, PLAIN)
    with made.gateway:
        yield made


def hold(running: Reloadable, secret: str = OLD) -> HeldRequest:
    """Send the head of a request; its body follows when it is finished."""
    body = json.dumps({"action": "create_flow", "goal": "held"}).encode()
    headers = (("Authorization", f"Bearer {secret}"), ("Content-Type", "application/json"))
    outgoing = Outgoing("POST", "/plugins/webhooks/zapier", headers, body, declared=len(body))
    place = running.gateway.place
    held = Wire(Address(place.host, place.port)).hold(outgoing)
    assert running.ask(secret).status == 200  # so its head, sent before, has been read
    return held


def test_keys_and_routes_are_swapped_as_one(running: Reloadable) -> None:
    assert running.statuses(OLD, NEW) == [200, 401]
    both = document(
        {
            "zapier": route(secrets={"old": OLD, "new": NEW}),
            "n8n": route(secrets={"only": OTHER}),
        }
    )
    assert running.reloaded(both) == "2 routes served"
    assert running.statuses(OLD, NEW) == [200, 200]
    assert running.statuses(OTHER, name="n8n") == [200]
    running.reloaded(document({"zapier": route(secrets={"new": NEW})}))
    assert running.statuses(OLD, NEW) == [401, 200]
    assert running.statuses(OTHER, name="n8n") == [404]


def test_the_command_says_how_it_went(running: Reloadable) -> None:
    done = running.command()
    said = f"Reloaded by pid {running.gateway.pid}: 1 route served.\n"
    assert (done.returncode, done.stdout, done.stderr) == (0, said, "")
    running.write("{")
    done = running.command()
    assert (done.returncode, done.stdout) == (1, "")
    pid = running.gateway.pid
    assert done.stderr.startswith(f"taskflow: refused by pid {pid}, nothing has changed: ")


def test_a_hangup_reloads(running: Reloadable) -> None:
    running.write(document({"zapier": route(secrets={"new": NEW})}))
    running.gateway.process.send_signal(signal.SIGHUP)
    eventually(lambda: running.statuses(NEW) == [200], "the new key is accepted")
    eventually(lambda: " INFO reloaded routes=1\n" in running.gateway.logs, "it is logged")
    assert " INFO reloading signal=SIGHUP times=1\n" in running.gateway.logs


def test_a_request_in_flight_keeps_the_route_that_admitted_it(running: Reloadable) -> None:
    held = hold(running)
    running.reloaded(document({"n8n": route(secrets={"only": OTHER})}))
    assert running.statuses(OLD) == [404]
    answer = held.finish()
    assert (answer.status, json.loads(answer.body)["routeId"]) == (200, "zapier")


def test_a_budget_that_is_used_up_stays_so(running: Reloadable) -> None:
    tight = {"limits": {"rateRequests": 2, "rateWindowSeconds": 3600}}
    running.reloaded(document({"zapier": route(**tight)}))
    assert running.statuses(OLD, OLD, OLD) == [200, 200, 429]
    running.reloaded(document({"zapier": route(**tight, secrets={"new": NEW})}))
    assert running.statuses(NEW) == [429]


def test_places_in_flight_are_neither_lost_nor_forgotten(running: Reloadable) -> None:
    one = {"limits": {"inFlight": 2}}
    running.reloaded(document({"zapier": route(**one)}))
    held = [hold(running)]
    running.reloaded(document({"zapier": route(limits={"inFlight": 1})}))
    assert running.statuses(OLD) == [429]
    assert held[0].finish().status == 200
    assert running.statuses(OLD, OLD) == [200, 200]


def test_larger_bodies_pass_on_a_connection_that_is_open(tmp_path: Path) -> None:
    goal = "g" * 2000
    small = document({"zapier": route()}, taskflow={"limits": {"bodyBytes": 1000}})
    made = Reloadable.in_folder(tmp_path, small)
    with made.gateway, Caller(made.gateway.place, Door(secret=OLD)) as caller:
        assert caller.act("list_flows").status == 200
        made.reloaded(PLAIN)
        assert caller.act("create_flow", goal=goal).status == 200
        made.reloaded(small)
        assert caller.act("create_flow", goal=goal).status == 413


BROKEN = {
    "a syntax fault": "{plugins: {entries: ",
    "an empty file": "",
    "an unknown key": document({"zapier": route(sekret=NEW)}),
    "two routes with one path": document(
        {"zapier": route(), "b": route(path="/plugins/webhooks/zapier")}
    ),
    "an include that is missing": {"plugins": {"$include": "./missing.json5"}},
    "a secret that is missing": document(
        {"zapier": route(secrets={"new": "${NOWHERE_TO_BE_FOUND}"})}
    ),
    "one of two secrets missing": document(
        {"zapier": route(secrets={"old": OLD, "new": "${NOWHERE_TO_BE_FOUND}"})}
    ),
    "a new route without its secret": document(
        {"zapier": route(), "b": route(secrets={"new": "${NOWHERE_TO_BE_FOUND}"})}
    ),
    "a placeholder": document({"zapier": route(secrets={"new": "{{SECRET}}"})}),
    "times that never are": document(
        {"zapier": route(secrets={"a": {"secret": NEW, "notAfter": "tomorrow"}})}
    ),
    "checkpoints in the store": document(
        {"zapier": route()}, taskflow={"audit": {"checkpoints": "taskflow.db"}}
    ),
    "a key that signs nothing": document(
        {"zapier": route()}, taskflow={"audit": {"key": "${NOWHERE_TO_BE_FOUND}"}}
    ),
}


def refusals_of(running: Reloadable) -> int:
    return len(lines(running.gateway.logs, "ERROR reload refused"))


def test_what_is_wrong_changes_nothing_and_is_said_in_one_line(running: Reloadable) -> None:
    for broken in BROKEN.values():
        said = running.refused(broken)
        assert len(said.splitlines()) == 1
        assert running.statuses(OLD, NEW) == [200, 401], said
        assert OLD not in said
        assert NEW not in said
    eventually(lambda: refusals_of(running) == len(BROKEN), "each refusal is logged, once")
    assert OLD not in running.gateway.logs
    assert NEW not in running.gateway.logs
    running.reloaded(document({"zapier": route(secrets={"new": NEW})}))
    assert running.statuses(OLD, NEW) == [401, 200]


def test_a_file_that_is_gone_changes_nothing(running: Reloadable) -> None:
    running.gateway.config.unlink()
    assert "expected a readable file, found an error: No such file" in running.refused()
    assert running.statuses(OLD) == [200]


def test_a_route_that_was_skipped_from_the_start_hinders_no_reload(tmp_path: Path) -> None:
    skipped = route(secrets={"default": "${NOWHERE_TO_BE_FOUND}"})
    made = Reloadable.in_folder(tmp_path, document({"zapier": route(), "b": skipped}))
    with made.gateway:
        made.reloaded(document({"zapier": route(secrets={"new": NEW}), "b": skipped}))
        assert made.statuses(OLD, NEW) == [401, 200]
        assert made.statuses(NEW, name="b") == [404]


def test_a_route_that_would_lose_its_last_key_is_not_skipped(tmp_path: Path) -> None:
    lacked = {"old": OLD, "new": "${NOWHERE_TO_BE_FOUND}"}
    made = Reloadable.in_folder(tmp_path, document({"zapier": route(secrets=lacked)}))
    with made.gateway:
        said = made.refused(document({"zapier": route(secrets={"new": lacked["new"]})}))
        assert "route zapier is skipped: " in said
        assert made.statuses(OLD) == [200]


def test_a_fault_is_said_on_one_line_whatever_is_in_it(tmp_path: Path) -> None:
    odd = "odd\u0000\u2028\x1b[31m"
    made = Reloadable.in_folder(tmp_path, PLAIN)
    with made.gateway:
        for _ in range(2):
            said = made.refused(document({"zapier": route(), odd: route(**{odd: 1})}))
            assert said.isprintable()
            assert said.endswith(" (and 1 more)")
        assert made.gateway.stop() == 0
        made.write(PLAIN)
        made.gateway.start()
        assert made.statuses(OLD) == [200]


def test_what_needs_a_restart_is_named_and_the_rest_is_taken(running: Reloadable) -> None:
    taskflow = {"server": {"port": 9, "threads": 3}, "audit": {"refusals": 7}}
    said = running.reloaded(document({"zapier": route(secrets={"new": NEW})}, taskflow=taskflow))
    fields = "taskflow.server.port, taskflow.server.threads, taskflow.audit.refusals"
    assert said == f"1 route served; only a restart changes {fields}"
    assert running.statuses(OLD, NEW) == [401, 200]


def test_a_change_of_what_no_reload_follows_is_named_and_nothing_else(tmp_path: Path) -> None:
    shared = {"url": "redis://127.0.0.1:1", "password": "the-password-of-the-counts"}
    made = Reloadable.in_folder(tmp_path, document({}, taskflow={"limits": {"shared": shared}}))
    only = "0 routes served; only a restart changes "
    with made.gateway:
        assert made.reloaded() == "0 routes served"
        for limits, server, named in (
            ({"shared": {**shared, "password": "another-password"}}, {}, "taskflow.limits.shared"),
            ({"shared": {**shared, "whileGone": "allow"}}, {}, "taskflow.limits.shared"),
            ({}, {}, "taskflow.limits.shared"),
            ({"shared": shared}, {"coreDumps": True}, "taskflow.server.coreDumps"),
            ({"shared": shared}, {"admin": {"port": 0}}, "taskflow.server.admin"),
        ):
            taskflow = {"limits": limits, "server": server}
            assert made.reloaded(document({}, taskflow=taskflow)) == f"{only}{named}"


def test_a_command_that_hangs_does_not_outlive_the_gateway(tmp_path: Path) -> None:
    made = Reloadable.in_folder(tmp_path, PLAIN)
    with made.gateway:
        secrets = vault(tmp_path)
        (tmp_path / "vault").write_text(f"#!/bin/sh\necho $$ > {tmp_path}/pid\nsleep 3600\n")
        ref = {"source": "exec", "provider": "vault", "id": "one"}
        made.write(document({"zapier": route(secrets={"k": ref})}, secrets=secrets))
        made.gateway.process.send_signal(signal.SIGHUP)
        pid = tmp_path / "pid"
        eventually(lambda: pid.exists() and pid.read_text().endswith("\n"), "the command hangs")
        assert made.gateway.stop() == 0
    group = int(pid.read_text())
    eventually(lambda: not _is_running(group), "the command has ended")


def _is_running(group: int) -> bool:
    try:
        os.killpg(group, 0)
    except ProcessLookupError:
        return False
    return True


def vault(folder: Path) -> dict[str, object]:
    """Write a command that hands out what stands in a file, and counts its runs."""
    command = folder / "vault"
    command.write_text(f"#!/bin/sh\ncat > /dev/null\necho >> {folder}/runs\ncat {folder}/answer\n")
    command.chmod(0o700)
    return {"providers": {"vault": {"source": "exec", "command": str(command)}}}


def hand_out(folder: Path, **values: str) -> None:
    answer = folder / "answer"
    answer.write_text(json.dumps({"protocolVersion": 1, "values": values}))


def test_a_command_runs_once_a_reload(tmp_path: Path) -> None:
    hand_out(tmp_path, one=OLD, two=OTHER)
    refs = [{"source": "exec", "provider": "vault", "id": one} for one in ("one", "two")]
    routes = {"zapier": route(secrets={"k": refs[0]}), "n8n": route(secrets={"k": refs[1]})}
    made = Reloadable.in_folder(tmp_path, document(routes, secrets=vault(tmp_path)))
    with made.gateway:
        assert (tmp_path / "runs").read_text().count("\n") == 1
        hand_out(tmp_path, one=NEW, two=OTHER)
        made.reloaded()
        assert (tmp_path / "runs").read_text().count("\n") == 2
        assert made.statuses(OLD, NEW) == [401, 200]
        hand_out(tmp_path, two=OTHER)
        made.refused()
        assert made.statuses(OLD, NEW) == [401, 200]


def test_requests_are_answered_while_a_command_takes_its_time(tmp_path: Path) -> None:
    made = Reloadable.in_folder(tmp_path, PLAIN)
    with made.gateway:
        secrets = vault(tmp_path)
        (tmp_path / "vault").write_text(
            f"#!/bin/sh\ncat > /dev/null\ntouch {tmp_path}/asked\n"
            f"until [ -e {tmp_path}/go ]; do sleep 0.05; done\ncat {tmp_path}/answer\n"
        )
        hand_out(tmp_path, one=NEW)
        ref = {"source": "exec", "provider": "vault", "id": "one"}
        made.write(document({"zapier": route(secrets={"k": ref})}, secrets=secrets))
        for _ in range(20):
            made.gateway.process.send_signal(signal.SIGHUP)
        eventually((tmp_path / "asked").exists, "the command is asked")
        assert made.statuses(OLD, NEW) == [200, 401]
        (tmp_path / "go").touch()
        eventually(lambda: made.statuses(NEW) == [200], "the new key is accepted")
        assert made.gateway.stop() == 0
    assert len(lines(made.gateway.logs, "INFO reloaded")) <= 20


def test_a_storm_of_hangups_is_a_few_reloads(running: Reloadable) -> None:
    for _ in range(1000):
        running.gateway.process.send_signal(signal.SIGHUP)
    running.reloaded()
    assert running.statuses(OLD) == [200]
    assert len(lines(running.gateway.logs, "INFO reloaded")) < 100


def test_a_reload_during_the_drain_cuts_nothing(running: Reloadable) -> None:
    held = hold(running)
    running.gateway.process.terminate()
    eventually(lambda: " INFO stopping " in running.gateway.logs, "it stops")
    running.write(document({"n8n": route(secrets={"only": OTHER})}))
    running.gateway.process.send_signal(signal.SIGHUP)
    eventually(lambda: " INFO reloading " in running.gateway.logs, "it is asked to reload")
    assert held.finish().status == 200
    assert running.gateway.process.wait(30) == 0


def test_a_store_that_is_lost_hinders_no_reload(running: Reloadable) -> None:
    running.gateway.database.rename(running.gateway.folder / "moved.db")
    eventually(lambda: "ERROR store lost" in running.gateway.logs, "the loss is noticed")
    running.reloaded(document({"zapier": route(secrets={"new": NEW})}))
    assert running.statuses(OLD, NEW) == [401, 503]


def after(seconds: float) -> str:
    return (datetime.now(UTC) + timedelta(seconds=seconds)).isoformat(timespec="milliseconds")


def test_a_key_is_refused_within_a_second_of_its_end(running: Reloadable) -> None:
    timed = {"secret": OLD, "notAfter": after(2)}
    later = {"secret": NEW, "notBefore": after(3600)}
    ample = {"limits": {"rateRequests": 1_000_000}}
    running.reloaded(document({"zapier": route(secrets={"old": timed, "new": later}, **ample)}))
    end = datetime.fromisoformat(timed["notAfter"])
    with Caller(running.gateway.place, Door(secret=OLD)) as caller:  # one connection, kept
        while True:
            sent = datetime.now(UTC)
            answer = caller.act("list_flows")
            if answer.status != 200:
                break
            assert sent < end
        assert datetime.now(UTC) >= end
    unknown = running.ask("no-secret-of-anybody-at-all")
    early = running.ask(NEW)
    for one in (answer, early):
        assert (one.status, one.body) == (unknown.status, unknown.body)
        assert one.headers.keys() == unknown.headers.keys()
    last = " key_id=new status=401 code=unauthorized reason=key_not_yet_valid "
    eventually(lambda: last in running.gateway.logs, "the reason is logged")
    assert " key_id=old status=401 code=unauthorized reason=key_expired " in running.gateway.logs
    url = running.url
    eventually(lambda: len(read_refusals(url).totals(Wanted())) == 2, "the refusals are written")
    counts = [
        (total.key_id, total.code, total.counted, total.kept, total.dropped)
        for total in read_refusals(url).totals(Wanted())
    ]
    assert counts == [("new", "key_not_yet_valid", 1, 0, 1), ("old", "key_expired", 1, 0, 1)]


def test_there_is_nobody_to_reload(tmp_path: Path) -> None:
    made = Reloadable.in_folder(tmp_path, PLAIN)
    nobody = f"taskflow: no gateway runs on sqlite:///{made.gateway.database}, as far as can be"
    assert made.command().returncode == 2
    with made.gateway:
        pass
    done = made.command()
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith(nobody)


def test_a_pid_that_went_to_another_process_is_never_signalled(tmp_path: Path) -> None:
    made = Reloadable.in_folder(tmp_path, PLAIN)
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as innocent:
        lock = made.gateway.database.with_name("taskflow.db.lock")
        lock.write_text(f"{innocent.pid}\nreload 0 ready\n")
        with lock.open() as held:
            fcntl.flock(held, fcntl.LOCK_EX)  # by somebody else: by us
            assert made.command().returncode == 2
        assert made.command().returncode == 2
        assert innocent.poll() is None
        innocent.communicate(b"\n")
    assert innocent.returncode == 0


def test_a_command_that_writes_to_the_store_is_not_signalled(tmp_path: Path) -> None:
    made = Reloadable.in_folder(tmp_path, PLAIN)
    url = f"sqlite:///{made.gateway.database}"
    writer = [sys.executable, "-m", "tests.store.writing_process", url, "hold"]
    with subprocess.Popen(  # noqa: S603 - our own module
        writer, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        process.stdout.readline()
        done = made.command()
        assert (done.returncode, process.poll()) == (2, None)
        assert f"pid {process.pid} writes to the store, but serves nothing" in done.stderr
        process.kill()


def test_a_hangup_that_is_ignored_is_said(tmp_path: Path) -> None:
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    made = Reloadable.in_folder(tmp_path, PLAIN)
    try:
        made.gateway.start()
    finally:
        signal.signal(signal.SIGHUP, before)
    with made.gateway.process:
        done = made.command()
        assert made.gateway.stop() == 0
    assert done.returncode == 2
    assert "ignores SIGHUP, as under nohup: restart it" in done.stderr


def test_the_store_of_a_broken_file_is_found(tmp_path: Path) -> None:
    store = {"taskflow": {"store": {"url": "sqlite:///taskflow.db"}}}
    made = Reloadable.in_folder(tmp_path, document({"zapier": route()}, **store))
    with made.gateway:
        config = str(made.gateway.config)
        assert made.command("--config", config).returncode == 0
        made.write(document({"zapier": route(sekret=1)}, **store))
        done = made.command("--config", config)
        assert done.returncode == 1
        assert "found an unknown key" in done.stderr
        made.write("{")
        assert made.command("--config", config).returncode == 2
