"""Public tools read `docs/openapi.json`: a linter, two generators of clients, and Schemathesis."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Final

import pytest

from adapters.webhooks.idempotency import KEY_PATTERN
from tests.whole.callers import Caller, Document, Door
from tests.whole.gateway import ROOT, RunningGateway
from tests.whole.packages import NotInstallableError, npm_folder, python_folder

pytestmark = pytest.mark.full

FILE: Final = ROOT / "docs" / "openapi.json"
TOOLS: Final = Path(__file__).parent / "openapi_tools"
SECRET: Final = "a-secret-of-this-test-alone-0123456789"
CONFIG: Final[Mapping[str, object]] = {
    "plugins": {
        "entries": {
            "webhooks": {
                "enabled": True,
                "config": {
                    "routes": {"zapier": {"sessionKey": "agent:main:main", "secret": SECRET}}
                },
            }
        }
    },
    "taskflow": {"limits": {"rateRequests": 1_000_000, "inFlight": 64}},
}
PLAYED: Final = """\
create_flow 200 ok queued 0
run_task 200 ok queued 0
update_task 200 ok queued 0
set_waiting 200 ok waiting 1
resume_flow 409 revision_conflict waiting 1
resume_flow 200 ok running 2
cancel_flow 202 cancel_pending running 3
update_task 200 ok cancelled 4
get_task_summary 200 ok 1 task
finish_flow 409 terminal cancelled 4
"""
"""What `make demo` plays, as both clients print it."""


@pytest.fixture(scope="module")
def node() -> Path:
    """The commands of npm's packages."""
    return _installed(
        npm_folder,
        "@redocly/cli@2.77.0",
        "openapi-typescript@7.13.0",
        "openapi-fetch@0.17.0",
        "typescript@5.9.3",
    )


@pytest.fixture(scope="module")
def python() -> Path:
    """The commands of PyPI's packages."""
    return (
        _installed(python_folder, "schemathesis==4.32.5", "openapi-python-client==0.29.1") / "bin"
    )


@pytest.fixture
def gateway(tmp_path: Path) -> Iterator[RunningGateway]:
    """A gateway that counts no requests."""
    config = tmp_path / "gateway.json5"
    config.write_text(json.dumps(CONFIG), encoding="utf-8")
    config.chmod(0o600)
    with RunningGateway(tmp_path, config) as running:
        yield running


def test_a_public_linter_finds_nothing(node: Path) -> None:
    redocly = str(node / "node_modules" / ".bin" / "redocly")
    linted = run(redocly, "lint", str(FILE), "--extends=recommended", "--format=json")
    assert json.loads(linted)["totals"] == {"errors": 0, "warnings": 0, "ignored": 0}


def test_a_python_client_is_typed_and_plays_the_demo(
    python: Path, gateway: RunningGateway, tmp_path: Path
) -> None:
    play = shutil.copy(TOOLS / "play.py", tmp_path)
    target = ("--meta", "none", "--output-path", str(tmp_path / "taskflow_client"))
    run(python / "openapi-python-client", "generate", "--path", str(FILE), *target)
    interpreter = str(python / "python")
    mypy = (sys.executable, "-m", "mypy", "--strict", f"--config-file={os.devnull}")
    run(*mypy, "--python-executable", interpreter, play, folder=tmp_path)
    assert run(interpreter, play, gateway.url, SECRET) == PLAYED


def test_a_typescript_client_is_typed_and_plays_the_demo(
    node: Path, gateway: RunningGateway, tmp_path: Path
) -> None:
    commands = node / "node_modules" / ".bin"
    (tmp_path / "node_modules").symlink_to(node / "node_modules")
    (tmp_path / "package.json").write_text('{"type": "module"}', encoding="utf-8")
    shutil.copy(TOOLS / "play.ts", tmp_path)
    run(commands / "openapi-typescript", str(FILE), "-o", str(tmp_path / "api.d.ts"))
    modules = ("--module", "nodenext", "--target", "es2022")
    run(commands / "tsc", "--strict", *modules, "play.ts", folder=tmp_path)
    assert run("node", "play.js", gateway.url, SECRET, folder=tmp_path) == PLAYED


def test_schemathesis_finds_nothing(python: Path, gateway: RunningGateway, tmp_path: Path) -> None:
    code, report = schemathesis(python, gateway, FILE, tmp_path, "--max-examples=300")
    assert code == 0, report
    seen = set(re.findall(r"status=(\d+)", gateway.logs))
    assert seen >= {"200", "202", "400", "401", "404", "405", "409", "415"}, report


