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
        return place.position is not None and finding["first"] <= place.position <= last
    if "checkpoint" in finding:
        return finding["checkpoint"]["number"] == place.checkpoint
    if finding.get("flowId") != place.flow_id or place.flow_id is None:
        return False
    behind = finding["code"] in {"gap", "no_beginning"}
    version = finding.get("version")
    return None in (place.version, version) or version == place.version + behind
