from __future__ import annotations

import io
import os
from pathlib import Path
from typing import NoReturn

from attrs import evolve

from adapters.cli import Dependencies, ServeOptions, run
from tests.cli.damage import edit
from tests.cli.workbench import Ran, flow_id, taskflow

LIST = ("flows", "list", "--database")


def test_what_the_user_must_mend_is_said_line_by_line(tools: Dependencies) -> None:
    sentences = (
        "taskflow: gateway.json5:1: expected an object, found a number\n"
        "taskflow: gateway.json5:2: and so on\n"
    )
    assert taskflow(tools, "serve", "--config", "gateway.json5") == Ran(2, "", sentences)


def test_a_store_that_is_not_there_is_trouble(tools: Dependencies, url: str, path: Path) -> None:
    assert taskflow(tools, *LIST, url) == Ran(2, "", f"taskflow: {path}: no such file\n")


def test_a_file_that_is_no_store_is_trouble(tools: Dependencies, url: str, path: Path) -> None:
    path.write_text("hello", encoding="utf-8")
    ran = taskflow(tools, *LIST, url)
    assert (ran.code, ran.out) == (2, "")
    assert ran.err.startswith(f"taskflow: {path}: ")
    assert len(ran.err.splitlines()) == 1


def test_a_url_of_no_store_is_trouble(tools: Dependencies) -> None:
    ran = taskflow(tools, *LIST, "mysql://x")
    assert (ran.code, ran.out, len(ran.err.splitlines())) == (2, "", 1)


def test_a_history_with_a_gap_is_trouble(tools: Dependencies, seeded: str, path: Path) -> None:
    edit(path, "DELETE FROM stored_events WHERE originator_version = 2")
    ran = taskflow(tools, "flows", "show", flow_id(1), "--history", "--database", seeded)
    gap = f"flow {flow_id(1)}: version 3 follows where 2 was due"
    assert ran == Ran(2, "", f"taskflow: the store is damaged: {gap}\n")


def test_a_store_that_fails_while_it_is_read_is_trouble(
    tools: Dependencies, seeded: str, path: Path
) -> None:
    edit(path, "DROP TABLE flow_index")
    ran = taskflow(tools, *LIST, seeded)
    no_table = "taskflow: the store cannot be used now: no such table: flow_index\n"
    assert ran == Ran(2, "", no_table)


def test_a_fault_of_ours_shows_its_traceback_and_is_no_finding(tools: Dependencies) -> None:
    def fail(options: ServeOptions) -> NoReturn:
        raise AssertionError(f"{options.config} is impossible")

    ran = taskflow(evolve(tools, serve=fail), "serve", "--config", "x")
    assert (ran.code, ran.out) == (70, "")
    assert ran.err.startswith("Traceback (most recent call last):\n")
    assert ran.err.endswith("AssertionError: x is impossible\n")


def test_an_interrupted_command_says_so_by_its_code(tools: Dependencies) -> None:
    def interrupt(*_: object, **__: object) -> NoReturn:
        raise KeyboardInterrupt

    assert taskflow(evolve(tools, serve=interrupt), "serve", "--config", "x") == Ran(130, "", "")


def test_a_reader_that_goes_away_ends_a_command_quietly(tools: Dependencies, seeded: str) -> None:
    reader, writer = os.pipe()
    os.close(reader)
    err = io.StringIO()
    with os.fdopen(writer, "w") as out:
        assert run((*LIST, seeded), tools, out=out, err=err) == 141
    assert err.getvalue() == ""


def test_an_output_that_cannot_be_written_is_trouble(
    tools: Dependencies, seeded: str, path: Path
) -> None:
    err = io.StringIO()
    with os.fdopen(os.open(path, os.O_RDONLY), "w") as out:
        assert run((*LIST, seeded), tools, out=out, err=err) == 2
    assert err.getvalue() == "taskflow: Bad file descriptor\n"


def test_a_file_that_cannot_be_read_is_named(tools: Dependencies, tmp_path: Path) -> None:
    missing = tmp_path / "none.json5"
    ran = taskflow(tools, "flows", "list", "--config", str(missing))
    assert ran == Ran(2, "", f"taskflow: {missing}: No such file or directory\n")


def test_a_complaint_plays_no_tricks_on_a_terminal(tools: Dependencies, seeded: str) -> None:
    ran = taskflow(tools, "flows", "show", "\x1b[31mred", "--database", seeded)
    assert ran == Ran(1, "", "taskflow: there is no flow \\x1b[31mred\n")
