"""What takes the plugin out in OpenClaw takes it out here, and one line says so."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.settings.workbench import ROUTES, advice_of, loaded, refused, route

ALL_OFF = "plugins.enabled: all plugins are disabled: nothing is served"
DENIED = "the webhooks plugin is denied: nothing is served"
ENTRY_OFF = "plugins.entries.webhooks.enabled: the webhooks plugin is disabled: nothing is served"
NOT_ALLOWED = "plugins.allow: the webhooks plugin is not in this list: nothing is served"
EMPTY = "plugins.allow: an empty list allows every plugin, as in OpenClaw"


UNKNOWN = (
    "expected one of the keys enabled, allow, deny, entries, load, slots, bundledDiscovery "
    "or installs, found an unknown key"
)


def with_plugins(entry: dict[str, object] | None = None, **plugins: object) -> dict[str, Any]:
    """Return a configuration with one route, and more in `plugins` and in the plugin's entry."""
    webhooks = {**(entry or {}), "config": {"routes": {"zapier": route(secret="${UNSET}")}}}
    return {"plugins": {**plugins, "entries": {"webhooks": webhooks}}}


@pytest.mark.parametrize(
    ("document", "line"),
    [
        (with_plugins(enabled=False), ALL_OFF),
        (with_plugins(deny=["webhooks"]), f"plugins.deny[0]: {DENIED}"),
        (with_plugins(deny=["other", " WebHooks\n"]), f"plugins.deny[1]: {DENIED}"),
        (with_plugins(allow=["other"]), NOT_ALLOWED),
        (with_plugins(allow=["", "webhooks-extra"]), NOT_ALLOWED),
        (with_plugins({"enabled": False}), ENTRY_OFF),
        (with_plugins({"enabled": True}, allow=["other"]), NOT_ALLOWED),
        (with_plugins({"enabled": False}, allow=["other"]), ENTRY_OFF),
        (with_plugins({"enabled": True}, allow=["webhooks"], enabled=False), ALL_OFF),
        (with_plugins(allow=["webhooks"], deny=["webhooks"]), f"plugins.deny[0]: {DENIED}"),
    ],
)
def test_a_plugin_that_is_taken_out_serves_nothing_and_one_line_says_so(
    tmp_path: Path, document: object, line: str
) -> None:
    settings = loaded(tmp_path, document)
    assert (settings.routes, settings.skipped, settings.disabled) == ((), (), ("zapier",))
    assert advice_of(settings) == [line]


@pytest.mark.parametrize(
    ("document", "advice"),
    [
        (with_plugins(enabled=True, deny=["other"], allow=["other", "webhooks"]), []),
        (with_plugins(allow=[" WEBHOOKS "], deny=[]), []),
        (with_plugins(deny=["webhook", ""]), []),
        (with_plugins(allow=[]), [EMPTY]),
        (with_plugins(allow=[" "]), [EMPTY]),
    ],
)
def test_a_plugin_that_is_allowed_serves(
    tmp_path: Path, document: object, advice: list[str]
) -> None:
    settings = loaded(tmp_path, document, {"UNSET": "a good and long secret"})
    assert [one.route_id for one in settings.routes] == ["zapier"]
    assert advice_of(settings) == advice


