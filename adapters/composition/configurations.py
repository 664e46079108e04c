"""Recording what changed in a gateway's configuration, for its auditor, behind the reload."""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from threading import Event, Thread
from typing import Any, Final

from attrs import asdict, define, field

from adapters.composition.clock_and_ids import LOG, now
from adapters.logs import log_fault
from adapters.presentation.printable import to_the_millisecond
from adapters.settings import KeyValidity, RouteConfig, RouteKey, Secret, Settings
from adapters.settings.diagnostics import written
from adapters.store import record_configuration
from domain.application.ports import StoreUnavailable
from domain.flow.values import Timestamp
from domain.history.configuration import Cause, ConfigurationState
from domain.history.published import public_name

_RETRY_SECONDS: Final = 1.0
_PATIENCE_SECONDS: Final = 2.0
_MOST_WAITING: Final = 100


class _Ended(Exception):  # noqa: N818 - it ends the recording
    """The gateway ends while a configuration is described; the next start will find it."""


@define(eq=False)
class Fingerprints:
    """Digests of secrets; those of the last configuration are not made again."""

    ended: Callable[[], bool]
    _known: dict[tuple[str, str], tuple[Secret, str]] = field(factory=dict, init=False)

    def of(self, settings: Settings, salt: bytes) -> dict[tuple[str, str], str]:
        """Return the digest of each key, by the ids of its route and its own."""
        known, self._known = self._known, {}
        for route in settings.routes:
            for key in route.keys:
                held = known.get((route.route_id, key.key_id))
                same = held is not None and held[0].is_same_as(key.secret)
                digest = held[1] if held and same else self._new(key.secret, route, salt)
                self._known[route.route_id, key.key_id] = key.secret, digest
        return {ids: digest for ids, (_, digest) in self._known.items()}

    def _new(self, secret: Secret, route: RouteConfig, salt: bytes) -> str:
        if self.ended():
            raise _Ended
        # APPSEC: with the route in the salt, equal secrets of two routes do not look equal.
        return secret.fingerprint(salt + route.route_id.encode())


@define(eq=False)
class ConfigurationRecorder:
    """Writes what changed, in the order in which it came into force, in a thread of its own."""

    url: str
    _waiting: deque[tuple[Settings, Timestamp, Cause]] = field(init=False)
    _arrived: Event = field(factory=Event, init=False)
    _ended: Event = field(factory=Event, init=False)
    _fingerprints: Fingerprints = field(init=False)

    def __attrs_post_init__(self) -> None:
        # NOTE: what is dropped while the disk fails is in the next change that is written.
        self._waiting = deque(maxlen=_MOST_WAITING)
        self._fingerprints = Fingerprints(self._ended.is_set)

    def record(self, settings: Settings, cause: Cause = Cause.RELOAD) -> None:
        """Have it written that some settings are in force from now on."""
        self._waiting.append((settings, now(), cause))
        self._arrived.set()

    def end(self) -> None:
        """Write what waits, without trying again."""
        self._ended.set()
        self._arrived.set()

    def run(self) -> None:
        """Write what arrives, until the end."""
        is_failing = False
        while not (self._ended.is_set() and not self._waiting):
            self._arrived.wait()
            self._arrived.clear()
            try:
                self._write_all()
                is_failing = False
            except _Ended:
                return
            except Exception as fault:  # noqa: BLE001 - whatever it is, the next turn may do better
                if not is_failing:
                    error = None if isinstance(fault, StoreUnavailable) else fault
                    log_fault(LOG, "configuration not recorded", {"reason": str(fault)}, error)
                is_failing = True
                if self._ended.wait(_RETRY_SECONDS):
                    return
                self._arrived.set()

    def _write_all(self) -> None:
        while self._waiting:
            entry = settings, at, cause = self._waiting[0]
            describe = partial(describe_settings, settings, self._fingerprints)
            record_configuration(self.url, describe, at=at, cause=cause)
            if self._waiting and self._waiting[0] is entry:
                self._waiting.popleft()


