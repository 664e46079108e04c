"""The maps of routes: from what is written to what is applied."""

from __future__ import annotations

from collections.abc import Collection

from adapters.settings import MapConfig, MapFault
from adapters.webhooks.mapping.compiling import MapError, compile_map
from adapters.webhooks.mapping.mapping import PayloadMap


def check_map(written: MapConfig, signatures: Collection[str]) -> list[MapFault]:
    """Say what is wrong with the templates, the actions and the fields of a map."""
    try:
        compile_map(written, signatures)
    except MapError as error:
        return list(error.faults)
    return []


def payload_map(written: MapConfig | None) -> PayloadMap | None:
    """Return a map that was checked, ready to be applied."""
    return None if written is None else compile_map(written)
