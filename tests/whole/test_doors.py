"""A door that the configuration closes is closed, and the gateway says so."""

from __future__ import annotations

import http.client
import json
import subprocess
import sys
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path

import pytest

from tests.whole.gateway import ROOT, RunningGateway

SECRET = "a secret of the doors"
ENVIRONMENT = {"HOOK": SECRET, "UNREPLACED": "__OPENCLAW_REDACTED__"}


def configured(folder: Path, variable: str, plugins: Mapping[str, object]) -> Path:
    """Write a configuration with one route, its secret in a variable, and more in `plugins`."""
    routes = {"zapier": {"sessionKey": "agent:main:main", "secret": f"${{{variable}}}"}}
    entries = {"webhooks": {"config": {"routes": routes}}}
    config = folder / "gateway.json5"
    config.write_text(json.dumps({"plugins": {**plugins, "entries": entries}}), encoding="utf-8")
    config.chmod(0o600)
    return config


def status_of(gateway: RunningGateway) -> int:
    """Return what a request with the right secret is answered."""
    headers = {"Authorization": f"Bearer {SECRET}", "Content-Type": "application/json"}
    place, body = gateway.place, b'{"action": "list_flows"}'
    with closing(http.client.HTTPConnection(place.host, place.port, timeout=20)) as connection:
        connection.request("POST", "/plugins/webhooks/zapier", body=body, headers=headers)
        answer = connection.getresponse()
        answer.read()
        return answer.status


@pytest.mark.parametrize(
    ("plugins", "line"),
    [
        ({"enabled": False}, "plugins.enabled: all plugins are disabled"),
        ({"deny": ["webhooks"]}, "plugins.deny[0]: the webhooks plugin is denied"),
        ({"allow": ["other"]}, "plugins.allow: the webhooks plugin is not in this list"),
    ],
)
def test_a_plugin_that_is_taken_out_is_not_there(
    tmp_path: Path, plugins: dict[str, object], line: str
) -> None:
    with RunningGateway(tmp_path, configured(tmp_path, "HOOK", plugins), ENVIRONMENT) as gateway:
        assert status_of(gateway) == 404
        warnings = [each for each in gateway.logs.splitlines() if " WARNING " in each]
    assert len(warnings) == 1
    assert warnings[0].endswith(f"{line}: nothing is served")


def test_a_placeholder_in_the_environment_opens_nothing(tmp_path: Path) -> None:
    config = configured(tmp_path, "UNREPLACED", {})
    with RunningGateway(tmp_path, config, ENVIRONMENT) as gateway:
        assert status_of(gateway) == 404
        assert "the environment variable UNREPLACED is a placeholder" in gateway.logs


def test_a_configuration_in_two_files_serves(tmp_path: Path) -> None:
    whole = configured(tmp_path, "HOOK", {}).rename(tmp_path / "whole.json5")
    config = tmp_path / "gateway.json5"
    config.write_text(f'{{$include: "./{whole.name}"}}', encoding="utf-8")
    with RunningGateway(tmp_path, config, ENVIRONMENT) as gateway:
        assert status_of(gateway) == 200


@pytest.mark.parametrize("text", ['{$include: "nowhere.json5"}', '{plugins: {enabled: "no"}}'])
def test_a_configuration_that_cannot_be_followed_stops_the_start(tmp_path: Path, text: str) -> None:
    """And no store is made."""
    config = tmp_path / "gateway.json5"
    config.write_text(text, encoding="utf-8")
    serve = [sys.executable, "-m", "app", "serve", "--config", str(config)]
    done = subprocess.run(  # noqa: S603 - our own program, with our own arguments
        serve, cwd=ROOT, capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 2
    assert done.stderr.startswith(f"taskflow: {config}:1: ")
    assert [each.name for each in tmp_path.iterdir()] == ["gateway.json5"]


def test_check_names_the_included_file(tmp_path: Path) -> None:
    (tmp_path / "plugins.json5").write_text("{\nallow: []}", encoding="utf-8")
    config = tmp_path / "gateway.json5"
    config.write_text('{plugins: {$include: "plugins.json5"}, gateway: {}}', encoding="utf-8")
    check = [sys.executable, "-m", "app", "check", "--json", "--config", str(config)]
    done = subprocess.run(  # noqa: S603 - our own program, with our own arguments
        check, cwd=ROOT, capture_output=True, text=True, timeout=60, check=False
    )
    advice = json.loads(done.stdout)["advice"]
    places = {(each["field"], each.get("file"), each.get("line")) for each in advice}
    included = str(tmp_path / "plugins.json5")
    assert ("plugins.allow", included, 2) in places