def lie_of_status(document: Document) -> None:
    """Say that what is done is answered 201."""
    answers = document["paths"]["/plugins/webhooks/{route}"]["post"]["responses"]
    answers["201"] = answers.pop("200")


def lie_of_type(document: Document) -> None:
    """Say that a revision is a text."""
    document["components"]["schemas"]["Flow"]["properties"]["revision"]["type"] = "string"


def lie_of_field(document: Document) -> None:
    """Say nothing of a field that every answer has."""
    del document["components"]["schemas"]["Flow"]["properties"]["updatedAt"]
    document["components"]["schemas"]["Flow"]["required"].remove("updatedAt")


def lie_of_request(document: Document) -> None:
    """Say that a goal may be left out."""
    document["components"]["schemas"]["CreateFlow"]["required"].remove("goal")


def lie_of_code(document: Document) -> None:
    """Say nothing of one code."""
    codes = document["components"]["schemas"]["Refusal409"]["properties"]["code"]["enum"]
    codes.remove("revision_conflict")


@pytest.mark.parametrize(
    ("lie", "said"),
    [
        (lie_of_status, "Undocumented status code"),
        (lie_of_type, "Response violates schema"),
        (lie_of_field, "Response violates schema"),
        (lie_of_request, "Schema-valid request rejected"),
        (lie_of_code, "Response violates schema"),
    ],
)
def test_schemathesis_finds_a_lie(
    python: Path,
    gateway: RunningGateway,
    tmp_path: Path,
    lie: Callable[[Document], None],
    said: str,
) -> None:
    document = json.loads(FILE.read_text(encoding="utf-8"))
    lie(document)
    lying = tmp_path / "lying.json"
    lying.write_text(json.dumps(document), encoding="utf-8")
    code, report = schemathesis(python, gateway, lying, tmp_path, "--max-examples=50")
    assert (code, said in report) == (1, True), report


def schemathesis(
    python: Path, gateway: RunningGateway, document: Path, folder: Path, *options: str
) -> tuple[int, str]:
    """Let Schemathesis try a gateway by a document; return its exit code and its report."""
    (folder / "schemathesis.toml").write_text(
        f'headers = {{ Authorization = "Bearer {SECRET}" }}\n'
        'hooks = "hooks.py"\n'
        '[parameters]\n"path.route" = "zapier"\n'
        # The body is refused as JSON, whatever field it stands in.
        "[generation]\nallow-x00 = false\n",
        encoding="utf-8",
    )
    shutil.copy(TOOLS / "hooks.py", folder)
    command = [str(python / "st"), "--config-file", "schemathesis.toml", "run", str(document)]
    where = ("--url", gateway.url, "--phases=examples,coverage,fuzzing", "--seed=1")
    done = subprocess.run(  # noqa: S603 - our own arguments
        [*command, *where, "--continue-on-failure", *options],
        cwd=folder,
        env={**os.environ, "NO_COLOR": "1", "COLUMNS": "200", **known_things(gateway)},
        check=False,
        capture_output=True,
        text=True,
    )
    return done.returncode, done.stdout + done.stderr


def known_things(gateway: RunningGateway) -> Mapping[str, str]:
    """Open some flows and link a task, and say so to the hooks."""
    with Caller(gateway.place, Door(secret=SECRET)) as caller:
        made = [caller.act("create_flow", goal=f"flow {number}") for number in range(30)]
        flows = [answer.result["flow"]["flowId"] for answer in made]
        linked = caller.act("run_task", flowId=flows[0], runtime="acp", task="work")
    task = linked.result["task"]["taskId"]
    names = ("TASKFLOW_FLOWS", "TASKFLOW_TASK", "TASKFLOW_KEY_PATTERN")
    return dict(zip(names, (" ".join(flows), task, KEY_PATTERN), strict=True))


def run(*command: str | Path, folder: Path = ROOT) -> str:
    """Run a tool, which must succeed, and return what it printed."""
    done = subprocess.run(  # noqa: S603 - our own arguments
        command, cwd=folder, env=_ENVIRONMENT, check=False, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


_ENVIRONMENT: Final = {**os.environ, "REDOCLY_TELEMETRY": "off", "NO_COLOR": "1"}


def _installed(install: Callable[..., Path], *packages: str) -> Path:
    try:
        return install(*packages)
    except NotInstallableError as reason:
        pytest.skip(f"the tools cannot be installed here: {reason}")
