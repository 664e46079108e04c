"""`map` of a route: how its senders' payloads become actions.

Read here is its structure. Whether its templates, actions and fields are what they should be, the
webhooks know: `CheckMap` is theirs.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from functools import reduce
from typing import Annotated, Any, Final, Literal, TypeAlias

from attrs import field, frozen

from adapters.settings.allowed_actions import AllowedActions
from adapters.settings.diagnostics import ConfigPath
from adapters.settings.nodes import ABSENT, Misfit, Node
from adapters.settings.structure import Each, another, plain_text, read

Scalars: TypeAlias = dict[str, str | float | bool | None]


def _any_json(node: Node) -> object:
    return node.value


def _object(node: Node) -> dict[str, Any]:
    if not isinstance(node.value, dict):
        raise Misfit("an object")
    return node.value


def _scalars(node: Node) -> Scalars:
    found = _object(node)
    for key, value in found.items():
        if isinstance(value, dict | list):
            node.at(key).refuse("a string, a number, true, false or null")
    return found


_Template: TypeAlias = Annotated[str, plain_text]  # NOTE: `${a}` in it is no variable
_Types: TypeAlias = Annotated[tuple[str, ...], Each(_Template, "types of events", 100)]
_Codes: TypeAlias = Annotated[tuple[str, ...], Each(_Template, "codes of refusals", 100)]


@frozen(kw_only=True)
class MapRuleConfig:
    """For which deliveries a rule is, and the action with its fields, or the answer, for them.

    `skip` has the codes of refusals of which the sender is not to learn.
    """

    on: _Types | None = None
    when: Annotated[Scalars, _scalars] = field(factory=dict)
    unless: Annotated[Scalars, _scalars] = field(factory=dict)
    action: _Template | None = None
    fields: Annotated[dict[str, Any], _object] = field(factory=dict)
    answer: Annotated[Any, _any_json] = None
    skip: _Codes = ()


@frozen(kw_only=True)
class MapConfig:
    """The map of a route: templates of an event's type and of its id, and rules."""

    event: _Template | None = None
    delivery: _Template | None = None
    form: Literal["fields", "payload"] | None = None
    rules: Annotated[tuple[MapRuleConfig, ...], Each(MapRuleConfig, "rules", 100)]


MapFault: TypeAlias = tuple[ConfigPath, str]
"""A place within a map, and what was expected there."""

CheckMap: TypeAlias = Callable[[MapConfig, Collection[str]], Iterable[MapFault]]
"""Says what is wrong with a map's templates, actions and fields; some headers hold signatures."""

unchecked: Final[CheckMap] = lambda *_: ()  # noqa: E731 - it is a value
"""Checks nothing, for those who serve no webhooks."""


def read_map(
    node: Node,
    check: CheckMap,
    may: Collection[AllowedActions],
    signatures: Collection[str],
    *,
    separate_approver: bool,
) -> MapConfig | None:
    """Read a route's `map`, if it has one; `may` has what each of its keys may ask for."""
    if node.is_absent:
        return None
    before = len(node.diagnostics.problems)
    found: MapConfig | None = read(node, MapConfig)
    if found is None or len(node.diagnostics.problems) > before:
        return None
    if not found.rules:
        node.at("rules").refuse("at least one rule", "none")
    for index, rule in enumerate(found.rules):
        place = _below(node, ("rules", index))
        _check_rule(place, rule, found)
        if rule.action and may and not any(each is None or rule.action in each for each in may):
            place.at("action").refuse("an action that a key of the route may use", "another one")
        if separate_approver:
            _refuse_other_ends(place.at("fields"), rule)
    for path, expected in check(found, signatures):
        place = _below(node, path)
        place.refuse(expected, another(place, "another text"))
    return found


def _check_rule(node: Node, rule: MapRuleConfig, whole: MapConfig) -> None:
    if (rule.action is None) == (rule.answer is None):
        both = rule.action is not None
        node.refuse("either an action or an answer", "both" if both else "neither")
    if rule.on is not None and all(event.endswith(".") for event in rule.on):
        node.at("on").refuse("at least one type, without a dot at its end", "none")
    if rule.on is not None and whole.event is None:
        node.at("on").refuse("event beside rules, where a rule is for some types", "no event")
    if rule.action is None and rule.fields:
        node.at("fields").refuse("an action, which fields are for", "fields without one")
    if rule.action is None and rule.skip:
        node.at("skip").refuse("an action, whose refusals are skipped", "codes without one")


def _refuse_other_ends(fields: Node, rule: MapRuleConfig) -> None:
    """Refuse a wait that would go on without another key; what a payload says is seen later."""
    given = rule.fields
    if given.get("resumeLink") is True:
        fields.at("resumeLink").refuse("no link, as the route has separateApprover", "true")
    if given.get("onTimeout") == "resume" and given.get("until") is not None:
        fields.at("onTimeout").refuse("fail, as the route has separateApprover", "resume")


def _below(node: Node, path: ConfigPath) -> Node:
    return reduce(_member, path, node)


def _member(node: Node, step: str | int) -> Node:
    if isinstance(step, str):
        return node.at(step)
    items = node.value if isinstance(node.value, list) else []
    value = items[step] if step < len(items) else ABSENT
    return Node((*node.path, step), value, node.diagnostics)
