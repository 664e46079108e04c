"""A gateway without sockets: the real application on a store in memory, its clock in our hand."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from ipaddress import ip_network
from itertools import count
from typing import Any

from attrs import define, field
from falcon.testing import Result, TestClient, create_environ

from adapters.webhooks.admission import Admission, AdmissionTable, Permit
from adapters.webhooks.limits import Limits
from adapters.webhooks.refusal_recorder import noting
from adapters.webhooks.resource import WebhookCollaborators
from adapters.webhooks.responses import RawResponse
from adapters.webhooks.routes import Identify, RouteTable, WebhookRoute
from adapters.webhooks.wsgi import create_webhook_app
from domain.application.sessions import TaskFlows
from domain.flow.ids import KeyId, Owner, RequestId, RouteId
from domain.history.refused_requests import DeniedRequest
from tests.webhooks.memory_store import MemoryStore

OWNER = "agent:main:main"
OWNERS = {"zapier": OWNER, "twin": OWNER, "other": "agent:main:other"}
SECRETS = {name: f"plain-secret-{name}" for name in OWNERS}
NOW = 1_700_000_000_000
CLIENT = "192.0.2.10"
PROXY = "127.0.0.1"

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


def counted(prefix: str) -> Callable[[], str]:
    numbers = count(1)
    return lambda: f"{prefix}-{next(numbers)}"


@define
class Gateway:
    """Everything of one gateway that a test may look at or turn."""

    limits: Limits = field(factory=Limits)
    store: MemoryStore = field(factory=MemoryStore)
    ready: bool = True
    now: int = NOW
    uptime: float = 0.0
    access_log: list[Mapping[str, object]] = field(factory=list)
    noted: list[DeniedRequest] = field(factory=list)
    fault_log: list[tuple[str, BaseException]] = field(factory=list)
    flows: TaskFlows = field(init=False)
    admission: Admission = field(init=False)
    client: TestClient = field(init=False)

    def __attrs_post_init__(self) -> None:
        self.flows = TaskFlows(self.store, lambda: self.now, counted("id"))
        self.admission = Admission(
            table=self.table([self.route(RouteId(name)) for name in OWNERS]),
            clock=lambda: self.uptime,
            log_request=self.access_log.append,
            note_answer=noting(self.noted.append, lambda: self.now),
        )
        requests = counted("request")
        given = WebhookCollaborators(
            admission=self.admission,
            new_id=lambda: RequestId(requests()),
            ready=lambda: self.ready,
            log_fault=lambda request_id, error: self.fault_log.append((request_id, error)),
        )
        self.client = TestClient(create_webhook_app(given))

    def table(self, routes: Iterable[WebhookRoute]) -> AdmissionTable:
        """Return what is swapped as one."""
        return AdmissionTable(
            routes=RouteTable(routes),
            trusted_proxies=(ip_network(f"{PROXY}/32"),),
            remember_address=lambda address: address,
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

    def send(
        self,
        body: bytes,
        *,
        route: str = "zapier",
        method: str = "POST",
        path: str | None = None,
        headers: Headers | None = None,
    ) -> Result:
        """Send bytes as a plain WSGI server would hand them over."""
        return self.client.simulate_request(
            method,
            path_of(route) if path is None else path,
            body=body,
            headers=headers_for(route) if headers is None else list(headers),
            remote_addr=CLIENT,
        )

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
    ) -> Permit | RawResponse:
        """Hand over a head as our own server does."""
        return self.admission.admit_head(
            method,
            path_of(route) if target is None else target,
            headers_for(route) if headers is None else headers,
            peer,
            RequestId("request-of-server"),
        )

    def run_admitted(self, permit: Permit, body: bytes) -> tuple[int, bytes]:
        """Run the application on a request that the server has admitted."""
        environ = create_environ(method="POST", path="/", body=body)
        given = {"taskflow.permit": permit, "taskflow.request_id": "request-of-server"}
        return self.run({**environ, **given})

    def run(self, environ: dict[str, Any]) -> tuple[int, bytes]:
        """Run the application as a WSGI server does; return the status and the body."""
        statuses: list[int] = []

        def start(status: str, *_: object) -> Callable[[bytes], object]:
            statuses.append(int(status[:3]))
            return lambda _: None

        body = b"".join(self.client.app(environ, start))
        return statuses[0], body
