"""The exec provider, with real commands: shell scripts that a test writes."""

from __future__ import annotations

import json
import os
import select
from pathlib import Path
from typing import Any

import pytest

from adapters.settings import Settings
from tests.settings.workbench import SECRET, loaded, reason, route, the_route, with_routes

ANSWER = {"protocolVersion": 1, "values": {"hook": SECRET}}


def command(folder: Path, script: str, name: str = "resolver") -> Path:
    """Write a command."""
    path = folder / name
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o700)
    return path


def answering(folder: Path, answer: object) -> Path:
    """Write a command that answers with text, or with a value as JSON, and takes any request."""
    text = answer if isinstance(answer, str) else json.dumps(answer)
    return command(folder, f"cat > /dev/null\ncat <<'END'\n{text}\nEND")


def settings_with(
    folder: Path,
    path: Path | str,
    ids: tuple[str, ...] = ("hook",),
    environ: dict[str, str] | None = None,
    **provider: object,
) -> Settings:
    """Load a configuration with a route for each id, whose secret a command has."""
    providers = {"vault": {"source": "exec", "command": str(path), **provider}}
    routes = {
        f"route-{index}": route(secret={"source": "exec", "provider": "vault", "id": identifier})
        for index, identifier in enumerate(ids)
    }
    return loaded(folder, with_routes(routes, secrets={"providers": providers}), environ)


def test_a_command_answers_with_a_secret(tmp_path: Path) -> None:
    settings = settings_with(tmp_path, answering(tmp_path, ANSWER))
    assert the_route(settings).identify(SECRET, 0) == "default"


def test_a_command_is_asked_once_for_all_its_secrets(tmp_path: Path) -> None:
    answer = {"protocolVersion": 1, "values": {"a/b": "secret a/b", "c": "secret c", "d": "spare"}}
    script = f'cat >> "$0.asked"; echo >> "$0.asked"; echo \'{json.dumps(answer)}\''
    settings = settings_with(tmp_path, command(tmp_path, script), ids=("a/b", "c", "a/b"))
    identified = [
        one.identify(secret, 0)
        for one, secret in zip(
            settings.routes, ("secret a/b", "secret c", "secret a/b"), strict=True
        )
    ]
    assert identified == ["default"] * 3
    (asked,) = (tmp_path / "resolver.asked").read_text().splitlines()
    assert json.loads(asked) == {"protocolVersion": 1, "provider": "vault", "ids": ["a/b", "c"]}


def test_a_command_gets_its_arguments_without_a_shell(tmp_path: Path) -> None:
    script = 'for arg; do echo "$arg"; done > "$0.args"'
    args = ["--profile", "$HOME; `id` 'x'", "", " a  b "]
    settings_with(tmp_path, command(tmp_path, script), args=args)
    assert (tmp_path / "resolver.args").read_text().split("\n")[:-1] == args


def test_a_command_sees_only_the_variables_that_are_named(tmp_path: Path) -> None:
    script = '/usr/bin/env > "$0.env"'
    environ = {"VAULT_ADDR": "https://vault", "VAULT_TOKEN": "t", "PATH": "/x", "OWN": "outer"}
    settings_with(
        tmp_path,
        command(tmp_path, script),
        environ=environ,
        passEnv=["VAULT_ADDR", "OWN", "UNSET"],
        env={"OWN": "inner", "lower": " kept "},
    )
    lines = (tmp_path / "resolver.env").read_text().splitlines()
    shells_own = ("PWD=", "SHLVL=", "_=", "OLDPWD=", "__CF")
    assert sorted(line for line in lines if not line.startswith(shells_own)) == [
        "OWN=inner",
        "VAULT_ADDR=https://vault",
        "lower= kept ",
    ]


def test_a_command_runs_in_its_own_folder(tmp_path: Path) -> None:
    folder = tmp_path / "bin"
    folder.mkdir(mode=0o755)
    settings_with(tmp_path, command(folder, 'pwd -P > "$0.pwd"'))
    assert (folder / "resolver.pwd").read_text() == f"{folder.resolve()}\n"


@pytest.mark.parametrize("first", ["", "exec 0<&-;"])
def test_a_command_need_not_read_its_request(tmp_path: Path, first: str) -> None:
    """The request is larger than a pipe holds: writing it must not wait for a reader."""
    ids = tuple(f"hook-{index:0>250}" for index in range(400))
    answer = {"protocolVersion": 1, "values": dict.fromkeys(ids, SECRET)}
    (tmp_path / "answer").write_text(json.dumps(answer))
    script = f'{first} exec cat "$(dirname $0)/answer"'
    settings = settings_with(tmp_path, command(tmp_path, script), ids)
    assert len(settings.routes) == 400


def test_a_command_may_answer_more_than_a_pipe_holds(tmp_path: Path) -> None:
    answer = {**ANSWER, "padding": "x" * 300_000}
    (tmp_path / "answer").write_text(json.dumps(answer))
    script = 'cat > /dev/null; exec cat "$(dirname $0)/answer"'
    assert settings_with(tmp_path, command(tmp_path, script)).routes


