"""The configurations that exist: the one of the recordings, the example, the documentation's."""

from __future__ import annotations

from ipaddress import ip_network
from pathlib import Path
from shutil import copy

import pytest

from adapters.settings import Settings, load_settings
from tests.settings.workbench import SECRET, written

ROOT = Path(__file__).parents[2]
RECORDED = ROOT / "tests" / "contract" / "data"
EXAMPLE = ROOT / "examples" / "gateway.json5"


@pytest.fixture
def recorded(tmp_path: Path) -> Settings:
    """The configuration of the recordings, its file of secrets readable by all, as it was."""
    for name in ("gateway.json5", "secrets.json"):
        Path(copy(RECORDED / name, tmp_path)).chmod(0o444)
    environ = {"ORACLE_ENV_SECRET": "env-secret-value"}
    return load_settings(tmp_path / "gateway.json5", environ)


def test_the_recorded_configuration_serves_what_the_reference_served(recorded: Settings) -> None:
    assert {route.route_id: (route.path, route.owner) for route in recorded.routes} == {
        "zapier": ("/plugins/webhooks/zapier", "agent:main:main"),
        "twin": ("/plugins/webhooks/twin", "agent:main:main"),
        "other": ("/plugins/webhooks/other", "agent:main:other"),
        "file": ("/plugins/webhooks/file", "agent:main:file"),
        "custom": ("/my-hooks/custom path", "agent:main:custom"),
        "rate": ("/plugins/webhooks/rate", "agent:main:rate"),
        "spaced": ("/plugins/webhooks/spaced", "agent:main:custom"),
        "padded": ("/plugins/webhooks/padded", "agent:main:custom"),
        "uni": ("/plugins/webhooks/uni", "agent:main:custom"),
    }
    assert recorded.disabled == ("off",)
    assert [skipped.route_id for skipped in recorded.skipped] == ["broken"]
    assert recorded.trusted_proxies == (ip_network("127.0.0.1"),)


@pytest.mark.parametrize(
    ("route_id", "presented"),
    [
        ("zapier", "plain-secret-zapier"),
        ("other", "env-secret-value"),
        ("file", "file-secret-value"),
        ("custom", "secret with spaces"),
        ("padded", "padded-secret"),
        ("uni", "geh\u00e9im"),
        ("uni", "geh\u00c3\u00a9im"),
    ],
)
def test_the_recorded_secrets_open_their_routes(
    recorded: Settings, route_id: str, presented: str
) -> None:
    opened = [route.route_id for route in recorded.routes if route.identify(presented, 0)]
    assert route_id in opened


def test_the_example_serves_out_of_the_box() -> None:
    settings = load_settings(EXAMPLE, {})
    assert [route.route_id for route in settings.routes] == ["zapier"]
    assert settings.routes[0].identify("example-only-zapier-secret", 0) == "default"
    assert [skipped.route_id for skipped in settings.skipped] == ["n8n"]
    assert settings.disabled == ("ci",)
    assert settings.server.port == 8080
    assert settings.store.path == ROOT / "var" / "taskflow.db"


def test_the_example_serves_more_with_its_variable_set() -> None:
    settings = load_settings(EXAMPLE, {"TASKFLOW_N8N_SECRET": SECRET})
    assert [route.route_id for route in settings.routes] == ["zapier", "n8n"]
    assert settings.skipped == ()


def test_the_example_shows_the_defaults(tmp_path: Path) -> None:
    """Except for the store, as it says."""
    example, default = load_settings(EXAMPLE, {}), load_settings(written(tmp_path, "{}"), {})
    for part in ("server", "limits", "children", "log"):
        assert getattr(example, part) == getattr(default, part)


def test_the_documented_form_is_read_as_it_is(tmp_path: Path) -> None:
    """Bare keys, references of every source, and blocks that only OpenClaw reads."""
    (tmp_path / "secrets.json").write_text(f'{{"hooks": {{"ci": "{SECRET}"}}}}')
    (tmp_path / "secrets.json").chmod(0o600)
    text = """{
      agents: { defaults: { workspace: "~/workspace" } },
      channels: { telegram: { botToken: "${TELEGRAM_BOT_TOKEN}" } },
      secrets: {
        providers: {
          default: { source: "env" },
          filemain: { source: "file", path: "~/secrets.json", mode: "json" },
          vault: {
            source: "exec", command: "/usr/local/bin/vault-resolver", args: ["--profile", "prod"],
            passEnv: ["PATH", "VAULT_ADDR"], jsonOnly: true,
          },
        },
        defaults: { env: "default", file: "filemain", exec: "vault" },
      },
      plugins: {
        allow: ["webhooks"],
        entries: {
          webhooks: {
            enabled: true,
            config: {
              routes: {
                zapier: {
                  path: "/plugins/webhooks/zapier",
                  sessionKey: "agent:main:main",
                  secret: { source: "env", provider: "default", id: "OPENCLAW_WEBHOOK_SECRET" },
                  controllerId: "webhooks/zapier",
                  description: "Zapier TaskFlow bridge",
                },
                ci: {
                  sessionKey: "agent:main:ci",
                  secret: { source: "file", provider: "filemain", id: "/hooks/ci" },
                },
              },
            },
          },
          other: { enabled: false, config: { anything: [1, 2] } },
        },
      },
    }"""
    environ = {"HOME": str(tmp_path), "OPENCLAW_WEBHOOK_SECRET": SECRET}
    settings = load_settings(written(tmp_path, text), environ)
    assert [route.route_id for route in settings.routes] == ["zapier", "ci"]