@contextmanager
def recording_configurations(url: str, settings: Settings) -> Iterator[Callable[[Settings], None]]:
    """Give what records settings that came into force; those of the start are recorded at once."""
    recorder = ConfigurationRecorder(url)
    recorder.record(settings, Cause.START)
    thread = Thread(target=recorder.run, name="configurations", daemon=True)
    thread.start()
    try:
        yield recorder.record
    finally:
        recorder.end()
        thread.join(_PATIENCE_SECONDS)


def describe_settings(
    settings: Settings, fingerprints: Fingerprints, salt: bytes
) -> ConfigurationState:
    """Return each field of some settings as a text, with digests in the place of secrets."""
    digests = fingerprints.of(settings, salt)
    checkpoints = settings.checkpoints
    key, admin = checkpoints.key, settings.admin
    return {
        "gateway.trustedProxies": ", ".join(map(str, settings.trusted_proxies)),
        **_block("taskflow.store", {"url": settings.store.url}),
        **{
            name: value
            for shard in settings.shards[1:]
            for name, value in _block(
                f"taskflow.store.shards.{shard.name}",
                {"url": shard.url.url, "closed": shard.closed},
            ).items()
        },
        **_block("taskflow.server", {**asdict(settings.server), "core_dumps": settings.core_dumps}),
        **_block("taskflow.server.admin", {} if admin is None else asdict(admin)),
        **_block("taskflow.limits", asdict(settings.limits)),
        **_block("taskflow.limits.shared", _shared_limits(settings)),
        **_block("taskflow.children", asdict(settings.children)),
        **_block("taskflow.log", asdict(settings.log)),
        **_block(
            "taskflow.audit",
            {
                "checkpoints": checkpoints.file,
                "every_minutes": checkpoints.every_minutes,
                "origin": checkpoints.origin,
                "key": None if key is None else key.place,
                "previous_keys": ", ".join(checkpoints.previous_keys) or None,
                "refusals": settings.kept_refusals,
            },
        ),
        **{
            name: value
            for route in settings.routes
            for name, value in _route(route, digests).items()
        },
    }


def _block(place: str, values: dict[str, Any]) -> dict[str, str]:
    return {
        f"{place}.{public_name(name)}": str(value)
        for name, value in values.items()
        if value is not None
    }


def _shared_limits(settings: Settings) -> dict[str, object]:
    shared, password = settings.shared_limits, settings.shared_limits_password
    fields = {} if shared is None else asdict(shared, recurse=False)
    return {**fields, "password": None if password is None else password.place}


def _route(route: RouteConfig, digests: dict[tuple[str, str], str]) -> dict[str, str]:
    place = written(("routes", route.route_id))
    fields = {
        "path": route.path,
        "session_key": route.owner,
        "controller_id": route.controller_id,
        "description": route.description,
        "map": None if route.map is None else json.dumps(asdict(route.map)),
        "separate_approver": route.separate_approver or None,
    }
    found = {**_block(place, fields), **_block(f"{place}.limits", asdict(route.limits))}
    for key in route.keys:
        name = written(("routes", route.route_id, "keys", key.key_id))
        found[name] = digests[route.route_id, key.key_id]
        found |= _block(name, {**_times(key.validity), **_rights(key)})
    return found


def _rights(key: RouteKey) -> dict[str, str | None]:
    signature = key.signature
    options = {} if signature is None else signature.options
    return {
        "auth": None if signature is None else signature.scheme,
        **{f"auth.{public_name(name)}": str(value) for name, value in options.items()},
        "may": None if key.may is None else ", ".join(sorted(key.may)),
    }


def _times(times: KeyValidity) -> dict[str, str | None]:
    return {
        name: None if at is None else to_the_millisecond(at)
        for name, at in (("not_before", times.not_before), ("not_after", times.not_after))
    }
