"""A gateway without sockets: the real application on a store in memory, its clock in our hand."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from ipaddress import ip_network
from itertools import count
from typing import Any
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

from attrs import define, field
from falcon.testing import Result, TestClient, create_environ

from adapters.presentation.answer_codes import http_status
from adapters.server import Head, HeadText, RawResponse
from adapters.webhooks.admission import Admission, AdmissionTable
from adapters.webhooks.permits import RequestPermit
from adapters.webhooks.refusal_recorder import RefusalRecorder
from adapters.webhooks.request_context import AccessLogEntry
from adapters.webhooks.resource import WebhookResource
from adapters.webhooks.responses import Response
from adapters.webhooks.routes import Identify, RouteTable, WebhookRoute
from adapters.webhooks.steps import CommandResult
from adapters.webhooks.wsgi import create_webhook_app
from domain.application.batch import Submission, carry_out
from domain.application.limits import Limits
from domain.application.ports import StoreUnavailable
from domain.application.sessions import TaskFlows
from domain.flow.ids import KeyId, Owner, RequestId, RouteId
from domain.history.refused_requests import DeniedRequest, RefusedRequest
from tests.documented import undocumented
from tests.memory_store import WatchedStore

OWNER = "agent:main:main"
OWNERS = {"zapier": OWNER, "twin": OWNER, "other": "agent:main:other"}
SECRETS = {name: f"plain-secret-{name}" for name in OWNERS}
NOW = 1_700_000_000_000
CLIENT = "192.0.2.10"
PROXY = "127.0.0.1"
OF_SERVER = RequestId("request-of-server")

Headers = Iterable[tuple[str, str]]


def path_of(route: str) -> str:
    return f"/plugins/webhooks/{route}"


def headers_for(route: str) -> list[tuple[str, str]]:
    """Return the headers that any caller of a route needs."""
    bearer = ("Authorization", f"Bearer {SECRETS[route]}")
    return [("Content-Type", "application/json"), bearer]


def identifying(secret: str) -> Identify:
    """Return what the settings hand over for a plain secret."""
    return lambda presented: KeyId("default") if presented == secret else None


def given(permit: RequestPermit, request_id: RequestId) -> dict[str, object]:
    """Return what our own server adds to the environment of a request."""
    return {"taskflow.permit": permit, "taskflow.request_id": request_id}


def a_head(
    headers: Headers,
    *,
    method: str = "POST",
    target: str = "/",
    peer: str = CLIENT,
    request_id: RequestId = OF_SERVER,
) -> Head:
    """Return a head as our own server reads it."""
    fields = tuple((name.lower(), value.strip(" \t")) for name, value in headers)
    said = HeadText(method=method, target=target, version="1.1", headers=fields)
    return Head(said=said, peer=peer, request_id=request_id)


def head_of(environ: WSGIEnvironment, request_id: RequestId) -> Head:
    """Return the head from which an environment was made."""
    variables = {
        name.removeprefix("HTTP_").replace("_", "-"): value
        for name, value in environ.items()
        if name.startswith(("HTTP_", "CONTENT_"))
    }
    return a_head(
        variables.items(),
        method=environ["REQUEST_METHOD"],
        target=environ["PATH_INFO"],
        peer=environ.get("REMOTE_ADDR", CLIENT),
        request_id=request_id,
    )


def counted(prefix: str) -> Callable[[], str]:
    numbers = count(1)
    return lambda: f"{prefix}-{next(numbers)}"


@define
class Gateway:
    """Everything of one gateway that a test may look at or turn."""

    limits: Limits = field(factory=Limits)
    store: WatchedStore = field(factory=WatchedStore)
    ready: bool = True
    now: int = NOW
    uptime: float = 0.0
    access_log: list[AccessLogEntry] = field(factory=list)
    noted: list[DeniedRequest] = field(factory=list)
    fault_log: list[tuple[str, BaseException]] = field(factory=list)
    flows: TaskFlows = field(init=False)
    admission: Admission = field(init=False)
    app: WSGIApplication = field(init=False)
    client: TestClient = field(init=False)
    records_refusals: bool = True
    is_stopped: bool = False
    new_id: Callable[[], str] = field(factory=lambda: counted("request"))

    def __attrs_post_init__(self) -> None:
        self.flows = TaskFlows(self.store, lambda: self.now, counted("id"))
        self.admission = Admission(
            table=self.table([self.route(RouteId(name)) for name in OWNERS]),
            clock=lambda: self.uptime,
            log_request=self.log,
        )
        resource = WebhookResource(
            admission=self.admission,
            ready=lambda: (self.ready, () if self.ready else ("store",)),
            log_fault=lambda request_id, error: self.fault_log.append((request_id, error)),
            submit=self.submit,
            find_link=self.flows.find_link,
            new_token=counted("token"),
        )
        self.app = create_webhook_app(resource)
        self.client = TestClient(self.serve)

    def submit(self, submission: Submission, done: Callable[[CommandResult], None]) -> None:
        """Carry out a command at once, while anything is written."""
        if self.is_stopped:
            raise StoreUnavailable("nothing is written any more")
        done(carry_out(self.store, [submission])[0])

    def log(self, entry: AccessLogEntry) -> None:
        """Log a request, and record it where it is evidence."""
        self.access_log.append(entry)
        if self.records_refusals:
            before = len(self.noted)
            RefusalRecorder(self.noted.append, lambda: self.now).record(entry)
            for call in self.noted[before:]:
                if isinstance(call, RefusedRequest):
                    assert http_status(call.code) == entry["status"], "an auditor reads another one"

    def serve(self, environ: WSGIEnvironment, start: StartResponse) -> Iterable[bytes]:
        """Admit a request and run the application, as our own server does."""
        head = head_of(environ, RequestId(self.new_id()))
        permit = self.admission.admit(head)
        if isinstance(permit, Response):
            status, headers, body = permit.as_raw(head.request_id)
            start(f"{status} Refused", [*headers, ("Content-Length", str(len(body)))])
            return [] if head.method == "HEAD" else [body]
        try:
            return self.app(environ | given(permit, head.request_id), start)
        finally:
            permit.release()

    def table(self, routes: Iterable[WebhookRoute]) -> AdmissionTable:
        """Return what is swapped as one."""
        return AdmissionTable(
            routes=RouteTable(routes),
            trusted_proxies=(ip_network(f"{PROXY}/32"),),
            remember_address=lambda address: address,
            limits=self.limits,
        )

    def route(self, name: RouteId) -> WebhookRoute:
        """Return a route as the composition root makes it."""
        return WebhookRoute(
            route_id=name,
            path=path_of(name),
            session=self.flows.bind_session(Owner(OWNERS[name])),
            controller_id=f"webhooks/{name}",
            identify=identifying(SECRETS[name]),
            limits=self.limits,
        )

    def send(  # noqa: PLR0913 - each has a default
        self,
        body: bytes,
        *,
        route: str = "zapier",
        method: str = "POST",
        path: str | None = None,
        headers: Headers | None = None,
        is_mapped: bool = False,
    ) -> Result:
        """Send bytes as a plain WSGI server hands them over; the answer is a documented one."""
        path = path_of(route) if path is None else path
        answer = self.client.simulate_request(
            method,
            path,
            body=body,
            headers=headers_for(route) if headers is None else list(headers),
            remote_addr=CLIENT,
        )
        sent = (answer.status_code, answer.headers.items(), answer.content)
        fault = undocumented(method, path, *sent, is_mapped=is_mapped)
        assert fault is None, fault
        return answer

    def post(self, document: object, *, route: str = "zapier", headers: Headers = ()) -> Result:
        """Send a document as JSON, with the route's secret."""
        body = json.dumps(document).encode()
        return self.send(body, route=route, headers=[*headers_for(route), *headers])

    def ask(self, action: str, *, route: str = "zapier", **given: object) -> dict[str, Any]:
        """Send an action and return the whole envelope."""
        answer: dict[str, Any] = self.post({"action": action, **given}, route=route).json
        return answer

    def create(self, *, route: str = "zapier", **given: object) -> str:
        """Open a flow and return its id."""
        document = {"action": "create_flow", "goal": "ship it", **given}
        flow_id: str = self.post(document, route=route).json["result"]["flow"]["flowId"]
        return flow_id

    def link(self, flow_id: str, **given: object) -> str:
        """Link a child task and return its id."""
        task = {"action": "run_task", "flowId": flow_id, "runtime": "acp", "task": "work", **given}
        task_id: str = self.post(task).json["result"]["task"]["taskId"]
        return task_id

    def admit(
        self,
        *,
        route: str = "zapier",
        method: str = "POST",
        target: str | None = None,
        headers: Headers | None = None,
        peer: str = CLIENT,
    ) -> RequestPermit | RawResponse:
        """Hand over a head, and take the verdict, as our own server does."""
        verdict = self.admission.admit(
            a_head(
                headers_for(route) if headers is None else headers,
                method=method,
                target=path_of(route) if target is None else target,
                peer=peer,
            )
        )
        return verdict.as_raw(OF_SERVER) if isinstance(verdict, Response) else verdict

    def run_admitted(self, permit: RequestPermit, body: bytes) -> tuple[int, bytes]:
        """Run the application on a request that the server has admitted."""
        environ = create_environ(method="POST", path="/", body=body)
        return run(self.app, environ | given(permit, OF_SERVER))

    def run(self, environ: dict[str, Any]) -> tuple[int, bytes]:
        """Serve a request; return the status and the body of the answer."""
        return run(self.serve, environ)


def run(app: WSGIApplication, environ: dict[str, Any]) -> tuple[int, bytes]:
    """Run an application as a WSGI server does; return the status and the body."""
    statuses: list[int] = []

    def start(status: str, *_: object) -> Callable[[bytes], object]:
        statuses.append(int(status[:3]))
        return lambda _: None

    body = b"".join(app(environ, start))
    return statuses[0], body
