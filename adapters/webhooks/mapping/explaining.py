"""Each step from a payload to an action, with what it found: for whoever writes a map."""

from __future__ import annotations

from collections.abc import Iterator

import orjson
from attrs import frozen

from adapters.webhooks.mapping.mapping import ActionTemplate, MapRule, PayloadMap
from adapters.webhooks.mapping.placeholders import Budget, Delivery, NotFilled, Placeholder
from adapters.webhooks.mapping.templates import ValueTemplate, placeholders_of

_ROOM = 1 << 30  # what is too much is for the answer to say


@frozen
class MapStep:
    """A step, whether it went well, and what it found."""

    name: str
    passed: bool
    found: str


def explain_map(payloads: PayloadMap, delivery: Delivery) -> Iterator[MapStep]:
    """Return the steps that a delivery takes, up to the first that stops it."""
    event = ""
    if payloads.event is not None:
        try:
            event = payloads.event_of(delivery, Budget(_ROOM))
        except NotFilled as fault:
            yield MapStep("event type", passed=False, found=fault.reason)
            return
        yield MapStep("event type", passed=True, found=event)
    rule = payloads.rule_for(event, delivery)
    if rule is None:
        yield MapStep("rule", passed=True, found="no rule is for it, so it is skipped")
        return
    yield MapStep("rule", passed=True, found=_named(rule, payloads.rules.index(rule)))
    yield from (_explain(one, delivery) for one in placeholders_of(_template(rule)))
    if isinstance(rule.then, ActionTemplate) and payloads.delivery_id is not None:
        yield from (_explain(one, delivery) for one in payloads.delivery_id.placeholders)


def _named(rule: MapRule, index: int) -> str:
    name = rule.then.action.name if isinstance(rule.then, ActionTemplate) else "answer"
    return f"rules[{index}]: {name}"


def _template(rule: MapRule) -> ValueTemplate:
    return rule.then.fields if isinstance(rule.then, ActionTemplate) else rule.then


def _explain(placeholder: Placeholder, delivery: Delivery) -> MapStep:
    try:
        if placeholder.is_json:
            found = orjson.dumps(placeholder.value(delivery, Budget(_ROOM))).decode()
        else:
            found = placeholder.text(delivery)
    except NotFilled as fault:
        return MapStep(placeholder.written, passed=False, found=fault.why)
    return MapStep(placeholder.written, passed=True, found=found)
