"""What `taskflow explain` says: a payload on its way through the webhooks, without a gateway."""

from __future__ import annotations

import io
import json
import os
import re
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, Final, cast
from wsgiref.util import setup_testing_defaults

from attrs import evolve, frozen

from adapters import cli
from adapters.composition.clock_and_ids import log_request_fault, new_id, new_request_id, now
from adapters.composition.mappings import payload_map
from adapters.composition.signatures import verify_of
from adapters.composition.store_shards import url_of_owner
from adapters.composition.stores import config_of, opened
from adapters.server import Head, HeadText
from adapters.settings import Config, RouteConfig, resolve_route
from adapters.store import EventSourcedStore, open_for_reading, open_for_writing, store_files
from adapters.webhooks.admission import Admission, AdmissionTable
from adapters.webhooks.asked_call import AskedCall, read_asked
from adapters.webhooks.auth import authenticate as identify
from adapters.webhooks.limits import InFlight
from adapters.webhooks.mapping.explaining import explain_map
from adapters.webhooks.media_type import media_type_fault
from adapters.webhooks.permits import RoutePermit
from adapters.webhooks.request_context import RequestContext
from adapters.webhooks.resource import WebhookResource
from adapters.webhooks.responses import (
    PAYLOAD_TOO_LARGE,
    UNAUTHORIZED,
    Response,
    unsupported_media_type,
)
from adapters.webhooks.routes import RouteTable, WebhookRoute
from adapters.webhooks.strict_json import Malformed
from adapters.webhooks.wsgi import create_webhook_app
from domain.application.batch import carry_out
from domain.application.limits import RouteLimits
from domain.application.ports import Commit, FlowStore
from domain.application.sessions import TaskFlows
from domain.flow.ids import KeyId

_FIELD: Final = re.compile(r"([!#$%&'*+.^_`|~0-9A-Za-z-]+):[ \t]*(.*?)[ \t]*")
_MEMORY: Final = "sqlite://:memory:"
_HEADERS_BYTES: Final = 1_048_576


def explain_payload(given: cli.ExplainOptions) -> cli.Explanation:
    """Say what a route would make of a payload; flows are read, and nothing is written."""
    config = config_of(given.config)
    declared = _route_of(config, given.route)
    head = _head(declared.path, given.headers)
    body = _start_of(given.payload, _bounded(declared).body_bytes)
    caller = _caller(config, declared, head, body, authenticate=given.authenticate)
    with opened(_open_or_empty, url_of_owner(config.gateway, declared.owner)) as opened_store:
        store = cast("FlowStore", _Unwritten(opened_store))
        route = _served(declared, TaskFlows(store, now, new_id))
        steps = list[cli.ExplainedStep]()
        for step in _steps(route, head, body, caller):
            if isinstance(step, Response):
                return _explanation(steps, declared, step.status, step.body)
            steps.append(step)
        status, answer = _answer(route, caller.key_id, head, body, store)
    asked = read_asked(route, head.value, body)
    document = asked.document if isinstance(asked, AskedCall) else None
    return _explanation(steps, declared, status, answer, document)


def _explanation(
    steps: Sequence[cli.ExplainedStep],
    route: RouteConfig,
    status: int,
    body: bytes,
    document: bytes | None = None,
) -> cli.Explanation:
    return cli.Explanation(
        route=route.route_id,
        steps=tuple(steps),
        command=None if document is None else json.loads(document),
        status=status,
        body=json.loads(body),
    )


def _route_of(config: Config, route_id: str) -> RouteConfig:
    served = {route.route_id: route for route in config.webhooks.served}
    found = next((route for name, route in served.items() if name == route_id), None)
    if found is None:
        raise cli.CommandError(f"no route {route_id} is served; there are: {', '.join(served)}")
    return found


def _head(path: str, file: Path | None) -> Head:
    fields = [] if file is None else list(_fields(file))
    if "content-type" not in dict(fields):
        fields.append(("content-type", "application/json"))
    said = HeadText(method="POST", target=path, version="1.1", headers=tuple(fields))
    return Head(said=said, peer="127.0.0.1", request_id=new_request_id())


def _start_of(file: Path, most: int) -> bytes:
    """Return what a file holds, or a byte more than the most: it may be a device without an end."""
    with file.open("rb") as opened_file:
        return opened_file.read(most + 1)


def _fields(file: Path) -> Iterator[tuple[str, str]]:
    text = _start_of(file, _HEADERS_BYTES).decode("latin-1")
    if len(text) > _HEADERS_BYTES:
        raise cli.CommandError(f"{file}: too large for the headers of a request")
    for number, line in enumerate(text.splitlines(), 1):
        found = _FIELD.fullmatch(line)
        if found is not None:
            yield found[1].lower(), found[2]
        elif line.strip():
            raise cli.CommandError(f"{file}:{number}: expected a header like X-GitHub-Event: ping")


def _open_or_empty(url: str) -> EventSourcedStore:
    """Open a store to read it; in the place of a file that is not there, one that is empty."""
    files = store_files(url)  # a server's store has none
    is_missing = url == _MEMORY or (files and not any(file.exists() for file in files))
    return open_for_writing(_MEMORY) if is_missing else open_for_reading(url)


