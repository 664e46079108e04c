"""Where an attack struck, and whether a finding names that place."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from attrs import frozen


@frozen(kw_only=True)
class Place:
    """What an attack touched, as far as it can be said.

    The version is the first of its stream that is not what it was, the position the first of the
    log.
    """

    position: int | None = None
    flow_id: str | None = None
    version: int | None = None
    checkpoint: int | None = None


def names(finding: Mapping[str, Any], place: Place) -> bool:
    """Say whether a finding names a place: its flow and version, its position, its checkpoint.

    Findings of `verify` bound the positions that differ, `first` to `last`. What is said of a gap
    is said of the event behind it.
    """
    if "first" in finding:
        last = finding.get("last", finding["first"])
        return place.position in range(finding["first"], last + 1)
    if "checkpoint" in finding:
        return place.checkpoint == int(finding["checkpoint"]["number"])
    if place.flow_id is None or finding.get("flowId") != place.flow_id:
        return False
    version = finding.get("version")
    if version is None or place.version is None:
        return True
    return int(version) == place.version + (finding["code"] in {"gap", "no_beginning"})
