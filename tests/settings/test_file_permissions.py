"""A secret or a command is relied on if nobody else can change what its whole path leads to."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from adapters.settings import load_settings
from tests.settings.test_secret_commands import ANSWER, answering
from tests.settings.test_secret_commands import settings_with as with_command
from tests.settings.test_secret_files import keep
from tests.settings.test_secret_files import settings_with as with_file
from tests.settings.workbench import SECRET, advice_of, loaded, one_route, reason, written

SOMEBODY_ELSE = 65_534
needs_chown = pytest.mark.skipif(os.geteuid() != 0, reason="only root gives files away")


def folder_in(outer: Path, name: str, mode: int = 0o755) -> Path:
    """Make a folder of some mode, whatever the umask."""
    folder = outer / name
    folder.mkdir()
    folder.chmod(mode)
    return folder


def unsafe(path: Path, folder: Path, mode: int) -> str:
    return f"{path} is not safe: the folder {folder} {can_be_written(folder, mode)}"


def can_be_written(path: Path, mode: int) -> str:
    return f"can be written by its group or by others (mode {mode:04o}): chmod go-w {path}"


@pytest.mark.parametrize("mode", [0o777, 0o770, 0o775, 0o757])
@pytest.mark.parametrize("below", ["", "private"])
def test_a_secret_in_a_folder_that_others_can_write_skips_the_route_unless_allowed(
    tmp_path: Path, mode: int, below: str
) -> None:
    """A folder between the two helps nothing: it can be exchanged as well."""
    shared = folder_in(tmp_path, "shared", mode)
    path = keep(folder_in(shared, below) if below else shared, {"hook": SECRET})
    settings = with_file(tmp_path, path=str(path))
    assert reason(settings) == f"the file {unsafe(path, shared, mode)}"
    assert with_file(tmp_path, path=str(path), allowInsecurePath=True).routes


@pytest.mark.parametrize("mode", [0o777, 0o770])
@pytest.mark.parametrize("below", ["", "private"])
def test_a_command_in_a_folder_that_others_can_write_is_not_run_unless_allowed(
    tmp_path: Path, mode: int, below: str
) -> None:
    shared = folder_in(tmp_path, "shared", mode)
    path = answering(folder_in(shared, below) if below else shared, ANSWER)
    settings = with_command(tmp_path, path)
    assert reason(settings) == f"the command {unsafe(path, shared, mode)}"
    assert with_command(tmp_path, path, allowInsecurePath=True).routes


def test_a_command_of_a_shared_folder_is_not_run(tmp_path: Path) -> None:
    """Being refused is not enough: it must not have run either."""
    shared = folder_in(tmp_path, "shared", 0o777)
    path = shared / "resolver"
    path.write_text(f"#!/bin/sh\ntouch {tmp_path}/ran\n", encoding="utf-8")
    path.chmod(0o700)
    assert not with_command(tmp_path, path).routes
    assert not (tmp_path / "ran").exists()


def test_a_link_in_a_shared_folder_is_as_unsafe_as_a_file(tmp_path: Path) -> None:
    """What it leads to is safe, and yet anybody can let it lead elsewhere."""
    shared = folder_in(tmp_path, "shared", 0o777)
    keep(tmp_path, {"hook": SECRET})
    link = shared / "link"
    link.symlink_to(tmp_path / "kept.json")
    settings = with_file(tmp_path, path=str(link))
    assert reason(settings) == f"the file {unsafe(link, shared, 0o777)}"
    command = shared / "command"
    command.symlink_to(answering(tmp_path, ANSWER))
    settings = with_command(tmp_path, command, allowSymlinkCommand=True)
    assert reason(settings) == f"the command {unsafe(command, shared, 0o777)}"


def test_a_link_through_a_shared_folder_is_unsafe(tmp_path: Path) -> None:
    """From a safe folder, by a link to a link in the shared one, to a safe file."""
    shared = folder_in(tmp_path, "shared", 0o777)
    keep(tmp_path, {"hook": SECRET}, name="real.json")
    (shared / "middle").symlink_to("../real.json")
    (tmp_path / "kept.json").symlink_to("shared/middle")
    assert reason(with_file(tmp_path)) == (
        f"the file {unsafe(tmp_path / 'kept.json', shared, 0o777)}"
    )


def test_a_linked_folder_above_a_command_is_a_link(tmp_path: Path) -> None:
    real = folder_in(tmp_path, "real")
    answering(real, ANSWER)
    link = tmp_path / "bin"
    link.symlink_to("real")
    path = link / "resolver"
    assert reason(with_command(tmp_path, path)) == (
        f"the command {path} leads through the symbolic link {link}, "
        f"which allowSymlinkCommand would allow: or name {real}/resolver itself"
    )
    assert with_command(tmp_path, path, allowSymlinkCommand=True).routes
    assert not with_command(tmp_path, path, allowInsecurePath=True).routes


def test_a_path_may_be_written_in_roundabout_ways(tmp_path: Path) -> None:
    folder_in(tmp_path, "bin")
    answering(tmp_path, ANSWER)
    assert with_command(tmp_path, f"/{tmp_path}/./bin/../resolver").routes


def test_two_dots_after_a_link_lead_where_the_kernel_goes(tmp_path: Path) -> None:
    """To the folder above the link's target, not to the one above the link."""
    shared = folder_in(tmp_path, "shared", 0o777)
    keep(shared, {"hook": SECRET})
    (tmp_path / "link").symlink_to(folder_in(shared, "inner"))
    path = tmp_path / "link" / ".." / "kept.json"
    keep(tmp_path, {"hook": "another secret"})
    assert reason(with_file(tmp_path, path=str(path))) == (
        f"the file {unsafe(path, shared, 0o777)}"
    )


