"""What a caller is told when the store or our own code fails."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from domain.application.outcomes import NotPersisted
from domain.application.ports import StoreUnavailable
from tests.memory_store import READ, WRITE, WatchedStore
from tests.webhooks.gateway import Gateway

LATEST = b'{"action":"find_latest_flow"}'


@pytest.mark.parametrize(
    ("action", "given", "error", "result"),
    [
        (
            "create_flow",
            {"goal": "g"},
            "TaskFlow persistence failed.",
            {"created": False, "code": "persist_failed"},
        ),
        (
            "finish_flow",
            {"flowId": "id-1", "expectedRevision": 0},
            "TaskFlow persistence failed.",
            {"applied": False, "code": "persist_failed", "current": "the flow"},
        ),
        (
            "cancel_flow",
            {"flowId": "id-1"},
            "Flow persistence failed.",
            {
                "found": True,
                "cancelled": False,
                "reason": "Flow persistence failed.",
                "flow": "the flow",
                "tasks": [],
            },
        ),
        (
            "run_task",
            {"flowId": "id-1", "runtime": "acp", "task": "t"},
            "Task persistence failed.",
            {
                "found": True,
                "created": False,
                "reason": "Task persistence failed.",
                "flow": "the flow",
            },
        ),
    ],
)
def test_a_store_that_cannot_be_written_is_told_and_changes_nothing(
    gateway: Gateway,
    action: str,
    given: Mapping[str, object],
    *,
    error: str,
    result: Mapping[str, object],
) -> None:
    flow_id = gateway.create()
    flow = gateway.ask("get_flow", flowId=flow_id)["result"]["flow"]
    gateway.store.broken = WRITE
    answer = gateway.post({"action": action, **given})
    shown = {key: flow if value == "the flow" else value for key, value in result.items()}
    assert answer.status_code == 503
    assert answer.headers["retry-after"] == "5"
    assert list(answer.json.items()) == [
        ("ok", False),
        ("routeId", "zapier"),
        ("code", "persist_failed"),
        ("error", error),
        ("result", shown),
    ]
    assert list(answer.json["result"]) == list(shown)
    assert [type(error) for _, error in gateway.fault_log] == [NotPersisted]
    gateway.store.broken = frozenset()
    assert gateway.ask("get_flow", flowId=flow_id)["result"]["flow"] == flow
    assert gateway.post({"action": action, **given}).status_code == 200


@pytest.mark.parametrize("action", ["get_flow", "finish_flow"])
def test_a_store_that_cannot_be_read_is_told(gateway: Gateway, action: str) -> None:
    flow_id = gateway.create()
    gateway.store.broken = READ
    given = {"expectedRevision": 0} if action == "finish_flow" else {}
    answer = gateway.post({"action": action, "flowId": flow_id, **given})
    assert (answer.status_code, answer.json["code"]) == (503, "persist_failed")
    assert [(request_id, type(error)) for request_id, error in gateway.fault_log] == [
        ("request-2", StoreUnavailable)
    ]


def test_a_fault_of_ours_is_logged_once_and_told_without_details() -> None:
    gateway = Gateway(store=Faulty())
    answer = gateway.send(LATEST)
    assert answer.status_code == 500
    assert answer.content == (
        b'{"ok":false,"routeId":"zapier","code":"internal_error",'
        b'"error":"Internal Server Error","result":{}}'
    )
    assert [(request_id, str(error)) for request_id, error in gateway.fault_log] == [
        ("request-1", "a bug with s3cret details")
    ]
    assert [entry["status"] for entry in gateway.access_log] == [500]


class Faulty(WatchedStore):
    """A store with a bug."""

    def latest_json(self, owner: str) -> None:  # noqa: ARG002 - as every store
        """Fail as only a bug does."""
        raise RuntimeError("a bug with s3cret details")


def test_a_log_that_fails_is_answered_like_a_fault(gateway: Gateway) -> None:
    def full(_: Mapping[str, object]) -> None:
        raise OSError("no space left")

    gateway.admission.log_request = full
    answer = gateway.send(LATEST)
    assert (answer.status_code, answer.json["code"]) == (500, "internal_error")
    assert [str(error) for _, error in gateway.fault_log] == ["no space left"]
