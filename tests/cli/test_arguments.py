from __future__ import annotations

from pathlib import Path

import pytest
from attrs import asdict, evolve

from adapters.cli import Dependencies, ServeOptions
from tests.cli.workbench import Ran, taskflow

CONFIG = ("--config", "gateway.json5")


def served(tools: Dependencies, *argv: str) -> dict[str, object]:
    given: list[ServeOptions] = []

    def serve(options: ServeOptions) -> int:
        given.append(options)
        return 0

    assert taskflow(evolve(tools, serve=serve), "serve", *CONFIG, *argv) == Ran(0, "", "")
    (options,) = given
    return asdict(options)


def test_serve_is_given_what_the_user_says(tools: Dependencies) -> None:
    argv = ["--database", "sqlite:///x.db", "--host", "::1", "--port", "0", "--wait", "9", "--json"]
    given = {
        "database": "sqlite:///x.db",
        "host": "::1",
        "port": 0,
        "socket": None,
        "wait": 9,
        "json": True,
    }
    assert served(tools, *argv) == {"config": Path("gateway.json5"), **given}


def test_serve_leaves_to_the_configuration_what_the_user_does_not_say(tools: Dependencies) -> None:
    options = {
        "database": None,
        "host": None,
        "port": None,
        "socket": None,
        "wait": 0,
        "json": False,
    }
    assert served(tools) == {"config": Path("gateway.json5"), **options}


def test_a_command_ends_as_the_gateway_did(tools: Dependencies) -> None:
    assert taskflow(evolve(tools, serve=lambda _: 1), "serve", *CONFIG).code == 1


@pytest.mark.parametrize(
    ("argv", "sentence"),
    [
        ([], "the following arguments are required: COMMAND (see: taskflow --help)"),
        (["flows"], "the following arguments are required: COMMAND (see: taskflow flows --help)"),
        (["serve"], "the following arguments are required: --config (see: taskflow serve --help)"),
        (
            ["flows", "list"],
            ("say which store: --config FILE or --database URL (see: taskflow flows list --help)"),
        ),
        (
            ["store", "rebuild"],
            (
                "say which store: --config FILE or --database URL"
                " (see: taskflow store rebuild --help)"
            ),
        ),
        (
            ["flows", "show", *CONFIG],
            "the following arguments are required: FLOW (see: taskflow flows show --help)",
        ),
        (
            ["serve", *CONFIG, "--port", "65536"],
            (
                "argument --port: expected a number from 0 to 65535, found '65536'"
                " (see: taskflow serve --help)"
            ),
        ),
        (
            ["serve", *CONFIG, "--wait", "-1"],
            (
                "argument --wait: expected a number from 0 to 3600, found '-1'"
                " (see: taskflow serve --help)"
            ),
        ),
        (
            ["flows", "list", *CONFIG, "--limit", "0"],
            (
                "argument --limit: expected a number from 1 to 1000, found '0'"
                " (see: taskflow flows list --help)"
            ),
        ),
        (
            ["flows", "list", *CONFIG, "--limit", "1" * 5000],
            (
                f"argument --limit: expected a number from 1 to 1000, found '{'1' * 5000}'"
                " (see: taskflow flows list --help)"
            ),
        ),
        (
            ["flows", "list", *CONFIG, "--cursor", "٣"],
            (
                "argument --cursor: expected a number from 1 to 9223372036854775807, found '٣'"
                " (see: taskflow flows list --help)"
            ),
        ),
        (
            ["flows", "list", *CONFIG, "--status", "lost"],
            (
                "argument --status: expected one of queued, running, waiting, blocked, succeeded,"
                " failed, cancelled, found 'lost' (see: taskflow flows list --help)"
            ),
        ),
        (
            ["flows", "list", *CONFIG, "--owner", " "],
            "argument --owner: expected something, found nothing (see: taskflow flows list --help)",
        ),
        (
            ["flows", "list", *CONFIG, "--stat", "queued"],
            "unrecognized arguments: --stat queued (see: taskflow --help)",
        ),
    ],
)
def test_a_wrong_argument_is_refused_in_one_sentence(
    tools: Dependencies, argv: list[str], sentence: str
) -> None:
    assert taskflow(tools, *argv) == Ran(2, "", f"taskflow: {sentence}\n")
