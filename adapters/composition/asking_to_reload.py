"""Having the gateway of a store read its settings again, and waiting for what it makes of that."""

from __future__ import annotations

import os
import re
import signal
import time
from pathlib import Path
from typing import Final

from adapters import cli
from adapters.composition.stores import named_url
from adapters.settings import SettingsError, read_store_config
from adapters.store import LockHolder, StoreFault, lock_holder

_LOOK_EVERY: Final = 0.05
_START_SECONDS: Final = 2.0
"""How long a gateway that has just opened its store may take to serve."""

_PATIENCE_SECONDS: Final = 30.0
"""How long a gateway may take to begin; how long it then takes is its providers' affair."""

_REPORT: Final = re.compile(r"reload ([0-9]+) ([a-z]+) ?(.*)")
_ENDS: Final = ("reloaded", "refused")


def ask_to_reload(config: Path | None, database: str | None) -> cli.Reloaded:
    """Send SIGHUP to the gateway that writes to a store, and return how its reload ended.

    Raises:
        CommandError: if there is no such gateway, or it does not answer.
    """
    url = _url_of(config) if database is None else named_url(database)
    try:
        with lock_holder(url) as gateway:
            if gateway is None:
                raise cli.CommandError(f"no gateway runs on {url}, as far as can be seen from here")
            return _asked(gateway)
    except (StoreFault, OSError) as error:
        raise cli.CommandError(f"{url}: {error}") from error


def _url_of(config: Path | None) -> str:
    if config is None:
        raise cli.CommandError("say which gateway: --config FILE or --database URL")
    try:
        return read_store_config(config, os.environ).url
    except SettingsError as error:
        raise cli.CommandError(str(error)) from error


def _asked(gateway: LockHolder) -> cli.Reloaded:
    end = time.monotonic() + _START_SECONDS
    while not gateway.status() and time.monotonic() < end:
        time.sleep(_LOOK_EVERY)
    last, outcome, _ = _report(gateway)
    if outcome == "ignored":
        raise cli.CommandError(f"pid {gateway.pid} ignores SIGHUP, as under nohup: restart it")
    if not outcome:
        raise cli.CommandError(f"pid {gateway.pid} writes to the store, but serves nothing (yet)")
    gateway.signal(signal.SIGHUP)
    deadline = time.monotonic() + _PATIENCE_SECONDS
    while True:
        # NOTE: a reload that had begun before may have read what was not there yet.
        number, outcome, sentence = _report(gateway)
        if number > last and outcome in _ENDS:
            return cli.Reloaded(accepted=outcome == "reloaded", pid=gateway.pid, sentence=sentence)
        if not gateway.is_running():
            raise cli.CommandError(f"pid {gateway.pid} has ended before it reloaded")
        if number <= last and time.monotonic() > deadline:
            raise cli.CommandError(f"pid {gateway.pid} did not begin within {_PATIENCE_SECONDS} s")
        time.sleep(_LOOK_EVERY)


def _report(gateway: LockHolder) -> tuple[int, str, str]:
    found = _REPORT.fullmatch(gateway.status())
    return (int(found[1]), found[2], found[3]) if found else (0, "", "")
