from __future__ import annotations

import os
from pathlib import Path

import pytest

from adapters.settings import (
    AdminConfig,
    ChildrenConfig,
    LogConfig,
    Misfit,
    ServerConfig,
    SettingsError,
    SharedLimitsConfig,
    StoreConfig,
    Unresolved,
    parse_store_url,
    read_store_config,
)
from domain.application.limits import Limits, RouteLimits
from tests.settings.workbench import advice_of, loaded, refused, written

ALL = {
    "store": {"url": "sqlite:////data/flows.db"},
    "server": {
        "host": "::1",
        "port": 0,
        "threads": 2,
        "connections": 10,
        "connectionsPerAddress": 3,
        "headBytes": 8192,
        "idleSeconds": 1,
        "answerSeconds": 7,
        "waitingBytes": 2_000_000,
        "writeSeconds": 2.5,
        "drainSeconds": 0.1,
        "coreDumps": True,
        "admin": {"host": "::", "port": 9},
    },
    "limits": {
        "bodyBytes": 1,
        "bodySeconds": 0.2,
        "headSeconds": 3,
        "rateRequests": 4,
        "rateWindowSeconds": 5,
        "inFlight": 6,
        "trackedKeys": 7,
        "answerBytes": 65_536,
        "ipv6Prefix": 56,
        "shared": {"url": "rediss://limits@valkey:6379/1", "whileGone": "refuse"},
        "unverifiedBodyBytes": 8,
        "unverifiedBodySeconds": 0.9,
        "unverifiedInFlight": 10,
        "unverifiedTotal": 11,
        "announceRate": True,
    },
    "children": {"lostAfterSeconds": 1, "sweepSeconds": 0.5},
    "log": {"remoteAddress": "truncated"},
    "audit": {"refusals": 0},
}


def test_everything_has_a_default(tmp_path: Path) -> None:
    settings = loaded(tmp_path, "{}")
    assert settings.file == tmp_path / "gateway.json5"
    assert settings.store == StoreConfig(Path(os.path.realpath(tmp_path)) / "taskflow.db")
    assert settings.server == ServerConfig(host="127.0.0.1", port=8080, threads=1)
    assert settings.server.idle_seconds == 75  # longer than proxies keep theirs
    assert settings.limits == Limits(
        body_bytes=262_144,
        body_seconds=15,
        head_seconds=15,
        rate_requests=120,
        rate_window_seconds=60,
        in_flight=8,
        tracked_keys=4096,
        answer_bytes=8_388_608,
        ipv6_prefix=64,
        unverified_body_bytes=65_536,
        unverified_body_seconds=5,
        unverified_in_flight=4,
        unverified_total=64,
        announce_rate=False,
    )
    assert settings.children == ChildrenConfig(lost_after_seconds=300, sweep_seconds=20)
    assert settings.log == LogConfig(remote_address="full")
    assert settings.kept_refusals == 100_000
    assert settings.core_dumps is False
    assert settings.admin is None
    assert settings.shared_limits is None
    assert settings.trusted_proxies == ()


def test_everything_can_be_set(tmp_path: Path) -> None:
    settings = loaded(tmp_path, {"taskflow": ALL})
    assert settings.store == StoreConfig(Path("/data/flows.db"))
    assert settings.server == ServerConfig(
        host="::1",
        port=0,
        threads=2,
        connections=10,
        connections_per_address=3,
        head_bytes=8192,
        idle_seconds=1,
        write_seconds=2.5,
        answer_seconds=7,
        waiting_bytes=2_000_000,
        drain_seconds=0.1,
    )
    assert settings.limits == Limits(
        body_bytes=1,
        body_seconds=0.2,
        head_seconds=3,
        rate_requests=4,
        rate_window_seconds=5,
        in_flight=6,
        tracked_keys=7,
        answer_bytes=65_536,
        ipv6_prefix=56,
        unverified_body_bytes=8,
        unverified_body_seconds=0.9,
        unverified_in_flight=10,
        unverified_total=11,
        announce_rate=True,
    )
    assert settings.children == ChildrenConfig(lost_after_seconds=1, sweep_seconds=0.5)
    assert settings.log == LogConfig(remote_address="truncated")
    assert settings.kept_refusals == 0
    assert settings.core_dumps is True
    assert settings.admin == AdminConfig(host="::", port=9)
    assert settings.shared_limits == SharedLimitsConfig(
        url="rediss://limits@valkey:6379/1", while_gone="refuse", deadline_seconds=0.005
    )


