from __future__ import annotations

import json

from attrs import evolve

from adapters.cli import (
    ActionKeys,
    CheckReport,
    ConfigurationFinding,
    GatewayOptions,
    KeyPeriod,
    KeyScheme,
    ServedRoute,
    Startable,
    UnservedRoute,
    Unstartable,
)
from domain.application.limits import RouteLimits
from domain.flow.ids import KeyId, Owner, RouteId
from tests.cli.workbench import Ran, taskflow, tools_over

LIMITS = RouteLimits()
OPTIONS = GatewayOptions(
    store="sqlite:////var/lib/taskflow/flows.db",
    host="127.0.0.1",
    port=8080,
    metrics=None,
    shared_limits=None,
    threads=4,
    connections=1000,
    drain_seconds=30.0,
    lost_after_seconds=300.0,
    sweep_seconds=20.0,
    remote_address="full",
    trusted_proxies=("10.0.0.0/8",),
    checkpoints="/var/lib/taskflow/taskflow.checkpoints",
    checkpoint_minutes=15.0,
    public_key=None,
)
ZAPIER = ServedRoute(
    route_id=RouteId("zapier"),
    path="/plugins/webhooks/zapier",
    owner=Owner("agent:main:main"),
    controller_id="webhooks/zapier",
    key_ids=("default", "2026-01"),
    limits=LIMITS,
)
CLEAN = Startable(routes=(ZAPIER,), skipped=(), disabled=(), advice=(), options=OPTIONS)
ADVISED = evolve(
    CLEAN,
    advice=(
        ConfigurationFinding(
            field="plugins.entries.webhooks.config.routes.zapier.secret",
            line=12,
            sentence="the secret has fewer than 16 characters",
        ),
    ),
)
SKIPPING = evolve(
    ADVISED,
    routes=(
        ZAPIER,
        evolve(ZAPIER, route_id=RouteId("ci"), key_ids=(), limits=evolve(LIMITS, body_bytes=1000)),
    ),
    skipped=(UnservedRoute(route_id=RouteId("n8n"), path="/n8n", reason="N8N_SECRET is not set"),),
    disabled=("old", "older"),
)
BROKEN = Unstartable(
    (
        ConfigurationFinding(field="", line=None, sentence="expected an object, found a list"),
        ConfigurationFinding(
            field="taskflow.server.port", line=3, sentence="expected a port, found 99999"
        ),
        ConfigurationFinding(
            field="plugins.deny", line=2, sentence="expected a list", file="/etc/a.json5"
        ),
    )
)
TABLES = """\
Routes that would be served
Route, keys             Path, session key, controller, limits
────────────────────────────────────────────────────────────────────────────────
zapier                  /plugins/webhooks/zapier
key default             agent:main:main
key 2026-01             webhooks/zapier
                        120 requests in 60 s, 8 at once, 256 KiB
ci                      /plugins/webhooks/zapier
                        agent:main:main
                        webhooks/zapier
                        120 requests in 60 s, 8 at once, 1,000 bytes

Routes that would be skipped
Route                   Path, reason
────────────────────────────────────────────────────────────────────────────────
n8n                     /n8n
                        N8N_SECRET is not set

Advice
Line    Field, what is to say of it
────────────────────────────────────────────────────────────────────────────────
12      plugins.entries.webhooks.config.routes.zapier.secret
        the secret has fewer than 16 characters

Gateway
Listens on       127.0.0.1 port 8080
Metrics          not served: taskflow.server.admin is not set
Store            sqlite:////var/lib/taskflow/flows.db
Work             4 threads, 1,000 connections, 30 s to drain
Limits           counted by this gateway alone
Lost children    after 300 s without news, looked for every 20 s
Client addresses recorded: full
Trusted proxies  10.0.0.0/8
Checkpoints      none are appended, as no key can sign them
Disabled routes  old, older

2 routes would be served, 1 skipped, 1 line of advice.
"""
PROBLEMS = """\
Problems
Line    Field, what is to say of it
────────────────────────────────────────────────────────────────────────────────
        the whole file
        expected an object, found a list
3       taskflow.server.port
        expected a port, found 99999
2       /etc/a.json5
        plugins.deny
        expected a list
"""
REFUSAL = "taskflow: the gateway would not start with gateway.json5: 3 problems\n"


def checked(report: CheckReport, *argv: str) -> Ran:
    return taskflow(tools_over(report), "check", "--config", "gateway.json5", *argv)


def test_a_configuration_is_reported_in_tables() -> None:
    assert checked(SKIPPING) == Ran(1, TABLES, "")


def test_the_times_of_keys_are_shown() -> None:
    times = (
        KeyPeriod(KeyId("default"), None, 978_307_200_000),
        KeyPeriod(KeyId("2026-01"), 0, 86_400_000),
    )
    report = evolve(CLEAN, routes=(evolve(ZAPIER, key_times=times),))
    ran = checked(report)
    assert "key default until 2001-01-01T00:00:00Z\n" in ran.out
    both = "key 2026-01 from 1970-01-01T00:00:00Z until"
    assert both in ran.out
    (shown,) = json.loads(checked(report, "--json").out)["routes"]
    assert shown["keyTimes"] == [
        {"keyId": "default", "notAfter": 978_307_200_000},
        {"keyId": "2026-01", "notBefore": 0, "notAfter": 86_400_000},
    ]


