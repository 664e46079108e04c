"""What a route's `map` makes of a delivery: an action, an answer, or why there is none."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeAlias

from attrs import frozen

from adapters.webhooks.actions import ActionCall, CommandAction
from adapters.webhooks.fields import Issue
from adapters.webhooks.mapping.payloads import FormKind, read_payload
from adapters.webhooks.mapping.placeholders import (
    ABSENT,
    Budget,
    Delivery,
    HeaderValue,
    NotFilled,
    Placeholder,
    TextTemplate,
)
from adapters.webhooks.mapping.templates import ObjectTemplate, ValueTemplate, fill
from adapters.webhooks.schemas import Schema, decode
from adapters.webhooks.strict_json import MOST_LEVELS, Malformed, compact_json, is_too_deep

Scalar: TypeAlias = str | float | bool | None


@frozen
class ActionTemplate:
    """An action and its fields; by `schema` it need not expect a revision.

    A refusal with a code of `skip` is skipped.
    """

    action: CommandAction
    schema: Schema
    fields: ObjectTemplate
    skip: frozenset[str] = frozenset()


@frozen
class MapRule:
    """Which deliveries lead to what: an action, or an answer; `on` None is for all types.

    All of `when` must be there, and nothing of `unless`.
    """

    on: frozenset[str] | None
    when: Sequence[tuple[Placeholder, Scalar]]
    unless: Sequence[tuple[Placeholder, Scalar]]
    then: ActionTemplate | ValueTemplate

    def takes(self, event: str, delivery: Delivery) -> bool:
        """Say whether it is for a delivery of some type."""
        if self.on is not None and event not in self.on:
            return False
        return all(_is(place.find(delivery), wanted) for place, wanted in self.when) and not any(
            _is(place.find(delivery), other) for place, other in self.unless
        )


def _is(found: object, wanted: Scalar) -> bool:
    if wanted is None:
        return found is ABSENT
    return found == wanted and isinstance(found, bool) == isinstance(wanted, bool)


@frozen
class Mapped:
    """An action, the document that asks for it, the id of the delivery if it has one, its type."""

    call: ActionCall
    document: bytes
    delivery_id: str | None
    event: str
    skip: frozenset[str]


@frozen
class Skipped:
    """A delivery that no rule is for, and its type."""

    event: str


@frozen
class Answered:
    """A delivery that is only answered, as a challenge is, and the JSON that it gets."""

    body: bytes


@frozen
class Unmappable:
    """Why a delivery is no action, which names a placeholder or a field; and the rule's action."""

    reason: str
    action: str | None = None


MapResult: TypeAlias = Mapped | Skipped | Answered | Unmappable


@frozen(kw_only=True)
class PayloadMap:
    """Makes of each delivery what the first rule says that is for it."""

    event: TextTemplate | None
    delivery_id: TextTemplate | None
    form: FormKind | None
    rules: Sequence[MapRule]

    def read(self, header: HeaderValue, body: bytes) -> Delivery | Malformed:
        """Return what was sent, or why its body cannot be read."""
        payload = read_payload(body, header("content-type") or "", self.form)
        return payload if isinstance(payload, Malformed) else Delivery(header, payload)

    def apply(self, delivery: Delivery, most_bytes: int) -> MapResult:
        """Return what a delivery leads to; a document or an answer has at most some bytes."""
        budget, action = Budget(most_bytes), None
        try:
            event = self.event_of(delivery, budget)
            rule = self.rule_for(event, delivery)
            if rule is None:
                return Skipped(event)
            if not isinstance(rule.then, ActionTemplate):
                return Answered(_compact(fill(rule.then, delivery, budget)))
            action = rule.then.action.name
            return self._map(rule.then, event, delivery, budget)
        except NotFilled as fault:
            return Unmappable(fault.reason, action)

    def event_of(self, delivery: Delivery, budget: Budget) -> str:
        """Return a delivery's type, without a dot at its end: what is behind it may be empty."""
        text = "" if self.event is None else self.event.fill(delivery, budget)
        return text.removesuffix(".")

    def rule_for(self, event: str, delivery: Delivery) -> MapRule | None:
        """Return the first rule that is for a delivery of some type."""
        return next((rule for rule in self.rules if rule.takes(event, delivery)), None)

    def _map(
        self, then: ActionTemplate, event: str, delivery: Delivery, budget: Budget
    ) -> Mapped | Unmappable:
        name = then.action.name
        fields: Any = fill(then.fields, delivery, budget)
        document = _compact({"action": name, **fields})
        if is_too_deep(document):
            return Unmappable(f"the document has more than {MOST_LEVELS} levels", name)
        values = decode(then.schema, fields)
        if isinstance(values, Issue):
            return Unmappable(values.text, name)
        if "expectedRevision" in then.schema.known:
            values = {"expected_revision": None, **values}
        delivery_id = None
        if self.delivery_id is not None:
            delivery_id = self.delivery_id.fill(delivery, budget) or None
        return Mapped(ActionCall(then.action, values), document, delivery_id, event, then.skip)


def _compact(value: object) -> bytes:
    text = compact_json(value)
    if text is None:  # a payload's numbers are looked at as they are filled in
        raise AssertionError("a template holds a number that no JSON has")
    return text.encode()