@pytest.mark.parametrize(("connections", "quarter"), [(400, 100), (1024, 256), (3, 1)])
def test_an_address_has_a_quarter_of_the_connections_unless_it_is_set(
    tmp_path: Path, connections: int, quarter: int
) -> None:
    settings = loaded(tmp_path, {"taskflow": {"server": {"connections": connections}}})
    assert settings.server.connections_per_address == quarter


def test_a_routes_limits_start_from_the_general_ones(tmp_path: Path) -> None:
    routes = {"a": {"sessionKey": "s", "secret": "x", "limits": {"inFlight": 1}}}
    document = {
        "taskflow": {"limits": {"rateRequests": 9}},
        "plugins": {"entries": {"webhooks": {"config": {"routes": routes}}}},
    }
    (route,) = loaded(tmp_path, document).routes
    assert route.limits == RouteLimits(rate_requests=9, in_flight=1)


@pytest.mark.parametrize(
    ("block", "problem"),
    [
        ([], ": expected an object, found an array"),
        (
            {"audits": {}},
            (
                ".audits: expected one of the keys store, server, limits, children, log or audit, "
                "found an unknown key"
            ),
        ),
        ({"store": "x"}, ".store: expected an object, found a string"),
        ({"store": {"url": 1}}, ".store.url: expected a non-empty string, found a number"),
        (
            {"audit": {"refusals": -1}},
            ".audit.refusals: expected a whole number from 0 to 10000000, found a smaller number",
        ),
        (
            {"server": {"port": True}},
            ".server.port: expected a whole number from 0 to 65535, found true",
        ),
        (
            {"server": {"port": "80"}},
            ".server.port: expected a whole number from 0 to 65535, found a string",
        ),
        (
            {"server": {"port": 80.0}},
            (
                ".server.port: expected a whole number from 0 to 65535,"
                " found a number with a point or an exponent"
            ),
        ),
        (
            {"server": {"port": -1}},
            ".server.port: expected a whole number from 0 to 65535, found a smaller number",
        ),
        (
            {"server": {"port": 65536}},
            ".server.port: expected a whole number from 0 to 65535, found a larger number",
        ),
        (
            {"server": {"port": None}},
            ".server.port: expected a whole number from 0 to 65535, found null",
        ),
        (
            {"server": {"threads": 0}},
            ".server.threads: expected a whole number from 1 to 256, found a smaller number",
        ),
        (
            {"server": {"host": ""}},
            ".server.host: expected a non-empty string, found a blank string",
        ),
        (
            {"server": {"host": "a b"}},
            ".server.host: expected an address or a host name, found a string with blanks",
        ),
        (
            {"limits": {"bodyBytes": 10**30}},
            ".limits.bodyBytes: expected a whole number from 1 to 16777216, found a larger number",
        ),
        (
            {"limits": {"bodySeconds": 0}},
            ".limits.bodySeconds: expected seconds from 0.1 to 3600, found a smaller number",
        ),
        (
            {"limits": {"bodySeconds": True}},
            ".limits.bodySeconds: expected seconds from 0.1 to 3600, found true",
        ),
        (
            {"children": {"sweepSeconds": "20"}},
            ".children.sweepSeconds: expected seconds from 0.1 to 86400, found a string",
        ),
        (
            {"children": {"lostAfterSeconds": None}},
            ".children.lostAfterSeconds: expected seconds from 0.1 to 31536000, found null",
        ),
        (
            {"log": {"remoteAddress": "half"}},
            ".log.remoteAddress: expected one of full, truncated or none, found another string",
        ),
        (
            {"log": {"remoteAddress": ["full"]}},
            ".log.remoteAddress: expected one of full, truncated or none, found an array",
        ),
    ],
)
def test_a_wrong_setting_is_named_with_what_was_expected(
    tmp_path: Path, block: object, problem: str
) -> None:
    assert refused(tmp_path, {"taskflow": block}) == [f"taskflow{problem}"]