def test_how_keys_sign_is_shown() -> None:
    schemes = (KeyScheme(KeyId("default"), "github"),)
    report = evolve(CLEAN, routes=(evolve(ZAPIER, key_schemes=schemes),))
    assert "key default signs: github\n" in checked(report).out
    (shown,) = json.loads(checked(report, "--json").out)["routes"]
    assert shown["keySchemes"] == [{"keyId": "default", "scheme": "github"}]


def test_which_keys_may_use_which_action_is_shown_where_not_all_may() -> None:
    allowed = (
        ActionKeys("create_flow", ("zapier/default", "ci/2026-01")),
        ActionKeys("cancel_flow", ()),
    )
    report = evolve(CLEAN, allowed=allowed)
    table = checked(report).out.split("Who may use which action\n")[1].split("\n\n")[0]
    assert [line.split(maxsplit=1) for line in table.splitlines()[2:]] == [
        ["create_flow", "zapier/default, ci/2026-01"],
        ["cancel_flow", "nobody"],
    ]
    assert json.loads(checked(report, "--json").out)["allowed"] == [
        {"action": "create_flow", "keys": ["zapier/default", "ci/2026-01"]},
        {"action": "cancel_flow", "keys": []},
    ]
    assert "allowed" not in json.loads(checked(CLEAN, "--json").out)


def test_a_clean_configuration_is_done() -> None:
    ran = checked(CLEAN, "--strict")
    assert ran.code == 0
    assert ran.out.endswith("\n\n1 route would be served, none skipped, no advice.\n")


def test_a_configuration_whose_routes_are_all_skipped_is_a_finding() -> None:
    ran = checked(evolve(SKIPPING, routes=()))
    assert ran.code == 1
    assert ran.out.startswith("Routes that would be skipped\n")
    assert ran.out.endswith("\n\n0 routes would be served, 1 skipped, 1 line of advice.\n")


def test_advice_is_a_finding_only_if_strict() -> None:
    assert checked(ADVISED).code == 0
    assert checked(ADVISED, "--strict").code == 1


def test_a_configuration_in_json_is_the_whole_report() -> None:
    ran = checked(evolve(SKIPPING, routes=(ZAPIER,)), "--json")
    assert (ran.code, ran.err) == (1, "")
    assert json.loads(ran.out) == {
        "startable": True,
        "routes": [
            {
                "routeId": "zapier",
                "path": "/plugins/webhooks/zapier",
                "owner": "agent:main:main",
                "controllerId": "webhooks/zapier",
                "keyIds": ["default", "2026-01"],
                "limits": {
                    "bodyBytes": 262_144,
                    "rateRequests": 120,
                    "rateWindowSeconds": 60.0,
                    "inFlight": 8,
                    "answerBytes": 8_388_608,
                    "unverifiedBodyBytes": 65_536,
                    "unverifiedBodySeconds": 5.0,
                    "unverifiedInFlight": 4,
                    "announceRate": False,
                },
            }
        ],
        "skipped": [{"routeId": "n8n", "path": "/n8n", "reason": "N8N_SECRET is not set"}],
        "disabled": ["old", "older"],
        "advice": [
            {
                "field": "plugins.entries.webhooks.config.routes.zapier.secret",
                "line": 12,
                "sentence": "the secret has fewer than 16 characters",
            }
        ],
        "options": {
            "store": "sqlite:////var/lib/taskflow/flows.db",
            "host": "127.0.0.1",
            "port": 8080,
            "threads": 4,
            "connections": 1000,
            "drainSeconds": 30.0,
            "lostAfterSeconds": 300.0,
            "sweepSeconds": 20.0,
            "remoteAddress": "full",
            "trustedProxies": ["10.0.0.0/8"],
            "checkpoints": "/var/lib/taskflow/taskflow.checkpoints",
            "checkpointMinutes": 15.0,
        },
    }


def test_a_configuration_that_stops_the_gateway_is_trouble() -> None:
    assert checked(BROKEN) == Ran(2, PROBLEMS, REFUSAL)


def test_problems_in_json_have_their_places() -> None:
    ran = checked(BROKEN, "--json")
    assert (ran.code, ran.err) == (2, REFUSAL)
    assert json.loads(ran.out) == {
        "startable": False,
        "problems": [
            {"field": "", "sentence": "expected an object, found a list"},
            {
                "field": "taskflow.server.port",
                "line": 3,
                "sentence": "expected a port, found 99999",
            },
            {
                "field": "plugins.deny",
                "file": "/etc/a.json5",
                "line": 2,
                "sentence": "expected a list",
            },
        ],
    }


def test_who_signs_checkpoints_is_told() -> None:
    key = "flows.example+530d903b+AYPkOLGBXUcwPrFlsFCsRJxk4ZJgWPNXfDEPAK5Tv9B9"
    report = evolve(CLEAN, options=evolve(OPTIONS, public_key=key))
    told = checked(report).out.replace("\n                 ", "")
    assert f"/var/lib/taskflow/taskflow.checkpoints, every 15 min, signed by{key}" in told


def test_a_route_whose_approver_is_another_key_says_so() -> None:
    asking = evolve(CLEAN, routes=(evolve(ZAPIER, separate_approver=True),))
    assert "who lets a flow wait may not resume it" in checked(asking).out
    shown = json.loads(checked(asking, "--json").out)
    assert shown["routes"][0]["separateApprover"] is True
    assert "separateApprover" not in checked(CLEAN, "--json").out
