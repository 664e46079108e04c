from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from adapters.settings import Settings
from adapters.settings.file_permissions import distrust
from tests.settings.workbench import (
    SECRET,
    advice_of,
    loaded,
    reason,
    route,
    the_route,
    with_routes,
)


def settings_with(
    folder: Path,
    identifier: str = "/hook",
    environ: dict[str, str] | None = None,
    **provider: object,
) -> Settings:
    """Load a configuration with a route whose secret is in a file, `kept.json` by default."""
    providers = {"kept": {"source": "file", "path": "kept.json", **provider}}
    secret = {"source": "file", "provider": "kept", "id": identifier}
    routes = {"zapier": route(secret=secret)}
    return loaded(folder, with_routes(routes, secrets={"providers": providers}), environ)


def keep(folder: Path, content: object, name: str = "kept.json", mode: int = 0o600) -> Path:
    """Write a file of secrets, given as JSON value, text or octets."""
    path = folder / name
    text = content if isinstance(content, str | bytes) else json.dumps(content)
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    path.chmod(mode)
    return path


@pytest.mark.parametrize(
    ("content", "pointer"),
    [
        ({"hook": SECRET}, "/hook"),
        ({"a": {"b": SECRET}}, "/a/b"),
        ({"a/b": {"~": SECRET}}, "/a~1b/~0"),
        ({"~1": SECRET}, "/~01"),
        ({"": SECRET}, "/"),
        ({"a": [0, {"b": f"  {SECRET}\n"}]}, "/a/1/b"),
    ],
)
def test_a_pointer_finds_a_secret(tmp_path: Path, content: object, pointer: str) -> None:
    keep(tmp_path, content)
    assert the_route(settings_with(tmp_path, pointer)).identify(SECRET, 0) == "default"


@pytest.mark.parametrize(
    ("content", "pointer"),
    [
        ({}, "/hook"),
        ({"hook": {}}, "/hook/x"),
        ({"hook": SECRET}, "/hook/0"),
        ({"hook": [SECRET]}, "/hook/1"),
        ({"hook": [SECRET]}, "/hook/00"),
        ({"hook": [SECRET]}, "/hook/-"),
        ({"hook": [SECRET]}, "/hook/" + "9" * 5000),
    ],
)
def test_a_pointer_to_nothing_skips_the_route(
    tmp_path: Path, content: object, pointer: str
) -> None:
    path = keep(tmp_path, content)
    found = reason(settings_with(tmp_path, pointer))
    assert found == f"the file {path} has nothing at {pointer}"


@pytest.mark.parametrize(
    ("value", "kind"),
    [(5, "a number, not a string"), (None, "null, not a string"), (" \n", "empty")],
)
def test_a_value_that_is_no_secret_skips_the_route(
    tmp_path: Path, value: object, kind: str
) -> None:
    path = keep(tmp_path, {"hook": value})
    assert reason(settings_with(tmp_path)) == f"the value at /hook in the file {path} is {kind}"


@pytest.mark.parametrize("content", ["[]", '"x"', "{", "", "[" * 100_000])
def test_a_file_that_is_no_json_object_skips_the_route(tmp_path: Path, content: str) -> None:
    path = keep(tmp_path, content)
    assert reason(settings_with(tmp_path)) == f"the file {path} is not a JSON object"


def test_a_file_may_be_one_secret(tmp_path: Path) -> None:
    keep(tmp_path, f"\ufeff{SECRET}\r\n")
    only = the_route(settings_with(tmp_path, "value", mode="singleValue"))
    assert only.identify(SECRET, 0) == "default"


def test_a_byte_order_mark_is_no_part_of_the_json(tmp_path: Path) -> None:
    keep(tmp_path, f'\ufeff{{"hook": "{SECRET}"}}')
    assert the_route(settings_with(tmp_path)).identify(SECRET, 0) == "default"


def test_a_file_that_is_empty_skips_the_route(tmp_path: Path) -> None:
    path = keep(tmp_path, "\n")
    assert reason(settings_with(tmp_path, "value", mode="singleValue")) == (
        f"the file {path} is empty"
    )


