from __future__ import annotations

import io
import os
import pty
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, suppress
from typing import TextIO

import pytest

from adapters.cli import Dependencies, run
from domain.flow.commands import CreateFlow
from tests.cli.workbench import flow_id, seeding

pytestmark = pytest.mark.usefixtures("a_colourful_environment")


@pytest.fixture
def a_colourful_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("NO_COLOR", "FORCE_COLOR", "TTY_COMPATIBLE", "TTY_INTERACTIVE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.setenv("COLUMNS", "100")


def on_a_terminal(use: Callable[[TextIO], object]) -> str:
    """Return all that was written to a terminal."""
    keyboard, screen = pty.openpty()
    with ThreadPoolExecutor(1) as pool:
        written = pool.submit(_read_all, keyboard)
        with os.fdopen(screen, "w", encoding="utf-8") as stream:
            use(stream)
    os.close(keyboard)
    return written.result().decode()


def _read_all(keyboard: int) -> bytes:
    written = b""
    with suppress(OSError):  # Linux says EIO when nobody has the other side open any more
        while some := os.read(keyboard, 65_536):
            written += some
    return written


def test_a_terminal_is_used_in_colour_and_in_full_width(tools: Dependencies, seeded: str) -> None:
    argv = ("flows", "list", "--database", seeded)
    shown = on_a_terminal(lambda out: run(argv, tools, out=out, err=io.StringIO()))
    assert "─" * 100 in shown
    assert "\x1b[33mblocked\x1b[0m" in shown


def test_a_narrow_terminal_shows_ids_whole(
    tools: Dependencies, seeded: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "40")
    argv = ("flows", "list", "--database", seeded)
    shown = on_a_terminal(lambda out: run(argv, tools, out=out, err=io.StringIO()))
    assert f"{flow_id(1)}  " in shown


def test_what_is_no_terminal_has_no_colour_whatever_the_environment_says(
    tools: Dependencies, seeded: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")
    out = io.StringIO()
    run(("flows", "list", "--database", seeded), tools, out=out, err=io.StringIO())
    assert "\x1b" not in out.getvalue()
    assert max(map(len, out.getvalue().splitlines())) == 80


def test_a_rebuild_shows_a_bar_on_a_terminal_only(tools: Dependencies, seeded: str) -> None:
    out, argv = io.StringIO(), ("store", "rebuild", "--database", seeded)
    shown = on_a_terminal(lambda err: run(argv, tools, out=out, err=err))
    assert "3/3" in shown
    assert out.getvalue() == "Folded 3 flows from the events: nothing had to change.\n"


def test_characters_beyond_the_outputs_encoding_are_written_out(
    tools: Dependencies, url: str
) -> None:
    with seeding(url) as bench:
        bench.execute(CreateFlow(goal="Größe 日本", controller_id="c"))
    written = io.BytesIO()
    with closing(io.TextIOWrapper(written, encoding="ascii")) as out:
        argv = ("flows", "show", flow_id(1), "--database", url)
        assert run(argv, tools, out=out, err=io.StringIO()) == 0
        assert b"Gr\\xf6\\xdfe \\u65e5\\u672c\n" in written.getvalue()