@pytest.mark.parametrize("number", ["NaN", "-Infinity", "Infinity", "-0.0", "0x" + "f" * 5000])
def test_numbers_that_are_none_are_refused(tmp_path: Path, number: str) -> None:
    text = f"{{taskflow: {{limits: {{headSeconds: {number}}}}}}}"
    (problem,) = refused(tmp_path, text)
    assert problem.startswith("taskflow.limits.headSeconds: expected seconds from 0.1 to 3600, ")


@pytest.mark.parametrize(
    ("url", "path"),
    [
        ("sqlite:///flows.db", "/etc/gateway/flows.db"),
        ("sqlite:///../var/flows.db", "/etc/var/flows.db"),
        ("sqlite:////data/flows 100%.db", "/data/flows 100%.db"),
    ],
)
def test_a_stores_path_is_absolute_or_starts_at_a_folder(url: str, path: str) -> None:
    folder = Path(os.path.realpath("/etc")) / "gateway"
    assert parse_store_url(url, folder) == StoreConfig(Path(os.path.realpath(path)))


def test_a_stores_url_leads_back_to_it(tmp_path: Path) -> None:
    for url in ("sqlite:///x.db", "sqlite://:memory:"):
        store = parse_store_url(url, tmp_path)
        assert parse_store_url(store.url, Path("/elsewhere")) == store


@pytest.mark.parametrize(
    ("text", "path"),
    [
        ("5", ""),
        ("{taskflow: []}", "taskflow"),
        ("{Taskflow: {store: {url: 'sqlite:///a.db'}}}", "Taskflow"),
        ("{'task-flow': {}}", "task-flow"),
        ("{taskflow: {stroe: {url: 'sqlite:///a.db'}}}", "taskflow.stroe"),
        ("{taskflow: {store: {uri: 'sqlite:///a.db'}}}", "taskflow.store.uri"),
    ],
)
def test_where_the_store_is_said_wrongly_no_other_one_is_found(
    tmp_path: Path, text: str, path: str
) -> None:
    with pytest.raises(SettingsError) as caught:
        read_store_config(written(tmp_path, text), {})
    assert path in {problem.path for problem in caught.value.problems}


def test_the_store_is_found_whatever_else_is_wrong(tmp_path: Path) -> None:
    wrong = "{taskflow: {store: {url: 'sqlite:///a.db'}, log: 1, server: {x: 1}}, plugins: 1}"
    assert read_store_config(written(tmp_path, wrong), {}).path == tmp_path / "a.db"


def test_a_store_in_memory_is_advised_against(tmp_path: Path) -> None:
    settings = loaded(tmp_path, "{taskflow: {store: {url: 'sqlite://:memory:'}}}")
    assert settings.store == StoreConfig(path=None)
    assert "taskflow.store.url: nothing is kept when the gateway stops" in advice_of(settings)


PASSWORD = "a PostgreSQL URL with a password: put that into PGPASSWORD or PGPASSFILE"