@pytest.mark.parametrize(
    ("answer", "fault"),
    [
        ({"protocolVersion": 1, "values": {}}, " has no value for hook"),
        ({"protocolVersion": 1, "values": []}, " has no values"),
        ({"protocolVersion": 1}, " has no values"),
        ({**ANSWER, "protocolVersion": 2}, " is not of protocolVersion 1"),
        ({**ANSWER, "protocolVersion": True}, " is not of protocolVersion 1"),
        ({"values": {"hook": SECRET}}, " is not of protocolVersion 1"),
        ({**ANSWER, "errors": {"hook": {"message": "no"}}}, " reports an error for hook"),
        ({**ANSWER, "errors": {"hook": None}}, " reports an error for hook"),
        ([], " is not a JSON object"),
        (SECRET, " is not a JSON object"),
        ("", " is not a JSON object"),
        ("[" * 100_000, " is not a JSON object"),
    ],
)
def test_an_answer_outside_the_protocol_skips_the_route(
    tmp_path: Path, answer: object, fault: str
) -> None:
    path = answering(tmp_path, answer)
    found = reason(settings_with(tmp_path, path))
    assert found == f"the answer of the command {path}{fault}"


@pytest.mark.parametrize(
    ("value", "kind"),
    [(5, "is a number, not a string"), ("  ", "is empty"), (None, "is null, not a string")],
)
def test_a_value_that_is_no_secret_skips_the_route(
    tmp_path: Path, value: object, kind: str
) -> None:
    path = answering(tmp_path, {"protocolVersion": 1, "values": {"hook": value}})
    assert reason(settings_with(tmp_path, path)) == (
        f"the value for hook in the answer of the command {path} {kind}"
    )


def test_one_faulty_id_takes_out_its_own_route_only(tmp_path: Path) -> None:
    answer = {**ANSWER, "errors": {"other": {"message": "not found"}}}
    settings = settings_with(tmp_path, answering(tmp_path, answer), ids=("hook", "other"))
    assert [one.route_id for one in settings.routes] == ["route-0"]
    assert [one.route_id for one in settings.skipped] == ["route-1"]


@pytest.mark.parametrize("answer", [f"{SECRET}\n", json.dumps(SECRET), json.dumps(ANSWER)])
def test_a_command_may_answer_in_plain_text_if_that_is_configured(
    tmp_path: Path, answer: str
) -> None:
    settings = settings_with(tmp_path, answering(tmp_path, answer), jsonOnly=False)
    assert the_route(settings).identify(SECRET, 0) == "default"


def test_a_plain_number_is_plain_text(tmp_path: Path) -> None:
    settings = settings_with(tmp_path, answering(tmp_path, "0123456789"), jsonOnly=False)
    assert the_route(settings).identify("0123456789", 0) == "default"


def test_plain_text_answers_one_id_only(tmp_path: Path) -> None:
    path = answering(tmp_path, SECRET)
    settings = settings_with(tmp_path, path, ids=("a", "b"), jsonOnly=False)
    assert {skipped.reason for skipped in settings.skipped} == {
        f"the answer of the command {path} is not a JSON object"
    }


def test_an_empty_plain_text_skips_the_route(tmp_path: Path) -> None:
    path = answering(tmp_path, "")
    assert reason(settings_with(tmp_path, path, jsonOnly=False)) == (
        f"the answer of the command {path} is empty"
    )


def test_an_answer_in_another_encoding_skips_the_route(tmp_path: Path) -> None:
    path = command(tmp_path, "printf 'caf\\351'")
    assert reason(settings_with(tmp_path, path, jsonOnly=False)) == (
        f"the answer of the command {path} is not text in UTF-8"
    )


def test_a_status_other_than_zero_skips_the_route(tmp_path: Path) -> None:
    path = command(tmp_path, f"echo '{json.dumps(ANSWER)}'; exit 3")
    assert reason(settings_with(tmp_path, path)) == f"the command {path} ended with status 3"


def test_a_command_that_a_signal_ends_skips_the_route(tmp_path: Path) -> None:
    path = command(tmp_path, "kill -TERM $$")
    assert reason(settings_with(tmp_path, path)) == f"the command {path} ended with status -15"


