"""What `docs/openapi.json` says of an answer, held against an answer."""

from __future__ import annotations

import json
from collections.abc import Iterable
from functools import cache
from typing import Any, Final

from jsonschema import Draft202012Validator
from jsonschema.exceptions import best_match
from referencing import Registry
from referencing.jsonschema import DRAFT202012

from adapters.webhooks import resume_links
from adapters.webhooks.openapi.document import LINK, ROUTE, openapi_document
from adapters.webhooks.responses import UNAUTHORIZED
from domain.flow.ids import RequestId

DOCUMENT: Final = openapi_document()
_URI: Final = "urn:taskflow:openapi"
_REGISTRY: Final = Registry().with_resource(_URI, DRAFT202012.create_resource(DOCUMENT))
_OF_HTTP: Final = {"date", "connection", "keep-alive", "content-length", "transfer-encoding"}
_SAME_EVERYWHERE: Final = {name.lower() for name, _ in UNAUTHORIZED.all_headers(RequestId(""))}


def undocumented(  # noqa: PLR0913 - an answer, and to what
    method: str,
    path: str,
    status: int,
    headers: Iterable[tuple[str, str]],
    body: bytes,
    *,
    is_mapped: bool = False,
) -> str | None:
    """Return what the document does not say of an answer, or None; a HEAD's has no body."""
    answer = _answer(path, status, is_mapped=is_mapped)
    if answer is None:
        return f"status {status}: {body[:200]!r}"
    sent = {name.lower() for name, _ in headers}
    listed = {name.lower() for name in answer["headers"]}
    if unknown := sent - listed - _OF_HTTP - _SAME_EVERYWHERE:
        return f"headers of {status}: {sorted(unknown)}"
    if missing := {name.lower() for name in _required(answer)} - sent:
        return f"headers of {status} that are missing: {sorted(missing)}"
    fault = None if method == "HEAD" else body_fault(answer, json.loads(body))
    return None if fault is None else f"body of {status}: {fault}"


def body_fault(answer: dict[str, Any], body: object) -> str | None:
    """Return where a body differs from what its answer is documented as, or None."""
    schema = json.dumps(answer["content"]["application/json"]["schema"])
    error = best_match(_validator(schema).iter_errors(body))
    return None if error is None else f"{error.json_path}: {error.message[:300]}"


def resolved(value: Any) -> Any:  # noqa: ANN401 - JSON
    """Return what a reference within the document stands for."""
    if "$ref" not in value:
        return value
    found: Any = DOCUMENT
    for part in value["$ref"].removeprefix("#/").split("/"):
        found = found[part]
    return found


def _answer(path: str, status: int, *, is_mapped: bool) -> Any | None:  # noqa: ANN401 - JSON
    posted = LINK if path.startswith(resume_links.PREFIX) else ROUTE
    operation = DOCUMENT["paths"].get(path, {}).get("get") or DOCUMENT["paths"][posted]["post"]
    if is_mapped:
        operation = DOCUMENT["webhooks"]["payload"]["post"]
    answers = operation["responses"]
    return resolved(answers[str(status)]) if str(status) in answers else None


def _required(answer: dict[str, Any]) -> Iterable[str]:
    return [name for name, header in answer["headers"].items() if resolved(header).get("required")]


@cache
def _validator(schema: str) -> Any:  # noqa: ANN401 - jsonschema has no types
    within = json.loads(schema.replace('"#/', f'"{_URI}#/'))
    return Draft202012Validator(within, registry=_REGISTRY)