@frozen
class _Unwritten:
    """A store in which whatever is written is taken for written, and is not."""

    store: EventSourcedStore

    def append_many(self, commits: Sequence[Commit]) -> Sequence[bool]:
        return [True] * len(commits)

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 - of whichever method
        return getattr(self.store, name)


def _served(declared: RouteConfig, flows: TaskFlows) -> WebhookRoute:
    return WebhookRoute(
        route_id=declared.route_id,
        path=declared.path,
        session=flows.bind_session(declared.owner),
        controller_id=declared.controller_id,
        identify=lambda _: None,
        may={key.key_id: key.may for key in declared.declared if key.may is not None},
        limits=_bounded(declared),
        separate_approver=declared.separate_approver,
        payloads=payload_map(declared.map),
    )


def _bounded(declared: RouteConfig) -> RouteLimits:
    """Return the limits of a route; a signed body is no longer than a stranger's may be."""
    limits = declared.limits
    if not any(key.signature for key in declared.declared):
        return limits
    most = min(limits.body_bytes, limits.unverified_body_bytes)
    return evolve(limits, body_bytes=most)


def _steps(
    route: WebhookRoute, head: Head, body: bytes, caller: _Caller
) -> Iterator[cli.ExplainedStep | Response]:
    """Return each step, and at last a refusal where the head alone leads to it."""
    yield _step("route", f"POST {route.path}")
    if len(body) > route.limits.body_bytes:
        yield _step("size", f"more than {route.limits.body_bytes:,} bytes", passed=False)
        yield PAYLOAD_TOO_LARGE
    if fault := media_type_fault(head, takes_forms=route.takes_forms):
        yield _step("content type", fault, passed=False)
        yield unsupported_media_type(fault)
    yield _step("authentication", caller.found, passed=caller.refusal is None)
    if caller.refusal is not None:
        yield caller.refusal
    if route.payloads is not None:
        delivery = route.payloads.read(head.value, body)
        if isinstance(delivery, Malformed):
            yield _step("payload", delivery.reason, passed=False)
        else:
            for one in explain_map(route.payloads, delivery):
                yield _step(one.name, one.found, passed=one.passed)


@frozen
class _Caller:
    """Who asks, how that was found, and the answer if it is nobody."""

    key_id: KeyId
    found: str
    refusal: Response | None = None


def _caller(
    config: Config, declared: RouteConfig, head: Head, body: bytes, *, authenticate: bool
) -> _Caller:
    first = declared.declared[0].key_id
    if not authenticate:
        return _Caller(first, f"not tried: --authenticate tries it; taken for key {first}")
    keys = resolve_route(config, declared, os.environ)
    if not keys.keys:
        raise cli.CommandError(f"no secret of route {keys.route_id} can be looked up")
    verify = verify_of(keys, now)
    if verify is None:
        found = identify(head, lambda presented: keys.identify(presented, now()))
    else:
        found = verify(head, body)
    if isinstance(found, str):
        return _Caller(found, f"key {found}")
    if found is not None:
        why: str = found.fault
    elif verify is None:
        why = "it presents no key of the route"
    else:
        why = "it is signed by no key of the route, or at another time"
    return _Caller(first, why, UNAUTHORIZED)


def _step(name: str, found: str, *, passed: bool = True) -> cli.ExplainedStep:
    return cli.ExplainedStep(name, passed, found)


def _answer(
    route: WebhookRoute, key_id: KeyId, head: Head, body: bytes, store: FlowStore
) -> tuple[int, bytes]:
    """Return the status and the body that the very application of a gateway answers."""
    context = RequestContext(
        request_id=head.request_id,
        started=time.monotonic(),
        remote_address=None,
        route_id=route.route_id,
        key_id=key_id,
    )
    slot = InFlight().take((route.route_id, head.peer), 1)
    if slot is None:  # there is nothing else in flight
        raise AssertionError("no place for the only request")
    permit = RoutePermit(route=route, head=head, context=context, slot=slot)
    environ: dict[str, Any] = {
        "REQUEST_METHOD": "POST",
        "wsgi.input": io.BytesIO(body),
        "taskflow.permit": permit,
        "taskflow.request_id": head.request_id,
    }
    setup_testing_defaults(environ)
    statuses, pieces = list[str](), list[bytes]()

    def start(status: str, *_: object) -> Callable[[bytes], object]:
        statuses.append(status)
        return pieces.append

    pieces += create_webhook_app(_resource(route, store))(environ, start)
    return int(statuses[0][:3]), b"".join(pieces)


def _resource(route: WebhookRoute, store: FlowStore) -> WebhookResource:
    """Return the webhooks with one route, over a store, that log nothing but faults."""
    return WebhookResource(
        admission=Admission(
            table=AdmissionTable(
                routes=RouteTable([route]), trusted_proxies=(), remember_address=lambda _: None
            ),
            clock=time.monotonic,
            log_request=lambda _: None,
        ),
        ready=lambda: (True, ()),
        log_fault=log_request_fault,
        submit=lambda submission, done: done(carry_out(store, [submission])[0]),
        find_link=lambda _: None,
        new_token=lambda: "explained-and-not-made",
    )