@pytest.mark.parametrize(
    ("plugins", "problem"),
    [
        ({"enabled": "false"}, "enabled: expected true or false, found a string"),
        ({"enabled": 0}, "enabled: expected true or false, found a number"),
        ({"enabled": None}, "enabled: expected true or false, found null"),
        ({"deny": "webhooks"}, "deny: expected an array of plugin ids, found a string"),
        ({"allow": {"webhooks": True}}, "allow: expected an array of plugin ids, found an object"),
        ({"deny": [["webhooks"]]}, "deny[0]: expected a plugin's id, found an array"),
        ({"deny": ["*"]}, "deny[0]: expected a plugin's id, found a pattern"),
        ({"allow": [None]}, "allow[0]: expected a plugin's id, found null"),
        ({"disabled": True}, f"disabled: {UNKNOWN}"),
        ({"denied": ["webhooks"]}, f"denied: {UNKNOWN}"),
        ({"Enabled": False}, "Enabled: expected the key enabled, found another spelling of it"),
        ({" deny": []}, '[" deny"]: expected the key deny, found another spelling of it'),
    ],
)
def test_a_switch_that_cannot_be_read_stops_the_start(
    tmp_path: Path, plugins: dict[str, object], problem: str
) -> None:
    expected = f"plugins.{problem}".replace(".[", "[")
    assert refused(tmp_path, with_plugins(None, **plugins)) == [expected]


@pytest.mark.parametrize(
    "entry",
    [{"enable": False}, {"disabled": True}, {"Enabled": False}, {"routes": {}}, {"status": "off"}],
)
def test_an_unknown_key_beside_the_plugins_configuration_stops_the_start(
    tmp_path: Path, entry: dict[str, object]
) -> None:
    (key,) = entry
    assert refused(tmp_path, with_plugins(entry)) == [
        (
            f"plugins.entries.webhooks.{key}: expected one of the keys enabled, config, hooks, "
            "subagent or llm, found an unknown key"
        )
    ]


def test_what_openclaw_itself_lets_stand_there_is_ignored(tmp_path: Path) -> None:
    entry = {"hooks": {"timeoutMs": 1}, "subagent": {}, "llm": {"allowedModels": ["*"]}}
    others = {"load": {"paths": []}, "slots": {}, "bundledDiscovery": "compat", "installs": {}}
    document = with_plugins(entry, **others)
    assert len(loaded(tmp_path, document, {"UNSET": "x" * 16}).routes) == 1


@pytest.mark.parametrize(
    ("document", "path", "key"),
    [
        ({"Plugins": {"enabled": False}}, "Plugins", "plugins"),
        ({"include": "hooks.json5"}, "include", "$include"),
        ({"$Include": ["hooks.json5"]}, "$Include", "$include"),
        ({"taskFlow": {"server": {"port": 1}}}, "taskFlow", "taskflow"),
        ({"task-flow": {}}, "task-flow", "taskflow"),
        ({"gateway": {"trustedproxies": []}}, "gateway.trustedproxies", "trustedProxies"),
        ({"secrets": {"Providers": {}}}, "secrets.Providers", "providers"),
        ({"plugins": {"entries": {"WebHooks": {}}}}, "plugins.entries.WebHooks", "webhooks"),
    ],
)
def test_a_key_that_is_nearly_ours_stops_the_start_rather_than_say_nothing(
    tmp_path: Path, document: object, path: str, key: str
) -> None:
    expected = f"{path}: expected the key {key}, found another spelling of it"
    assert refused(tmp_path, document) == [expected]


@pytest.mark.parametrize("key", ["enabled", "allow", "deny"])
def test_a_switch_that_is_given_twice_stops_the_start(tmp_path: Path, key: str) -> None:
    (problem,) = refused(tmp_path, f"{{plugins: {{{key}: [], {key}: []}}}}")[:1]
    assert problem.startswith(f"plugins.{key}: expected each key once")


@pytest.mark.parametrize(
    ("routes", "problem"),
    [
        ({"zapier": None}, "zapier: expected an object, found null"),
        ({"zapier": False}, "zapier: expected an object, found false"),
        ([], "expected an object, found an array"),
        (None, "expected an object, found null"),
    ],
)
def test_a_route_that_is_none_stops_the_start(tmp_path: Path, routes: object, problem: str) -> None:
    document = {"plugins": {"entries": {"webhooks": {"config": {"routes": routes}}}}}
    place = f"{ROUTES}.{problem}" if problem.startswith("zapier") else f"{ROUTES}: {problem}"
    assert refused(tmp_path, document)[0] == place
