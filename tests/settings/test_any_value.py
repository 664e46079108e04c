"""Whatever stands in a configuration, it is read or refused; and no secret is ever shown."""

from __future__ import annotations

import copy
import json
import traceback
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from adapters.settings import Settings, SettingsError, load_settings
from adapters.settings.config import config_of
from adapters.settings.diagnostics import ConfigPath
from adapters.settings.includes import MergedDocument, read_merged
from tests.settings.workbench import written

CANARY = "C4nary! of the mine"

_ROUTE = {
    "enabled": True,
    "path": "/a",
    "sessionKey": "agent:main:main",
    "secret": "${HOOK_SECRET}",
    "secrets": {
        "inline": "a good and long secret",
        "file": {"source": "file", "provider": "kept", "id": "/hook"},
        "exec": {"source": "exec", "provider": "vault", "id": "hook"},
    },
    "controllerId": "webhooks/zapier",
    "description": "A route",
    "limits": {"bodyBytes": 10, "rateRequests": 1, "rateWindowSeconds": 1, "inFlight": 1},
}
_PROVIDERS = {
    "allowed": {"source": "env", "allowlist": ["HOOK_SECRET"]},
    "kept": {
        "source": "file",
        "path": "kept.json",
        "mode": "json",
        "timeoutMs": 5000,
        "maxBytes": 1000,
        "allowInsecurePath": False,
    },
    "vault": {
        "source": "exec",
        "command": "/nowhere/resolver",
        "args": ["--profile"],
        "env": {"VAULT_TOKEN": "token"},
        "passEnv": ["VAULT_ADDR"],
        "timeoutMs": 5000,
        "noOutputTimeoutMs": 5000,
        "maxOutputBytes": 1000,
        "jsonOnly": True,
        "trustedDirs": ["/nowhere"],
        "allowInsecurePath": False,
        "allowSymlinkCommand": False,
    },
}
_TASKFLOW = {
    "store": {"url": "sqlite:///flows.db"},
    "server": {"host": "127.0.0.1", "port": 8080, "threads": 4, "connections": 10},
    "limits": {"bodySeconds": 15, "trackedKeys": 10},
    "children": {"lostAfterSeconds": 300, "sweepSeconds": 20},
    "log": {"remoteAddress": "full"},
}
COMPLETE: dict[str, Any] = {
    "gateway": {"trustedProxies": ["127.0.0.1"]},
    "secrets": {"providers": _PROVIDERS},
    "plugins": {
        "entries": {"webhooks": {"enabled": True, "config": {"routes": {"zapier": _ROUTE}}}}
    },
    "taskflow": _TASKFLOW,
}
"""A configuration with every field that we read."""


def paths_in(value: object, path: ConfigPath = ()) -> Iterator[ConfigPath]:
    """Yield the path of every field."""
    yield path
    if isinstance(value, dict):
        for key, item in value.items():
            yield from paths_in(item, (*path, key))
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from paths_in(item, (*path, index))


def with_value(path: ConfigPath, value: object) -> object:
    """Return the complete configuration with another value at one field."""
    if not path:
        return value
    document = copy.deepcopy(COMPLETE)
    holder: Any = document
    for key in path[:-1]:
        holder = holder[key]
    holder[path[-1]] = value
    return document


class Environ(dict[str, str]):
    """Variables of an environment; what it prints is not ours to answer for."""

    def __repr__(self) -> str:
        return "Environ(...)"


def outcome_of(file: Path) -> Settings | SettingsError:
    """Load a configuration; anything but these two outcomes is a fault."""
    try:
        return load_settings(file, ENVIRON)
    except SettingsError as error:
        return error


