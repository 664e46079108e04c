from __future__ import annotations

from importlib import import_module
from importlib.metadata import version
from pathlib import Path
from pkgutil import walk_packages

import pytest

from adapters import cli
from adapters.cli import Dependencies
from adapters.cli.command import CliCommand
from adapters.cli.commands import TASKFLOW, CommandGroup
from tests.cli.workbench import Ran, taskflow

GROUPS = ("", "flows", "store", "audit")


def commands_of(group: CommandGroup, above: str = "") -> dict[str, type[CliCommand]]:
    """Return the commands below a group by the words that a user types."""
    found: dict[str, type[CliCommand]] = {}
    for listed in group.commands():
        words = f"{above}{listed.page.name}"
        if isinstance(listed, CommandGroup):
            found |= commands_of(listed, f"{words} ")
        else:
            found[words] = listed
    return found


COMMANDS = tuple(commands_of(TASKFLOW))


def helped(tools: Dependencies, command: str) -> str:
    ran = taskflow(tools, *command.split(), "--help")
    assert (ran.code, ran.err) == (0, "")
    return ran.out


@pytest.mark.parametrize("command", [*GROUPS, *COMMANDS])
def test_help_fits_into_eighty_columns_and_has_examples(tools: Dependencies, command: str) -> None:
    text = helped(tools, command)
    assert max(map(len, text.splitlines())) <= 80
    assert "\nexamples:\n  taskflow " in text


@pytest.mark.parametrize("command", COMMANDS)
def test_help_says_what_a_commands_exit_codes_mean(tools: Dependencies, command: str) -> None:
    text = helped(tools, command)
    codes = text[text.index("exit codes") :].splitlines()
    assert [line[2] for line in codes if line[2] != " "][1:] == ["0", "1", "2"]


def test_help_lists_all_exit_codes_in_one_place(tools: Dependencies) -> None:
    text = helped(tools, "")
    codes = text[text.index("exit codes of every command:") :].splitlines()[1:]
    assert [line.split()[0] for line in codes if line[2] != " "] == [
        "0",
        "1",
        "2",
        "70",
        "130",
        "141",
    ]


def test_help_names_every_option_of_a_list(tools: Dependencies) -> None:
    text = helped(tools, "flows list")
    for option in ("--config FILE", "--database URL", "--owner KEY", "--status STATUS"):
        assert f"  {option} " in text
    assert "queued, running, waiting, blocked" in text
    assert "1 to 1000 (default: 50)" in text


def test_the_commands_of_an_auditor_are_listed_in_four_groups(tools: Dependencies) -> None:
    text = helped(tools, "audit").partition("options:")[0]
    sections = [part.splitlines() for part in text.split("\n\n")[2:] if part]
    assert {title: [line.split()[0] for line in lines] for title, *lines in sections} == {
        "read the history:": ["history", "diff", "why", "log", "refusals", "configuration"],
        "check the store:": ["replay", "verify"],
        "sign and prove:": ["keygen", "checkpoint", "prove", "verify-proof"],
        "hand out and show:": ["export", "serve"],
    }


def test_every_command_that_a_file_defines_is_listed() -> None:
    pages = [
        import_module(module.name).PAGE
        for module in walk_packages(cli.__path__, "adapters.cli.")
        if hasattr(import_module(module.name), "PAGE")
    ]
    listed = [command.page.name for command in commands_of(TASKFLOW).values()]
    assert sorted(page.name for page in pages) == sorted(listed)


def test_examples_are_understood(
    tools: Dependencies, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)  # where they may write what they like
    for command in COMMANDS:
        text = helped(tools, command).replace("\\\n", " ")
        examples = [line for line in text.splitlines() if line.startswith("  taskflow ")]
        assert examples
        for example in examples:
            words = example.partition("|")[0].split()[1:]
            assert "(see: " not in taskflow(tools, *words).err, example


def test_the_version_is_that_of_the_package(tools: Dependencies) -> None:
    assert taskflow(tools, "--version") == Ran(0, f"taskflow {version('taskflow-webhooks')}\n", "")
