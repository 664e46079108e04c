"""How often each command of the command line has secrets looked up, and which."""

from __future__ import annotations

import json
import subprocess
import sys
from argparse import ArgumentParser
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

import pytest

from adapters.audit.audit_service import AuditService
from adapters.audit.keys import Signer
from adapters.cli.commands import program
from adapters.composition.checkpoints import configured_checkpoints
from adapters.composition.stores import open_audit_log
from domain.flow.commands import CreateFlow
from domain.flow.ids import FlowId
from tests.cli.workbench import flow_id, seeding
from tests.settings.workbench import SECRET, with_routes, written
from tests.whole.gateway import ROOT, RunningGateway

SIGNER: Final = Signer.generate("flows.example")
ANSWERS: Final = {"routes": SECRET, "pages": f"{SECRET} of the pages", "key": SIGNER.secret_text()}
ALL: Final = {"routes": 1, "pages": 1, "key": 1}
KEY: Final = {"key": 1}
NONE: Final[Mapping[str, int]] = {}
FLOW: Final[FlowId] = flow_id(1)
CONFIG: Final = ("--config", "gateway.json5")
PUBLIC: Final = ("--public-key", str(SIGNER.verifier))

RUNS: Final[Mapping[str, tuple[tuple[str, ...], Mapping[str, int]]]] = {
    "check": (CONFIG, ALL),
    "explain": (("--route", "a", "--payload", "list.json", *CONFIG), NONE),
    "openapi": ((), NONE),
    "flows list": (CONFIG, NONE),
    "flows show": ((FLOW, *CONFIG), NONE),
    "flows cancel": ((FLOW, *CONFIG), NONE),
    "flows sweep": (CONFIG, NONE),
    "store backup": (("copy.db", *CONFIG), NONE),
    "store restore": (("earlier.db", *CONFIG), KEY),
    "store rebuild": (CONFIG, NONE),
    "store copy": (("--from", "sqlite:///taskflow.db", "--to", "sqlite:///copied.db"), NONE),
    "store migrate": (CONFIG, NONE),
    "audit history": ((FLOW, *CONFIG), NONE),
    "audit diff": ((FLOW, "1", "1", *CONFIG), NONE),
    "audit log": (CONFIG, NONE),
    "audit why": ((FLOW, "goal", *CONFIG), NONE),
    "audit replay": (CONFIG, KEY),
    "audit export": (("events", *CONFIG), NONE),
    "audit refusals": (CONFIG, NONE),
    "audit configuration": (CONFIG, NONE),
    "audit keygen": (("new.key", "--rotate", *CONFIG), KEY),
    "audit checkpoint": (CONFIG, KEY),
    "audit verify": (CONFIG, KEY),
    "audit prove": ((FLOW, "1", *CONFIG), KEY),
    "audit verify-proof": (("proof.json", *PUBLIC), NONE),
}
BEFORE: Final[Mapping[str, tuple[str, ...]]] = {
    "store restore": ("store", "backup", "earlier.db"),
    "audit verify-proof": ("audit", "prove", FLOW, "1", "--out", "proof.json"),
}
REFUSED: Final = ("store migrate",)
"""Has nothing to do with a file; that is found out without a secret, too."""
SERVICES: Final = ("serve", "audit serve", "reload")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return a folder with a store that was signed once, whose secrets a command hands out."""
    command = tmp_path / "vault"
    command.write_text(
        '#!/bin/sh\ncat > /dev/null\necho "$1" >> "$2/runs"\ncat "$2/$1.json"\n', encoding="utf-8"
    )
    command.chmod(0o700)
    for name, secret in ANSWERS.items():
        answer = {"protocolVersion": 1, "values": {"it": secret}}
        (tmp_path / f"{name}.json").write_text(json.dumps(answer), encoding="utf-8")
    providers = {
        name: {"source": "exec", "command": str(command), "args": [name, str(tmp_path)]}
        for name in ANSWERS
    }
    refs = {name: {"source": "exec", "provider": name, "id": "it"} for name in ANSWERS}
    routes = {
        name: {"sessionKey": "agent:main:main", "secret": refs["routes"]} for name in ("a", "b")
    }
    audit = {"pages": {"password": refs["pages"], "port": 0}, "key": refs["key"]}
    config = written(
        tmp_path,
        with_routes(routes, secrets={"providers": providers}, taskflow={"audit": audit}),
    )
    with seeding(f"sqlite:///{tmp_path}/taskflow.db") as bench:
        bench.execute(CreateFlow(controller_id="webhooks/a", goal="to be counted"))
    with open_audit_log(config, None) as audit_log:
        AuditService(configured_checkpoints).checkpoint(
            audit_log, config=config, file=None, key=None, progress=lambda *_: None
        )
    (tmp_path / "list.json").write_text('{"action": "list_flows"}', encoding="utf-8")
    (tmp_path / "runs").unlink()
    return tmp_path


def runs(folder: Path) -> Counter[str]:
    """Return how often the command was run for the secrets of each kind."""
    file = folder / "runs"
    return Counter(file.read_text(encoding="utf-8").split() if file.exists() else ())


def taskflow(folder: Path, *argv: str) -> str:
    """Run a command in a folder; return its exit code and what it complained of."""
    done = subprocess.run(  # noqa: S603 - our own program, with our own arguments
        [sys.executable, "-m", "app", *argv],
        cwd=folder,
        env={"PYTHONPATH": str(ROOT)},
        capture_output=True,
        encoding="utf-8",
        check=False,
    )
    return f"{done.returncode} {done.stderr}"


@pytest.mark.parametrize("command", RUNS)
def test_a_command_has_no_secret_looked_up_but_those_that_it_needs(
    folder: Path, command: str
) -> None:
    arguments, expected = RUNS[command]
    if command in BEFORE:
        assert taskflow(folder, *BEFORE[command], *CONFIG).startswith("0 ")
        (folder / "runs").unlink(missing_ok=True)
    said = taskflow(folder, *command.split(), *arguments)
    assert said.startswith("2 " if command in REFUSED else "0 "), said
    assert runs(folder) == expected


def test_a_gateway_looks_up_each_secret_once_and_again_at_a_reload(folder: Path) -> None:
    with RunningGateway(folder, folder / "gateway.json5") as gateway:
        gateway.wait_until(lambda: "store agrees with its last checkpoint" in gateway.logs)
        assert runs(folder) == ALL
        assert taskflow(folder, "reload", *CONFIG).startswith("0 ")
        reloaded = runs(folder)
    assert reloaded == {"routes": 2, "pages": 2, "key": 1}


def test_the_key_of_all_shards_is_looked_up_once(folder: Path) -> None:
    config = folder / "gateway.json5"
    document = json.loads(config.read_text(encoding="utf-8"))
    shards = [{"name": name, "url": f"sqlite:///{name}.db"} for name in ("north", "south")]
    document["taskflow"]["store"] = {"url": "sqlite:///taskflow.db", "shards": shards}
    config.write_text(json.dumps(document), encoding="utf-8")
    assert taskflow(folder, "check", *CONFIG).startswith("0 ")
    assert runs(folder) == ALL


def test_explain_looks_up_the_secrets_of_its_route_alone(folder: Path) -> None:
    asked = ("--route", "a", "--payload", "list.json", "--authenticate")
    assert taskflow(folder, "explain", *asked, *CONFIG).startswith("1 ")  # no secret presented
    assert runs(folder) == {"routes": 1}


def test_the_pages_look_up_their_password_alone(folder: Path) -> None:
    pages = RunningGateway(folder, folder / "gateway.json5", command=("audit", "serve"))
    with pages:
        assert runs(folder) == {"pages": 1}


def test_every_command_is_counted() -> None:
    assert set(_commands(program())) == {*RUNS, *SERVICES}


def _commands(parser: ArgumentParser, name: str = "") -> Iterator[str]:
    groups = [action.choices for action in parser._actions if action.nargs == "A..."]  # noqa: SLF001 - argparse shows its commands nowhere
    if not groups:
        yield name
    for group in groups:
        assert isinstance(group, dict)
        for word, below in group.items():
            yield from _commands(below, f"{name} {word}".strip())