def test_a_file_in_another_encoding_skips_the_route(tmp_path: Path) -> None:
    path = keep(tmp_path, b"caf\xe9")
    assert reason(settings_with(tmp_path, "value", mode="singleValue")) == (
        f"the file {path} is not text in UTF-8"
    )


def test_a_missing_file_skips_the_route(tmp_path: Path) -> None:
    assert reason(settings_with(tmp_path)) == (
        f"the file {tmp_path}/kept.json cannot be read: No such file or directory"
    )


def test_a_large_file_skips_the_route(tmp_path: Path) -> None:
    path = keep(tmp_path, {"hook": SECRET})
    size = path.stat().st_size
    assert settings_with(tmp_path, maxBytes=size).routes
    assert reason(settings_with(tmp_path, maxBytes=size - 1)) == (
        f"the file {path} has more than {size - 1} bytes"
    )


def test_a_pipe_is_refused_without_waiting_for_its_writer(tmp_path: Path) -> None:
    path = tmp_path / "kept.json"
    os.mkfifo(path, 0o600)
    assert reason(settings_with(tmp_path)) == f"the file {path} is not a regular file"


@pytest.mark.parametrize("mode", [0o620, 0o602, 0o666])
def test_a_file_that_others_can_write_skips_the_route_unless_allowed(
    tmp_path: Path, mode: int
) -> None:
    path = keep(tmp_path, {"hook": SECRET}, mode=mode)
    assert reason(settings_with(tmp_path)) == (
        f"the file {path} can be written by its group or by others "
        f"(mode {mode:04o}): chmod go-w {path}"
    )
    assert settings_with(tmp_path, allowInsecurePath=True).routes


def test_a_file_must_belong_to_us_or_to_root(tmp_path: Path) -> None:
    path = keep(tmp_path, {})
    status = list(path.stat())
    other = os.geteuid() + 1
    for owner, fault in (
        (os.geteuid(), None),
        (0, None),
        (other, f"belongs to another user (uid {other})"),
    ):
        status[4] = owner
        assert distrust(path, os.stat_result(status)) == fault


def test_a_file_that_everybody_can_read_is_advised_against(tmp_path: Path) -> None:
    keep(tmp_path, {"hook": SECRET}, mode=0o644)
    assert advice_of(settings_with(tmp_path)) == [
        "secrets.providers.kept.path: every user of this machine can read the file"
    ]
    assert advice_of(settings_with(tmp_path, allowInsecurePath=True)) == []
    keep(tmp_path, {"hook": SECRET}, mode=0o640)
    assert advice_of(settings_with(tmp_path)) == []


def test_links_are_followed_as_mounted_secrets_are_links(tmp_path: Path) -> None:
    folder = tmp_path / "..data"
    folder.mkdir(mode=0o755)
    keep(folder, {"hook": SECRET})
    (tmp_path / "kept.json").symlink_to("..data/kept.json")
    assert settings_with(tmp_path).routes


def test_a_path_starts_at_the_configurations_folder_at_home_or_at_the_root(
    tmp_path: Path,
) -> None:
    keep(tmp_path, {"hook": SECRET}, name="kept.json")
    assert settings_with(tmp_path, path="./kept.json").routes
    assert settings_with(tmp_path, path=f"{tmp_path}/kept.json").routes
    assert settings_with(tmp_path, path="~/kept.json", environ={"HOME": str(tmp_path)}).routes
    assert reason(settings_with(tmp_path, path="~/kept.json")).startswith(
        f"the file {tmp_path}/~/kept.json cannot be read"
    )


def test_a_faulty_file_takes_out_its_own_routes_only(tmp_path: Path) -> None:
    secret = {"source": "file", "provider": "kept", "id": "/a"}
    routes = {"one": route(secret=secret), "two": route(secret=secret), "three": route()}
    providers = {"kept": {"source": "file", "path": "nowhere.json"}}
    settings = loaded(tmp_path, with_routes(routes, secrets={"providers": providers}))
    assert [skipped.route_id for skipped in settings.skipped] == ["one", "two"]
    assert the_route(settings).route_id == "three"
