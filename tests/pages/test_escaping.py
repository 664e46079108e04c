"""Whatever callers write, a page has the same elements, and shows only what prints."""

from __future__ import annotations

import json
from collections.abc import Sequence

from attrs import evolve
from hypothesis import example, given
from hypothesis import strategies as st

from adapters.pages.flow_detail import flow_detail
from adapters.pages.flow_history import FlowHistory
from adapters.pages.proofs import ProofAttempt
from adapters.pages.rendering import render_page
from domain.application.recorded_events import Actor, ActorKind, CommandMetadata, to_recorded_events
from domain.flow.events import Event, FlowBecameBlocked, FlowCreated, TaskLinked
from domain.flow.ids import FlowId, KeyId, Owner, RequestId, TaskId
from domain.flow.status import FlowStatus, NotifyPolicy, Runtime, TaskStatus
from domain.flow.values import Json
from domain.history.audit_log import LogEntry
from domain.history.transitions import transitions
from domain.replay.findings import Finding, FindingCode
from tests.pages.workbench import seen

PLAIN = "words"


def page(text: str) -> str:
    """Return the page of a flow in which each field that a caller fills holds a text."""
    events = _events(text)
    actor = Actor(kind=ActorKind.ROUTE, name=text, key_id=KeyId(text))
    origin = CommandMetadata(actor=actor, request_id=RequestId(text), remote_address=text)
    records = to_recorded_events(tuple(events), flow_id=FlowId(text), after=0, origin=origin, now=0)
    entries = [_entry(FlowId(text), version, event) for version, event in enumerate(events, 1)]
    steps = tuple(transitions(records))
    finding = Finding(code=FindingCode.GAP, sentence=text, flow_id=FlowId(text), version=1)
    history = FlowHistory(
        flow_id=FlowId(text),
        entries=entries,
        transitions=steps,
        damage=text,
        derived=None,
        findings=[finding],
    )
    return render_page(
        "flow.html",
        {
            "nav": "flows",
            "history": history,
            "view": flow_detail(history, steps[-1], None),
            "window": 100,
            "proof": ProofAttempt(verdict=None, reason=text),
            "entry": entries[-1],
            "refused": (),
            "most_refused": 1,
            "most_tasks": 100,
            "unread": [evolve(entries[-1], name=text)],
        },
    )


def _events(text: str) -> Sequence[Event]:
    created = FlowCreated(
        at=0,
        flow_id=FlowId(text),
        owner=Owner(text),
        controller_id=text,
        goal=text,
        status=FlowStatus.RUNNING,
        notify_policy=NotifyPolicy.SILENT,
        state_json=Json(json.dumps({text: text}, ensure_ascii=False)),
    )
    linked = TaskLinked(
        at=1,
        task_id=TaskId(text),
        runtime=Runtime.ACP,
        task=text,
        status=TaskStatus.RUNNING,
        agent_id=text,
        notify_policy=NotifyPolicy.SILENT,
        created_at=1,
        last_event_at=1,
        label=text,
        progress_summary=text,
    )
    return created, linked, FlowBecameBlocked(at=2, current_step=text, blocked_summary=text)


def _entry(text: FlowId, version: int, event: Event) -> LogEntry:
    name = f"taskflow.{type(event).__name__}.v1"
    return LogEntry(position=version, flow_id=text, version=version, name=name, state=b"")


@given(st.text(min_size=1, max_size=80))
@example("<script>alert(1)</script>")
@example("\" onload='x' </title></svg></pre><img src=x>")
@example("\u202e\u2066\x1b[31m\r\n\0")
@example("javascript:alert(1)")
def test_no_text_becomes_an_element_or_steers_the_reader(text: RequestId) -> None:
    made = page(text)
    assert seen(made).tags == seen(page(PLAIN)).tags
    assert all(character.isprintable() or character == "\n" for character in made)
    assert {link[:1] for link in seen(made).links} <= {"/", "#"}
