"""Counting together with other gateways, where the configuration says where."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from adapters import cli
from adapters.composition.clock_and_ids import LOG
from adapters.logs import log_milestone
from adapters.metrics import GatewayMetrics
from adapters.schedule import beside
from adapters.settings import Settings, Unresolved
from adapters.settings.secret_text import Resolution
from adapters.webhooks.limits import RateLimiter
from adapters.webhooks.shared_limits import SharedLimiter

_LAST_SECONDS = 2.0
SHARED_LIMITS: Final = "taskflow.limits.shared.password"


@contextmanager
def sharing_limits(settings: Settings, metrics: GatewayMetrics) -> Iterator[SharedLimiter | None]:
    """Give what counts together with other gateways while the context lasts, if anything does.

    The gateway serves whether or not the server of the counts is there.

    Raises:
        CommandError: if its password is not found, or the package that speaks to it.
    """
    shared = settings.shared_limits
    if shared is None:
        yield None
        return
    try:
        # NOTE: the one room of which the package is an extra.
        from adapters.shared_limits.redis_counts import RedisCounts  # noqa: PLC0415
    except ModuleNotFoundError as error:
        raise cli.CommandError(
            "taskflow.limits.shared needs a package that is not installed:"
            " pip install 'taskflow-webhooks[redis]'"
        ) from error

    def note(reason: str | None) -> None:
        if reason is None:
            log_milestone(LOG, "limits are shared", {"url": shared.url})
        else:
            LOG.warning(
                "limits are not shared now (while gone: %s): %s: %s",
                shared.while_gone,
                shared.url,
                reason,
            )

    password = password_of(settings)
    if isinstance(password, Unresolved):
        raise cli.CommandError(f"{SHARED_LIMITS}: {password.reason}")
    revealed = password and password.reveal()
    counts = RedisCounts(shared.url, shared.deadline_seconds, note, revealed)
    metrics.read("limits_shared", lambda: counts.is_up)
    local = RateLimiter(time.monotonic, settings.limits.tracked_keys)
    with beside(counts.run, counts.stop, name="shared limits", seconds=_LAST_SECONDS):
        yield SharedLimiter(counts, local, shared.while_gone)


def password_of(settings: Settings) -> Resolution | None:
    """Look up the password of the server of the counts, if it has one."""
    declared = settings.shared_limits_password
    return declared and declared.look_up(os.environ)