ENVIRON: Mapping[str, str] = Environ({"HOOK_SECRET": "the secret of the environment"})


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the file of secrets that the complete configuration names."""
    made = tmp_path_factory.mktemp("complete")
    (made / "kept.json").write_text('{"hook": "the secret of the file"}')
    (made / "kept.json").chmod(0o600)
    return made


def test_the_complete_configuration_is_read(folder: Path) -> None:
    loaded = load_settings(written(folder, COMPLETE), ENVIRON)
    assert [key.key_id for key in loaded.routes[0].keys] == ["default", "inline", "file"]


scalars = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.integers(-(10**400), 10**400)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text()
    | st.sampled_from(["", " ", "\0", "${A}", "$A", "/", "~", "value", "env", "::/0", "sqlite:///"])
)
values = st.recursive(
    scalars,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.text(max_size=5), inner, max_size=3)
        | st.fixed_dictionaries({"source": inner, "provider": inner, "id": inner})
    ),
    max_leaves=8,
)


@given(path=st.sampled_from(list(paths_in(COMPLETE))), value=values)
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
def test_any_value_at_any_field_is_read_or_refused(
    folder: Path, path: ConfigPath, value: object
) -> None:
    outcome = outcome_of(written(folder, with_value(path, value)))
    if isinstance(outcome, SettingsError):
        assert outcome.problems
        assert all(one.line and one.expected and one.found for one in outcome.problems)


_ROUTES: ConfigPath = ("plugins", "entries", "webhooks", "config", "routes", "zapier")
_OPEN = ("sessionKey", "path", "controllerId", "description")
_SHOWN: frozenset[ConfigPath] = frozenset(
    {
        *((*_ROUTES, name) for name in _OPEN),
        ("secrets", "providers", "kept", "path"),
        ("secrets", "providers", "vault", "command"),
        ("taskflow", "server", "host"),
    }
)
"""Fields that are no place for a secret, and that messages and values show."""

hidden = st.sampled_from([path for path in paths_in(COMPLETE) if path not in _SHOWN])
wrapped = st.sampled_from(
    [
        CANARY,
        [CANARY],
        {"secret": CANARY},
        {"source": CANARY, "provider": CANARY, "id": CANARY},
        {"source": "env", "provider": "default", "id": CANARY},
        {"source": "exec", "provider": "vault", "id": CANARY},
        f"${{{CANARY}}}",
        f"postgresql://user:{CANARY}@host/db",
        f"{CANARY}\n",
        f"{CANARY}${{NAME}}",
    ]
)


@given(path=hidden, value=wrapped)
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
def test_no_message_shows_what_stands_where_a_secret_may(
    folder: Path, path: ConfigPath, value: object
) -> None:
    outcome = outcome_of(written(folder, with_value(path, value)))
    assert CANARY not in everything_shown(outcome)


@pytest.mark.parametrize("number", [4815162342, -4815162342, 4815.162342])
def test_no_message_shows_a_number(folder: Path, number: float) -> None:
    for path in paths_in(COMPLETE):
        outcome = outcome_of(written(folder, with_value(path, number)))
        assert isinstance(outcome, Settings) or "4815" not in str(outcome)


def everything_shown(value: Settings | SettingsError) -> str:
    """Return all that logs, reports and debuggers could print."""
    shown = [str(value), repr(value)]
    match value:
        case Settings():
            shown += map(str, (*value.advice, *value.skipped))
        case SettingsError():
            shown += map(repr, value.problems)
            shown += traceback.format_exception(value)
            frames = (frame for frame, _ in traceback.walk_tb(value.__traceback__))
            shown += [
                repr(frame.f_locals) for frame in frames if _is_ours(frame.f_code.co_filename)
            ]
    return "\n".join(shown)


def _is_ours(file: str) -> bool:
    return str(Path("adapters", "settings")) in file


def test_a_provider_does_not_show_what_its_command_is_given(folder: Path) -> None:
    path = ("secrets", "providers", "vault")
    for field in (("env", "VAULT_TOKEN"), ("args", 0)):
        document = read_merged(written(folder, with_value((*path, *field), CANARY)), {})
        assert isinstance(document, MergedDocument)
        config = config_of(document, None)
        assert CANARY not in repr((document, config))


@pytest.fixture
def resolver(tmp_path: Path) -> Path:
    """A command that answers with the canary, and shouts it on standard error."""
    path = tmp_path / "resolver"
    answer = json.dumps({"protocolVersion": 1, "values": {"hook": CANARY}})
    path.write_text(f"#!/bin/sh\ncat > /dev/null\necho '{CANARY}' >&2\necho '{answer}'\n")
    path.chmod(0o700)
    return path


def test_no_secret_that_serves_is_shown(tmp_path: Path, resolver: Path) -> None:
    """From each source; with all the advice that there is on secrets."""
    (tmp_path / "kept.json").write_text(json.dumps({"hook": CANARY}))
    (tmp_path / "kept.json").chmod(0o600)
    document = with_value((*_ROUTES, "secrets", "inline"), CANARY)
    assert isinstance(document, dict)
    document["secrets"]["providers"]["vault"] |= {"command": str(resolver), "trustedDirs": []}
    loaded = load_settings(written(tmp_path, document), {"HOOK_SECRET": CANARY})
    (route,) = loaded.routes
    assert [key.key_id for key in route.keys] == ["default", "inline", "file", "exec"]
    assert all(key.secret.matches(CANARY) for key in route.keys)
    assert CANARY not in everything_shown(loaded)


@pytest.mark.parametrize(
    "content",
    [f'"{CANARY}"', f'{{"hook": ["{CANARY}"]}}', f'{{"hook": "{CANARY}"', f"{CANARY}\0\x80"],
)
def test_no_secret_that_fails_is_shown(tmp_path: Path, resolver: Path, content: str) -> None:
    (tmp_path / "kept.json").write_text(content, encoding="latin-1")
    resolver.write_text(f"#!/bin/sh\ncat <<'END'\n{content}\nEND\n", encoding="latin-1")
    document = with_value((*_ROUTES, "secret"), "$UNSET")
    assert isinstance(document, dict)
    route = document["plugins"]["entries"]["webhooks"]["config"]["routes"]["zapier"]
    del route["secrets"]["inline"]
    document["secrets"]["providers"]["vault"] |= {"command": str(resolver), "trustedDirs": []}
    loaded = load_settings(written(tmp_path, document), {})
    assert loaded.skipped[0].reason.count(";") == 2
    assert CANARY not in everything_shown(loaded)


def test_no_secret_is_shown_where_the_file_ends_too_early(tmp_path: Path) -> None:
    text = json.dumps(with_value((*_ROUTES, "secret"), CANARY))
    for cut in range(0, len(text) - 1, 7):
        path = written(tmp_path, text[:cut])
        with pytest.raises(SettingsError) as caught:
            load_settings(path, {})
        assert CANARY not in everything_shown(caught.value)
