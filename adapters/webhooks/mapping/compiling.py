"""Compiles what a configuration says of a route's `map`; names every fault with its place."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from typing import Final, Protocol

from attrs import evolve, field, frozen

from adapters.presentation.answer_codes import FLOW_CODES
from adapters.webhooks.actions import ACTIONS, CommandAction
from adapters.webhooks.fields import Issue
from adapters.webhooks.mapping.mapping import ActionTemplate, MapRule, PayloadMap, Scalar
from adapters.webhooks.mapping.payloads import FormKind
from adapters.webhooks.mapping.placeholders import (
    Budget,
    Delivery,
    JsonPath,
    Placeholder,
    TemplateError,
    TextTemplate,
    parse_path,
)
from adapters.webhooks.mapping.templates import (
    Constant,
    ObjectTemplate,
    ValueTemplate,
    compile_value,
    fill,
    placeholders_of,
)
from adapters.webhooks.schemas import REVISION, Schema
from adapters.webhooks.strict_json import Malformed, read_json

MAPPABLE: Final = {name: one for name, one in ACTIONS.items() if isinstance(one, CommandAction)}
"""The actions that a payload may be mapped to."""

# APPSEC: what a key may not do (403) is kept for the auditor, as a refused request.
SKIPPABLE: Final = tuple(str(each.code) for each in FLOW_CODES if each.status in {404, 409})
"""The refusals that a rule may skip: those for the state of a flow."""

_OPTIONAL_REVISION: Final = evolve(REVISION, required=False)


class WrittenRule(Protocol):
    """A rule as it is written: for what it is, and its `action` or `answer`."""

    @property
    def on(self) -> Sequence[str] | None:
        """The types of events, None for all."""

    @property
    def when(self) -> Mapping[str, Scalar]:
        """Paths, and what must be there."""

    @property
    def unless(self) -> Mapping[str, Scalar]:
        """Paths, and what must not be there."""

    @property
    def action(self) -> str | None:
        """The action, None for an answer."""

    @property
    def fields(self) -> Mapping[str, object]:
        """The action's fields, as templates."""

    @property
    def answer(self) -> object:
        """The answer, as a template."""

    @property
    def skip(self) -> Sequence[str]:
        """The codes of the action's refusals that are skipped."""


class WrittenMap(Protocol):
    """A route's `map` as it is written, its structure being right."""

    @property
    def event(self) -> str | None:
        """The template of an event's type."""

    @property
    def delivery(self) -> str | None:
        """The template of a delivery's id."""

    @property
    def form(self) -> FormKind | None:
        """How a form is read, if it is."""

    @property
    def rules(self) -> Sequence[WrittenRule]:
        """The rules, in the order in which they are tried."""


class MapError(ValueError):
    """A map that cannot be used; `faults` says where, and what was expected there."""

    def __init__(self, faults: Sequence[tuple[JsonPath, str]]) -> None:
        super().__init__(faults)
        self.faults = faults


def compile_map(written: WrittenMap, signatures: Collection[str] = ()) -> PayloadMap:
    """Return what a map says, ready to be applied; some headers hold the route's signatures.

    Raises:
        MapError: if a template, an action or a field is not what it should be.
    """
    compiler = _Compiler(signatures)
    compiled = PayloadMap(
        event=compiler.text(written.event, "event"),
        delivery_id=compiler.text(written.delivery, "delivery"),
        form=written.form,
        rules=[compiler.rule(rule, ("rules", i)) for i, rule in enumerate(written.rules)],
    )
    if compiler.faults:
        raise MapError(compiler.faults)
    return compiled


_NOTHING: Final = Constant(None)


