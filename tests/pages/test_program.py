"""`taskflow audit serve` as a program, over a socket."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.client import HTTPConnection
from pathlib import Path

import pytest

from tests.pages.seeds import Sown
from tests.pages.workbench import PASSWORD, USER, basic

ROOT = Path(__file__).parents[2]
PATIENCE = 30


def started(
    config: Path, *, environ: Mapping[str, str], arguments: list[str]
) -> subprocess.Popen[str]:
    """Start the program on a free port."""
    serve = ["-m", "app", "audit", "serve", "--config", str(config), "--port", "0", *arguments]
    return subprocess.Popen(  # noqa: S603 - our own program
        [sys.executable, *serve],
        cwd=ROOT,
        env={**os.environ, **environ},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def configured(folder: Path, pages: object) -> Path:
    """Write a configuration."""
    config = folder / "gateway.json5"
    config.write_text(
        json.dumps(
            {"taskflow": {"audit": {"pages": pages}, "log": {"remoteAddress": "truncated"}}}
        ),
        encoding="utf-8",
    )
    return config


@contextmanager
def serving(folder: Path, sown: Sown) -> Iterator[tuple[HTTPConnection, subprocess.Popen[str]]]:
    """Serve the pages over a store, to somebody with a connection."""
    config = configured(folder, {"host": "0.0.0.0", "password": "${PAGES_PASSWORD}"})  # noqa: S104 - to be warned
    proofs = ["--checkpoints", str(sown.checkpoints), "--public-key", sown.public_key]
    process = started(
        config,
        environ={"PAGES_PASSWORD": PASSWORD},
        arguments=["--database", sown.url, *proofs],
    )
    with process:
        try:
            assert process.stdout is not None
            place = re.fullmatch(r"listening on http://(.+):(\d+)\n", process.stdout.readline())
            assert place is not None
            connection = HTTPConnection(place[1], int(place[2]), timeout=PATIENCE)
            yield connection, process
            connection.close()
        finally:
            process.terminate()


def test_the_pages_are_served_until_a_signal(tmp_path: Path, sown: Sown) -> None:
    with serving(tmp_path, sown) as (connection, process):
        connection.request("GET", f"/flows/{sown.seeds.busy}", headers=basic(USER, PASSWORD))
        answer = connection.getresponse()
        page = answer.read().decode()
        assert (answer.status, "<strong>Proven.</strong>" in page) == (200, True)
        connection.request("GET", "/")
        answer = connection.getresponse()
        assert (answer.status, b"for auditors" in answer.read()) == (401, True)
        connection.request("GET", "/", body=b"xx", headers=basic(USER, PASSWORD))
        answer = connection.getresponse()
        assert (answer.status, b"<h1>" in answer.read()) == (413, True)
        process.send_signal(signal.SIGTERM)
        _, log = process.communicate(timeout=PATIENCE)
    assert process.returncode == 0
    assert "page request_id=" in log
    assert "the password travels in clear text on 0.0.0.0: put TLS in front" in log
    assert "client=127.0.0.0/24" in log
    assert "client=127.0.0.1" not in log
    assert PASSWORD not in log


@pytest.mark.parametrize(
    ("pages", "sentence"),
    [
        ({}, "the pages need a password: set taskflow.audit.pages.password"),
        (
            {"password": "${NOT_SET_ANYWHERE}"},
            (
                "the pages need a password: taskflow.audit.pages.password: the environment variable"
                " NOT_SET_ANYWHERE is not set"
            ),
        ),
    ],
)
def test_without_a_password_nothing_is_served(
    tmp_path: Path, sown: Sown, pages: object, sentence: str
) -> None:
    process = started(configured(tmp_path, pages), environ={}, arguments=["--database", sown.url])
    out, err = process.communicate(timeout=PATIENCE)
    assert (process.returncode, out, err) == (2, "", f"taskflow: {sentence}\n")
