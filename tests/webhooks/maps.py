"""Maps of routes as tests write them: JSON, as it stands in a configuration."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from attrs import evolve, field, frozen
from falcon.testing import Result

from adapters.webhooks.mapping.compiling import compile_map
from adapters.webhooks.mapping.mapping import PayloadMap
from adapters.webhooks.mapping.payloads import FormKind
from domain.flow.ids import RouteId
from tests.webhooks.gateway import Gateway, headers_for


@frozen(kw_only=True)
class ARule:
    """A rule, as the settings hand it over."""

    on: Sequence[str] | None = None
    when: Mapping[str, Any] = field(factory=dict)
    unless: Mapping[str, Any] = field(factory=dict)
    action: str | None = None
    fields: Mapping[str, Any] = field(factory=dict)
    answer: object = None
    skip: Sequence[str] = ()


@frozen(kw_only=True)
class AMap:
    """A map, as the settings hand it over."""

    event: str | None = None
    delivery: str | None = None
    form: FormKind | None = None
    rules: Sequence[ARule]


def creating(goal: str = "{goal}", **fields: object) -> ARule:
    """Return a rule that opens a flow for whatever comes."""
    return ARule(action="create_flow", fields={"goal": goal, **fields})


def a_map(*rules: ARule, **given: Any) -> PayloadMap:  # noqa: ANN401 - of whichever attribute
    """Return a compiled map."""
    return compile_map(AMap(rules=rules, **given))


def mapping(gateway: Gateway, payloads: PayloadMap) -> Gateway:
    """Have the payloads of `zapier` mapped."""
    route = evolve(gateway.route(RouteId("zapier")), payloads=payloads)
    gateway.admission.swap(gateway.table([route]))
    return gateway


def deliver(gateway: Gateway, payload: object, **headers: str) -> Result:
    """Send a payload to `zapier`; an underscore in a header's name is a hyphen."""
    named = [(name.replace("_", "-"), value) for name, value in headers.items()]
    body = json.dumps(payload).encode()
    return gateway.send(body, headers=[*headers_for("zapier"), *named], is_mapped=True)
