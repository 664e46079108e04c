"""What `check` and a start say of keys that begin and end."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

from adapters import cli
from adapters.composition.check import check_configuration
from adapters.composition.clock_and_ids import now
from adapters.composition.key_times import advise_on_times
from adapters.composition.stores import settings_of
from domain.flow.ids import KeyId
from tests.whole.reloadable import NEW, OLD, Reloadable, document, route

PLACE = "plugins.entries.webhooks.config.routes.zapier.secrets"
THIRD = "the-third-secret-of-zapier"
DAY = 86_400_000


def in_days(days: float) -> str:
    return (datetime.now(UTC) + timedelta(days=days)).isoformat(timespec="seconds")


def configured(folder: Path, **keys: object) -> Path:
    return Reloadable.in_folder(folder, document({"zapier": route(secrets=keys)})).gateway.config


def test_check_shows_when_keys_begin_and_end(tmp_path: Path) -> None:
    times = {"notBefore": "2001-01-01T00:00:00Z", "notAfter": "2999-01-01T00:00:00Z"}
    report = check_configuration(configured(tmp_path, timed={"secret": OLD, **times}, plain=NEW))
    assert isinstance(report, cli.Startable)
    (served,) = report.routes
    assert served.key_times == (cli.KeyPeriod(KeyId("timed"), 978_307_200_000, 32_472_144_000_000),)
    assert not [one for one in report.advice if one.field.startswith(f"{PLACE}.timed:")]


def test_a_key_that_ends_soon_or_has_ended_or_not_begun_is_advised_on(tmp_path: Path) -> None:
    config = configured(
        tmp_path,
        soon={"secret": OLD, "notAfter": in_days(6.9)},
        late={"secret": NEW, "notAfter": in_days(7.1)},
        gone={"secret": THIRD, "notAfter": "2001-01-01T00:00:00Z"},
        early={"secret": f"{THIRD}-next", "notBefore": "2999-01-01T00:00:00Z"},
    )
    said = {one.field: one.sentence for one in advise_on_times(settings_of(config), now())}
    assert said.keys() == {f"{PLACE}.{key_id}" for key_id in ("soon", "gone", "early")}
    assert said[f"{PLACE}.soon"].endswith(", within 7 days")
    assert said[f"{PLACE}.gone"] == "the key has expired at 2001-01-01T00:00:00Z: take it out"
    assert said[f"{PLACE}.early"] == "the key is valid from 2999-01-01T00:00:00Z on, not yet now"


def test_a_route_without_any_key_that_is_valid_is_advised_on(tmp_path: Path) -> None:
    gone = {"secret": OLD, "notAfter": "2001-01-01T00:00:00Z"}
    early = {"secret": NEW, "notBefore": "2999-01-01T00:00:00Z"}
    settings = settings_of(configured(tmp_path, gone=gone, early=early))
    *_, last = advise_on_times(settings, now())
    assert str(last) == f"{PLACE}: no key of the route is valid now: every caller is turned away"
    assert len(list(advise_on_times(settings, 978_307_200_000 - 1))) == 2  # soon, and not yet
    assert len(list(advise_on_times(settings, 978_307_200_000 - 8 * DAY))) == 1


def test_a_start_and_a_reload_warn_of_a_key_that_has_ended(tmp_path: Path) -> None:
    gone = {"secret": OLD, "notAfter": "2001-01-01T00:00:00Z"}
    made = Reloadable.in_folder(tmp_path, document({"zapier": route(secrets={"gone": gone})}))
    warning = f"WARNING {PLACE}.gone: the key has expired at 2001-01-01T00:00:00Z: take it out\n"
    with made.gateway:
        assert made.gateway.logs.count(warning) == 1
        made.reloaded(document({"zapier": route(secrets={"gone": gone, "new": NEW})}))
        assert made.statuses(OLD, NEW) == [401, 200]
        assert made.gateway.stop() == 0
    assert made.gateway.logs.count(warning) == 2
