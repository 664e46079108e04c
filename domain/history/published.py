"""What is published of events and other values of ours: their fields, under their public names.

A public name is the attribute's in camelCase, and permanent. Callers' JSON is embedded by the
adapter: one parses it, another passes its text through.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache
from typing import Any, TypeAlias

from attrs import AttrsInstance, asdict, fields, has

from domain.application.recorded_events import RecordedEvent
from domain.flow.events import Event
from domain.flow.values import Json

Published: TypeAlias = dict[str, Any]
Embed: TypeAlias = Callable[[Json], object]
"""Says what stands in a document where a value holds a caller's JSON."""


def published_record(record: RecordedEvent, embed: Embed) -> Published:
    """Return who did what, when and why, and under `data` what the event says."""
    data = published(said(record.event), embed)
    return {"at": data.pop("at"), **published_value(record.metadata, embed), "data": data}


def published_value(value: AttrsInstance, embed: Embed) -> Published:
    """Return what a value holds; what is None in it is left out."""
    given = asdict(value, recurse=False)
    return published({name: held for name, held in given.items() if held is not None}, embed)


def published(values: Mapping[str, object], embed: Embed) -> Published:
    """Return some values under their public names."""
    return {public_name(name): _shown(value, embed) for name, value in values.items()}


@cache
def public_name(name: str) -> str:
    """Return the public name of an attribute, as in `stateJson`."""
    if name == "last_heartbeat_at":
        return "heardAt"  # NOTE: published before the attribute had its present name
    first, *rest = name.split("_")
    return first + "".join(map(str.capitalize, rest))


def said(event: Event) -> dict[str, Any]:
    """Return the fields that an event says something of; a None among them clears."""
    named = {
        field.name: (getattr(event, field.name), field.default) for field in fields(type(event))
    }
    return {name: value for name, (value, default) in named.items() if value != default}


def _shown(value: Any, embed: Embed) -> Any:  # noqa: ANN401 - any value of ours, any JSON value
    if value is None or isinstance(value, str | int):  # PERF: nearly all are; the rest take 5 us
        return value
    if isinstance(value, Json):
        return embed(value)
    if isinstance(value, tuple):
        return [_shown(item, embed) for item in value]
    return published_value(value, embed) if has(type(value)) else value