@pytest.mark.parametrize(
    ("url", "found"),
    [
        ("postgresql://u:canary@db/x", PASSWORD),
        ("postgres://u:canary@db/x", PASSWORD),
        ("postgresql://u@db/x?password=canary", PASSWORD),
        ("postgresql://u@db", "a PostgreSQL URL without a database"),
        ("postgresql://u@db/", "a PostgreSQL URL without a database"),
        ("postgresql://u@db/x?options=-c", "a PostgreSQL URL with an option that is not served"),
        ("mysql://u:canary@db/x", "a URL of mysql"),
        ("sqlite://flows.db", "a URL with two slashes before the file"),
        ("flows.db", "something that is no such URL"),
        ("SQLITE:///flows.db", "something that is no such URL"),
        ("sqlite:///", "a URL without a file"),
        ("sqlite:////data/", "a URL without a file"),
        ("sqlite:///:memory:", "another spelling of sqlite://:memory:"),
        ("sqlite:///flows.db?mode=ro", "a URL with a query or a fragment"),
        ("sqlite:///flows.db#x", "a URL with a query or a fragment"),
    ],
)
def test_any_other_store_is_refused_without_showing_its_url(
    tmp_path: Path, url: str, found: str
) -> None:
    expected = (
        "sqlite:///FILE, sqlite:////ABSOLUTE/FILE, or postgresql://USER@HOST/NAME without"
        " a password"
    )
    with pytest.raises(Misfit) as misfit:
        parse_store_url(url, tmp_path)
    assert str(misfit.value) == f"expected {expected}, found {found}"
    assert refused(tmp_path, {"taskflow": {"store": {"url": url}}}) == [
        f"taskflow.store.url: expected {expected}, found {found}"
    ]


def test_metrics_are_never_served_where_callers_ask(tmp_path: Path) -> None:
    for server in ({"admin": {"port": 8080}}, {"port": 9464, "admin": {}}):
        expected = "expected another port than that of the webhooks, found the same"
        assert refused(tmp_path, {"taskflow": {"server": server}}) == [
            f"taskflow.server.admin.port: {expected}"
        ]
    assert loaded(tmp_path, {"taskflow": {"server": {"admin": {}}}}).admin == AdminConfig()


@pytest.mark.parametrize(
    "url",
    [
        *("redis://:the-password@valkey/0", "redis://limits:the-password@valkey", "http://valkey"),
        *("redis://", "redis:///0", "redis://valkey/x", "redis://valkey?password=the-password"),
    ],
)
def test_the_url_of_shared_limits_holds_no_password_and_is_not_shown(
    tmp_path: Path, url: str
) -> None:
    (problem,) = refused(tmp_path, {"taskflow": {"limits": {"shared": {"url": url}}}})
    assert problem.startswith("taskflow.limits.shared.url: expected redis://HOST:PORT/DATABASE")
    assert "the-password" not in problem


def test_the_password_of_shared_limits_is_a_secret_that_is_looked_up(tmp_path: Path) -> None:
    shared = {"url": "redis://valkey", "password": "${VALKEY_PASSWORD}"}
    settings = loaded(tmp_path, {"taskflow": {"limits": {"shared": shared}}})
    assert settings.shared_limits_password is not None
    found = settings.shared_limits_password.look_up({"VALKEY_PASSWORD": "it-is-here"})
    assert not isinstance(found, Unresolved)
    assert found.reveal() == "it-is-here"
    assert "it-is-here" not in repr(settings)


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://flows@db.internal:5433/taskflow",
        "postgresql://flows@one,two/taskflow?target_session_attrs=read-write&sslmode=verify-full",
        "postgresql:///taskflow?host=/run/postgresql",
    ],
)
def test_a_database_of_postgresql_is_named_by_its_url(tmp_path: Path, url: str) -> None:
    assert parse_store_url(url, tmp_path).url == url
    assert parse_store_url(url.replace("postgresql:", "postgres:"), tmp_path).url == url
    settings = loaded(tmp_path, {"taskflow": {"store": {"url": url}}})
    assert settings.store.url == url
    assert "nothing is kept" not in str(advice_of(settings))
