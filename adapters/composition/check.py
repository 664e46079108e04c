"""What `taskflow check` reports of a configuration."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from adapters import cli
from adapters.composition.checkpoints import Signing, signing_of
from adapters.composition.clock_and_ids import now
from adapters.composition.key_times import advise_on_times, shown_times
from adapters.composition.mappings import check_map
from adapters.composition.own_files import CHECKPOINTS, misplaced_in_any
from adapters.composition.sharing import SHARED_LIMITS, password_of
from adapters.settings import (
    ACTION_NAMES,
    ConfigAdvice,
    ConfigProblem,
    Settings,
    SettingsError,
    Unresolved,
    load_settings,
)


def check_configuration(config: Path) -> cli.CheckReport:
    """Say what a configuration would serve."""
    try:
        settings = load_settings(config, os.environ, check_map)
    except SettingsError as error:
        return cli.Unstartable(tuple(_finding(config, one) for one in error.problems))
    signing, password = signing_of(settings), password_of(settings)
    refusals = {
        CHECKPOINTS: misplaced_in_any(settings, settings.store.url, signing),
        SHARED_LIMITS: password.reason if isinstance(password, Unresolved) else None,
    }
    if found := tuple(_unplaced(field, why) for field, why in refusals.items() if why):
        return cli.Unstartable(found)
    return cli.Startable(
        routes=tuple(_served(settings)),
        skipped=tuple(
            cli.UnservedRoute(route_id=s.route_id, path=s.path, reason=s.reason)
            for s in settings.skipped
        ),
        disabled=settings.disabled,
        advice=(
            *(_finding(config, one) for one in settings.advice),
            *(_unplaced(one.field, one.sentence) for one in advise_on_times(settings, now())),
            *(_unplaced("taskflow.audit", sentence) for sentence in signing.faults),
        ),
        options=_checked_options(settings, signing),
        allowed=_allowed(settings),
    )


def _unplaced(field: str, sentence: str) -> cli.ConfigurationFinding:
    return cli.ConfigurationFinding(field=field, sentence=sentence)


def _finding(config: Path, found: ConfigProblem | ConfigAdvice) -> cli.ConfigurationFinding:
    file = None if found.file == str(config) else found.file
    return cli.ConfigurationFinding(
        field=found.path, line=found.line, sentence=found.sentence, file=file
    )


def _served(settings: Settings) -> Iterator[cli.ServedRoute]:
    for route in settings.routes:
        yield cli.ServedRoute(
            route_id=route.route_id,
            path=route.path,
            owner=route.owner,
            controller_id=route.controller_id,
            key_ids=tuple(key.key_id for key in route.keys),
            limits=route.limits,
            key_times=tuple(cli.KeyPeriod(*times) for times in shown_times(route)) or None,
            key_schemes=tuple(
                cli.KeyScheme(key.key_id, key.signature.scheme)
                for key in route.keys
                if key.signature
            )
            or None,
            separate_approver=route.separate_approver or None,
        )


def _allowed(settings: Settings) -> tuple[cli.ActionKeys, ...] | None:
    keys = [
        (f"{route.route_id}/{key.key_id}", key) for route in settings.routes for key in route.keys
    ]
    if all(key.may is None for _, key in keys):
        return None
    return tuple(
        cli.ActionKeys(
            action, tuple(name for name, key in keys if key.may is None or action in key.may)
        )
        for action in ACTION_NAMES
    )


def _checked_options(settings: Settings, signing: Signing) -> cli.GatewayOptions:
    admin, shared = settings.admin, settings.shared_limits
    return cli.GatewayOptions(
        store=settings.store.url,
        shards=tuple(
            cli.FurtherStore(shard.name, shard.url.url, "closed" if shard.closed else "open")
            for shard in settings.shards[1:]
        )
        or None,
        host=settings.server.host,
        port=settings.server.port,
        metrics=None if admin is None else f"{admin.host} port {admin.port}",
        shared_limits=None
        if shared is None
        else f"counted together at {shared.url}, while it is gone: {shared.while_gone}",
        threads=settings.server.threads,
        connections=settings.server.connections,
        drain_seconds=settings.server.drain_seconds,
        lost_after_seconds=settings.children.lost_after_seconds,
        sweep_seconds=settings.children.sweep_seconds,
        remote_address=settings.log.remote_address,
        trusted_proxies=tuple(str(network) for network in settings.trusted_proxies),
        checkpoints=str(settings.checkpoints.file),
        checkpoint_minutes=settings.checkpoints.every_minutes,
        public_key=next(map(str, signing.verifiers or ()), None),
    )