def test_standard_error_is_neither_read_nor_shown(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    script = f"echo canary >&2; cat > /dev/null; echo '{json.dumps(ANSWER)}'"
    assert settings_with(tmp_path, command(tmp_path, script)).routes
    assert capfd.readouterr() == ("", "")


class Life:
    """The life of a command and all that it starts, seen by a pipe that they hold open."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / "life"
        os.mkfifo(self.path)
        self._reader = os.open(self.path, os.O_RDONLY | os.O_NONBLOCK)

    def has_ended(self) -> bool:
        """Wait until nobody holds the pipe any more, 10 s at most."""
        poll = select.poll()
        poll.register(self._reader, select.POLLIN)
        events = poll.poll(10_000)
        os.close(self._reader)
        return bool(events) and bool(events[0][1] & select.POLLHUP)


SLEEPERS = 'exec 3> "$(dirname $0)/life"; sleep 60 & sleep 60 & echo "{"; '


@pytest.mark.parametrize(
    ("script", "bounds", "fault"),
    [
        ("wait", {"timeoutMs": 400}, "gave no answer within 0.4 s"),
        ("wait", {"noOutputTimeoutMs": 400}, "wrote nothing for 0.4 s"),
        ("exec 1>&-; exec 3>&-; wait", {"timeoutMs": 400}, "gave no answer within 0.4 s"),
        ("cat /dev/zero", {"maxOutputBytes": 1000}, "wrote more than 1000 bytes"),
    ],
)
def test_a_command_at_its_bounds_is_killed_with_all_that_it_started(
    tmp_path: Path, script: str, bounds: dict[str, Any], fault: str
) -> None:
    life = Life(tmp_path)
    path = command(tmp_path, SLEEPERS + script)
    assert reason(settings_with(tmp_path, path, **bounds)) == f"the command {path} {fault}"
    assert life.has_ended()


def test_a_command_that_closes_its_output_and_stays_is_killed(tmp_path: Path) -> None:
    life = Life(tmp_path)
    script = 'exec 3> "$(dirname $0)/life"; exec 1>&-; sleep 60'
    path = command(tmp_path, script)
    assert reason(settings_with(tmp_path, path, timeoutMs=400)) == (
        f"the command {path} did not end within 0.4 s"
    )
    assert life.has_ended()


def test_a_command_that_goes_on_writing_is_not_silent(tmp_path: Path) -> None:
    """It takes longer in all than it may be silent at once."""
    loop = "for i in 1 2 3 4 5 6 7 8 9 10 11; do echo; sleep 0.1; done"
    script = f"{loop}; echo '{json.dumps(ANSWER)}'"
    path = command(tmp_path, script)
    assert settings_with(tmp_path, path, noOutputTimeoutMs=1000).routes


def test_a_missing_command_skips_the_route(tmp_path: Path) -> None:
    assert reason(settings_with(tmp_path, tmp_path / "nowhere")) == (
        f"the command {tmp_path}/nowhere cannot be found: No such file or directory"
    )


def test_a_command_that_cannot_be_executed_skips_the_route(tmp_path: Path) -> None:
    path = command(tmp_path, "")
    path.chmod(0o600)
    assert reason(settings_with(tmp_path, path)) == (
        f"the command {path} cannot be started: Permission denied"
    )


def test_a_command_without_an_interpreter_skips_the_route(tmp_path: Path) -> None:
    path = command(tmp_path, "")
    path.write_text("echo {}")
    assert reason(settings_with(tmp_path, path)) == (
        f"the command {path} cannot be started: Exec format error"
    )


def test_a_folder_is_no_command(tmp_path: Path) -> None:
    assert reason(settings_with(tmp_path, tmp_path)) == (
        f"the command {tmp_path} is not a regular file"
    )


def test_a_link_is_run_only_if_that_is_allowed(tmp_path: Path) -> None:
    answering(tmp_path, ANSWER)
    link = tmp_path / "link"
    link.symlink_to("resolver")
    assert reason(settings_with(tmp_path, link)) == (
        f"the command {link} leads through the symbolic link {link}, "
        f"which allowSymlinkCommand would allow: or name {tmp_path}/resolver itself"
    )
    assert settings_with(tmp_path, link, allowSymlinkCommand=True).routes


def test_a_loop_of_links_skips_the_route(tmp_path: Path) -> None:
    loop = tmp_path / "loop"
    loop.symlink_to("loop")
    found = reason(settings_with(tmp_path, loop, allowSymlinkCommand=True))
    assert found.startswith(f"the command {loop} cannot be found: ")


@pytest.mark.parametrize("mode", [0o720, 0o702])
def test_a_command_that_others_can_write_is_not_run_unless_allowed(
    tmp_path: Path, mode: int
) -> None:
    path = answering(tmp_path, ANSWER)
    path.chmod(mode)
    assert reason(settings_with(tmp_path, path)) == (
        f"the command {path} can be written by its group or by others "
        f"(mode {mode:04o}): chmod go-w {path}"
    )
    assert settings_with(tmp_path, path, allowInsecurePath=True).routes


def test_a_command_lies_in_one_of_the_trusted_folders_if_there_are_any(tmp_path: Path) -> None:
    folder = tmp_path / "bin"
    folder.mkdir(mode=0o755)
    path = answering(folder, ANSWER)
    sibling, real = str(tmp_path / "bi"), str(folder)
    assert settings_with(tmp_path, path, trustedDirs=[sibling, real]).routes
    assert reason(settings_with(tmp_path, path, trustedDirs=[sibling])) == (
        f"the command {path} is in none of the trustedDirs"
    )


def test_a_link_out_of_the_trusted_folders_is_not_followed(tmp_path: Path) -> None:
    (tmp_path / "bin").mkdir(mode=0o755)
    answering(tmp_path, ANSWER)
    link = tmp_path / "bin" / "link"
    link.symlink_to("../resolver")
    provider: dict[str, Any] = {
        "allowSymlinkCommand": True,
        "trustedDirs": [str(tmp_path / "bin")],
    }
    assert reason(settings_with(tmp_path, link, **provider)) == (
        f"the command {link} is in none of the trustedDirs"
    )
