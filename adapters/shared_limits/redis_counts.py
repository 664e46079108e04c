"""Rates and places of all gateways, asked for in the I/O thread within a deadline.

That thread only ever uses a connection that stands. Whatever goes wrong there closes it, and a
thread of this module makes another one, gives places back, and keeps those that last.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from itertools import count
from queue import Empty, SimpleQueue
from threading import Lock
from typing import Any, Final, TypeAlias
from uuid import uuid4

from attrs import define, field, frozen
from redis import Redis
from redis.backoff import NoBackoff
from redis.exceptions import RedisError
from redis.retry import Retry

from adapters.shared_limits import scripts

LEASE_SECONDS: Final = 30.0
"""How long a place stays taken after the gateway that took it was killed."""

_RETRY_SECONDS: Final = 0.25
_PATIENCE_SECONDS: Final = 1.0
"""What the thread that nobody waits for allows the server."""

_PREFIX: Final = "taskflow:limits"

SharedPlace: TypeAlias = tuple[str, str]
"""A place: the key of its set, and its member there."""


@frozen
class SharedHit:
    """What the server says of a request: with the place that it took, if there was one."""

    passes: bool
    left: int
    reset_seconds: float
    place: SharedPlace | None


@define(eq=False)
class RedisCounts:
    """Counts on a server.

    `on_change` is called with the reason when the server is gone, and with None when it is back.
    """

    url: str
    deadline_seconds: float
    on_change: Callable[[str | None], None]
    password: str | None = field(default=None, repr=False)
    lease_seconds: float = LEASE_SECONDS
    _client: Redis | None = field(default=None, init=False)
    _helper: Redis | None = field(default=None, init=False)
    _shas: Mapping[str, str] = field(factory=dict, init=False)
    _held: dict[SharedPlace, None] = field(factory=dict, init=False)
    _jobs: SimpleQueue[SharedPlace | None] = field(factory=SimpleQueue, init=False)
    _lock: Lock = field(factory=Lock, init=False)
    _is_stopped: bool = field(default=False, init=False)
    _is_gone: bool = field(default=False, init=False)
    _tokens: Callable[[], str] = field(init=False)

    @_tokens.default
    def _own_tokens(self) -> Callable[[], str]:
        name, numbers = uuid4().hex, count(1)
        return lambda: f"{name}:{next(numbers)}"

    @property
    def is_up(self) -> bool:
        """Whether the server is asked."""
        return self._client is not None

    def hit(
        self, key: tuple[str, str], *, requests: int, window_seconds: float, places: int
    ) -> SharedHit | None:
        """Count a request of a key, and take a place for it; None if the server is gone."""
        place = (_name("place", key), self._tokens())
        lease = round(1000 * self.lease_seconds)
        keys = (_name("rate", key), place[0])
        window = round(1000 * window_seconds)
        found = self._ask(scripts.HIT, keys, requests, window, place[1], lease, places)
        if found is None:
            return None
        passes, left, milliseconds, is_placed = found
        return SharedHit(
            passes=bool(passes),
            left=left,
            reset_seconds=milliseconds / 1000,
            place=self._hold(place) if is_placed else None,
        )

    def take(self, key: tuple[str, str], *, places: int) -> SharedPlace | bool:
        """Take a place of a key; False if there is none, True if nobody knows of others."""
        place = (_name("place", key), self._tokens())
        lease = round(1000 * self.lease_seconds)
        found = self._ask(scripts.TAKE, (place[0],), place[1], lease, places)
        if found is None:
            return True
        return self._hold(place) if found else False

    def release(self, place: SharedPlace) -> None:
        """Give a place back, in a moment; any thread may call this."""
        self._held.pop(place, None)
        self._jobs.put(place)

    def _hold(self, place: SharedPlace) -> SharedPlace:
        self._held[place] = None
        return place

    def _ask(self, script: str, keys: tuple[str, ...], *given: int | str) -> Any:  # noqa: ANN401 - redis has no types for answers
        with self._lock:
            client = self._client
            if client is None:
                return None
            try:
                return client.evalsha(self._shas[script], len(keys), *keys, *given)
            except (RedisError, OSError) as error:
                self._client = None
                self._tell(error)
        self._jobs.put(None)
        return None

    # In a thread of its own

    def run(self) -> None:
        """Connect whenever the server is gone, give back and keep places, until the end."""
        renewed = time.monotonic()
        while not self._is_stopped:
            try:
                if self._client is None:
                    self._connect()
                self._do(self._next_jobs(self.lease_seconds / 3))
                if time.monotonic() - renewed > self.lease_seconds / 3:
                    renewed = time.monotonic()
                    self._renew()
            except (RedisError, OSError) as error:
                self._client = None
                self._tell(error)
                time.sleep(_RETRY_SECONDS)

    def stop(self) -> None:
        """End; what is still taken is free after the lease."""
        self._is_stopped = True
        self._jobs.put(None)

    def _connect(self) -> None:
        self._helper = self._connected(_PATIENCE_SECONDS)
        self._shas = {
            script: str(self._helper.script_load(script))
            for script in (scripts.HIT, scripts.TAKE, scripts.RENEW)
        }
        client = self._connected(self.deadline_seconds)
        self._try(client)
        self._client = client
        self._tell(None)

    def _try(self, client: Redis) -> None:
        """Do once what requests do: a server that answers may be full, too slow, or read-only."""
        key = ("trial", uuid4().hex)
        keys = (_name("rate", key), _name("place", key))
        client.evalsha(self._shas[scripts.HIT], len(keys), *keys, 1, 1, "trial", 1, 1)

    def _connected(self, seconds: float) -> Redis:
        client = Redis.from_url(
            self.url,
            password=self.password,
            socket_timeout=_PATIENCE_SECONDS,
            socket_connect_timeout=_PATIENCE_SECONDS,
            retry=Retry(NoBackoff(), 0),
            single_connection_client=True,
            decode_responses=True,
            client_name="taskflow",
        )
        client.ping()
        # PERF: from here on nothing is connected, and no name looked up, in the I/O thread.
        connection: Any = client.connection
        connection._sock.settimeout(seconds)  # noqa: SLF001 - to connect may take longer
        connection.socket_timeout = seconds
        return client

    def _next_jobs(self, seconds: float) -> list[SharedPlace]:
        """Wait for places to give back, so long at most, and take all that wait."""
        found: list[SharedPlace] = []
        try:
            job = self._jobs.get(timeout=seconds)
            while True:
                found += [] if job is None else [job]
                job = self._jobs.get_nowait()
        except Empty:
            return found

    def _do(self, places: list[SharedPlace]) -> None:
        if places and self._helper is not None:
            with self._helper.pipeline(transaction=False) as pipeline:
                for place in places:
                    pipeline.zrem(*place)
                pipeline.execute()

    def _renew(self) -> None:
        if self._helper is not None:
            lease = round(1000 * self.lease_seconds)
            for place in tuple(self._held):
                sha = self._shas[scripts.RENEW]
                self._helper.evalsha(sha, 1, *place, lease)

    def _tell(self, error: Exception | None) -> None:
        """Say once that the server is gone, and once that it is back."""
        is_gone = error is not None
        if is_gone != self._is_gone or (error is None and not self._has_begun):
            self._has_begun = True
            self._is_gone = is_gone
            self.on_change(None if error is None else str(error) or type(error).__name__)

    _has_begun: bool = field(default=False, init=False)


def _name(kind: str, key: tuple[str, str]) -> str:
    # NOTE: what stands in braces decides in a cluster which server has a key; both are together.
    return f"{_PREFIX}:{{{key[0]}:{key[1]}}}:{kind}"