@frozen
class _Compiler:
    """Compiles each part and keeps what is wrong with it; a part that is wrong is never used."""

    signatures: Collection[str]
    faults: list[tuple[JsonPath, str]] = field(factory=list)

    def text(self, written: str | None, key: str) -> TextTemplate | None:
        if written is None:
            return None
        template = self.value(written, (key,))
        if isinstance(template, TextTemplate):
            return template
        if template is not _NOTHING:
            self.faults.append(((key,), "a text, not {{json ...}}"))
        return None

    def rule(self, rule: WrittenRule, path: JsonPath) -> MapRule:
        return MapRule(
            on=None if rule.on is None else frozenset(rule.on),
            when=self._conditions(rule.when, (*path, "when")),
            unless=self._conditions(rule.unless, (*path, "unless")),
            then=self._then(rule, path),
        )

    def _conditions(
        self, written: Mapping[str, Scalar], path: JsonPath
    ) -> list[tuple[Placeholder, Scalar]]:
        found = []
        for place, wanted in written.items():
            try:
                found.append((parse_path(place), wanted))
            except TemplateError as error:
                self.faults.append(((*path, place), error.expected))
        return found

    def _then(self, rule: WrittenRule, path: JsonPath) -> ActionTemplate | ValueTemplate:
        if rule.action is None:
            return self.value(rule.answer, (*path, "answer"))
        action = MAPPABLE.get(rule.action)
        if action is None:
            self.faults.append(((*path, "action"), f"one of the actions {', '.join(MAPPABLE)}"))
            return _NOTHING
        schema = _mapped(action.schema)
        inside, before = (*path, "fields"), len(self.faults)
        for each in schema.fields:
            one_of_them = {each.wire, each.replaced_by or each.wire}
            if each.required and len(one_of_them & rule.fields.keys()) != 1:
                needed = " or ".join(sorted(one_of_them, reverse=True))
                self.faults.append(((*inside, each.wire), f"what {action.name} requires: {needed}"))
        members = {
            wire: self._field(action, schema, (*inside, wire), value)
            for wire, value in rule.fields.items()
        }
        status = members.get("status", _NOTHING)
        if len(self.faults) == before and not any(placeholders_of(status)):
            # Which fields there are, and the status, decide whether they fit together.
            given = {"status": fill(status, _NO_DELIVERY, Budget(_MOST_BYTES))}
            self.faults.extend(
                (inside, f"what {action.name} takes ({each.issue.text})")
                for each in schema.rules
                if not each.holds(members, given)
            )
        self.faults.extend(
            ((*path, "skip", index), f"one of the codes {', '.join(SKIPPABLE)}")
            for index, code in enumerate(rule.skip)
            if code not in SKIPPABLE
        )
        return ActionTemplate(action, schema, ObjectTemplate(members), frozenset(rule.skip))

    def _field(
        self, action: CommandAction, schema: Schema, path: JsonPath, value: object
    ) -> ValueTemplate:
        known = {each.wire: each for each in schema.fields}
        taken = known.get(str(path[-1]))
        if taken is None:
            self.faults.append((path, f"a field of {action.name}: {', '.join(known)}"))
            return _NOTHING
        template = self.value(value, path)
        if not any(placeholders_of(template)) and template is not _NOTHING:
            # Nothing will change it, so what is wrong with it is wrong for every delivery.
            issue = taken.decoder.take(fill(template, _NO_DELIVERY, Budget(_MOST_BYTES)))
            if isinstance(issue, Issue):
                self.faults.append((path, f"what {action.name} takes ({issue.text})"))
        return template

    def value(self, value: object, path: JsonPath) -> ValueTemplate:
        if not _is_strict_json(value):
            self.faults.append((path, "a JSON value without NUL, NaN or half a surrogate pair"))
            return _NOTHING
        try:
            template = compile_value(value)
        except TemplateError as error:
            self.faults.append(((*path, *error.path), error.expected))
            return _NOTHING
        if any(
            one.is_header and one.steps[0] in self.signatures for one in placeholders_of(template)
        ):
            # APPSEC: as it would be stored, whoever reads the flow could send the request again.
            self.faults.append((path, "a header that does not hold the route's signature"))
        return template


_NO_DELIVERY: Final = Delivery(lambda _: None, None)
_MOST_BYTES: Final = 1 << 24


def _mapped(schema: Schema) -> Schema:
    """Return an action's schema without the need to expect a revision."""
    fields = [_OPTIONAL_REVISION if each == REVISION else each for each in schema.fields]
    return evolve(schema, fields=tuple(fields))


def _is_strict_json(value: object) -> bool:
    try:
        text = json.dumps(value, allow_nan=False, ensure_ascii=False)
        return not isinstance(read_json(text.encode()), Malformed)
    except (TypeError, ValueError):
        return False
