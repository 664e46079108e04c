"""`may`: which actions the callers of a route, or those with a key, may ask for."""

from __future__ import annotations

from collections.abc import Set as AbstractSet
from typing import Annotated, Final, Literal, TypeAlias, get_args

from adapters.settings.nodes import Node
from adapters.settings.structure import Each, read_member

ActionName: TypeAlias = Literal[
    "create_flow",
    "get_flow",
    "list_flows",
    "find_latest_flow",
    "resolve_flow",
    "get_task_summary",
    "set_waiting",
    "resume_flow",
    "finish_flow",
    "fail_flow",
    "request_cancel",
    "cancel_flow",
    "run_task",
    "update_task",
]

ACTION_NAMES: Final[tuple[str, ...]] = get_args(ActionName)
"""All actions, in the order of their documentation."""

AllowedActions: TypeAlias = AbstractSet[str] | None
"""The names of the actions that are allowed; None allows all of them."""

_NAMES: TypeAlias = Annotated[tuple[str, ...], Each(ActionName, "actions", 64)]
_NONE: tuple[str, ...] = ()


def read_allowed(node: Node, general: AllowedActions = None) -> AllowedActions:
    """Read the `may` of a route or a key; what is not in `general` is not allowed either."""
    may = node.at("may")
    if may.is_absent:
        return general
    names = frozenset(read_member(node, "may", _NAMES, _NONE))
    if may.value == []:
        may.refuse("at least one action", "none")
    elif general is not None and names and not names & general:
        may.refuse("an action that the route's own may has, too", "none of them")
    return names if general is None else names & general