def mounted(folder: Path, mode: int) -> Path:
    """Lay a secret out as Kubernetes mounts it; return its path."""
    volume = folder_in(folder, "volume", mode)
    keep(folder_in(volume, "..2026_11_27_08_00_00.1"), {"hook": SECRET}, mode=0o440)
    (volume / "..data").symlink_to("..2026_11_27_08_00_00.1")
    (volume / "kept.json").symlink_to("..data/kept.json")
    return volume / "kept.json"


@pytest.mark.parametrize("mode", [0o1777, 0o3777])
def test_a_mounted_secret_is_trusted(tmp_path: Path, mode: int) -> None:
    """Its folder is sticky: nobody exchanges in it what belongs to root or to us."""
    assert with_file(tmp_path, path=str(mounted(tmp_path, mode))).routes


def test_a_mounted_secret_is_not_trusted_in_a_folder_that_is_not_sticky(tmp_path: Path) -> None:
    path = mounted(tmp_path, 0o777)
    assert reason(with_file(tmp_path, path=str(path))) == (
        f"the file {unsafe(path, path.parent, 0o777)}"
    )


def the_folder(path: Path) -> Path:
    return path.parent


def the_link(path: Path) -> Path:
    return path


def what_data_leads_to(path: Path) -> Path:
    return (path.parent / "..data").resolve()


@needs_chown
@pytest.mark.parametrize(
    ("given", "kind"),
    [(the_folder, "folder"), (the_link, "link"), (what_data_leads_to, "folder")],
)
def test_nothing_on_the_way_belongs_to_another_user(
    tmp_path: Path, given: Callable[[Path], Path], kind: str
) -> None:
    path = mounted(tmp_path, 0o1777)
    os.chown(given(path), SOMEBODY_ELSE, -1, follow_symlinks=False)
    assert reason(with_file(tmp_path, path=str(path))) == (
        f"the file {path} is not safe: the {kind} {given(path)} belongs to another user (uid 65534)"
    )
    assert with_file(tmp_path, path=str(path), allowInsecurePath=True).routes


@needs_chown
def test_a_command_in_another_users_folder_is_not_run(tmp_path: Path) -> None:
    folder = folder_in(tmp_path, "bin")
    path = answering(folder, ANSWER)
    os.chown(folder, SOMEBODY_ELSE, -1)
    assert reason(with_command(tmp_path, path)) == (
        f"the command {path} is not safe: the folder {folder} belongs to another user (uid 65534)"
    )


def test_the_group_may_write_in_a_trusted_folder_and_others_may_not(tmp_path: Path) -> None:
    """So are the folders of Homebrew, which the documentation takes as its example."""
    brew = folder_in(tmp_path, "homebrew", 0o775)
    cellar = folder_in(brew, "Cellar", 0o775)
    answering(cellar, ANSWER)
    link = folder_in(brew, "bin", 0o775) / "resolver"
    link.symlink_to("../Cellar/resolver")

    def settings(trusted: Path) -> bool:
        return bool(
            with_command(
                tmp_path, link, allowSymlinkCommand=True, trustedDirs=[str(trusted)]
            ).routes
        )

    assert settings(brew)
    assert not settings(cellar)
    cellar.chmod(0o777)
    assert not settings(brew)


@pytest.mark.parametrize("mode", [0o620, 0o602])
def test_a_configuration_that_others_can_write_serves_and_is_advised_against(
    tmp_path: Path, mode: int
) -> None:
    path = written(tmp_path, one_route())
    path.chmod(mode)
    settings = load_settings(path, {})
    assert settings.routes
    assert advice_of(settings) == [f": the configuration {can_be_written(path, mode)}"]


def test_a_configuration_in_a_shared_folder_is_advised_against(tmp_path: Path) -> None:
    shared = folder_in(tmp_path, "shared", 0o777)
    sentence = f"the configuration {unsafe(shared, shared, 0o777)}".replace(f"{shared} ", "", 1)
    assert advice_of(loaded(shared, one_route())) == [f": {sentence}"]


def test_an_included_file_that_others_can_write_is_advised_against(tmp_path: Path) -> None:
    """Even if there is nothing in it now."""
    included = keep(tmp_path, "{}", name="more.json5", mode=0o666)
    settings = loaded(tmp_path, {**one_route(), "taskflow": {"$include": "more.json5"}})
    (advice,) = (one for one in settings.advice if one.file == str(included))
    assert str(advice) == f"{included}: the configuration {can_be_written(included, 0o666)}"
