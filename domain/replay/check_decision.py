"""Checks the events of one decision against the flow as it was before them."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

from attrs import evolve as replace

from domain.application.recorded_events import ActorKind, Metadata
from domain.flow.events import FlowEvent, FlowResumedByLink
from domain.flow.rules import FIRST_RULES, RULES, DecisionRules, rules_of
from domain.flow.state import Flow, is_terminal
from domain.replay.decisions import RecordedDecision
from domain.replay.findings import Finding, FindingCode, found_at
from domain.replay.redecide import is_legal_transition


def check_decision(
    flow: Flow | None, decided: RecordedDecision, latest: DecisionRules = FIRST_RULES
) -> Iterator[Finding]:
    """Return what cannot be so: the metadata, the place, the moments, the events themselves.

    `latest` are the rules of the decision before: rules are only ever followed by later ones.
    """
    yield from _contradictions(decided)
    yield from _scattered(decided)
    yield from _wrong_times(flow, decided)
    yield from _wrong_actor(decided)
    rules = decided_by(decided)
    if rules is None or rules.version < latest.version:
        yield _wrong_rules(decided, rules)
    events = [read.record.event for read in decided]
    caller = decided[0].record.metadata.actor.caller
    if not is_legal_transition(flow, events, rules or RULES, caller):
        yield _illegal(flow, decided)


def decided_by(decided: RecordedDecision) -> DecisionRules | None:
    """Return the rules by which something was decided, or None if they are not known here."""
    return rules_of(decided[0].record.metadata.rules)


def _wrong_rules(decided: RecordedDecision, rules: DecisionRules | None) -> Finding:
    # APPSEC: a forger must not choose the rules that an event is checked by.
    named = decided[0].record.metadata.rules
    sentence = (
        f"this program does not know the rules, version {named}, that it was decided by"
        if rules is None
        else f"it was decided by older rules, version {rules.version}, than the event ahead of it"
    )
    return found_at(decided[0].entry, FindingCode.METADATA_DIFFERS, sentence)


def _wrong_actor(decided: RecordedDecision) -> Iterator[Finding]:
    for read in decided:
        by_link = read.record.metadata.actor.kind is ActorKind.LINK
        if by_link != isinstance(read.record.event, FlowResumedByLink):
            sentence = "who followed a link and who did not contradict each other"
            yield found_at(read.entry, FindingCode.METADATA_DIFFERS, sentence)


def _contradictions(decided: RecordedDecision) -> Iterator[Finding]:
    first = decided[0].record.metadata
    for number, read in enumerate(decided):
        data = read.record.metadata
        if number and replace(data, causation_id=first.causation_id) != first:
            sentence = "it is not of the request that caused the event before it"
            yield found_at(read.entry, FindingCode.METADATA_DIFFERS, sentence)
        if not number and data.causation_id != data.request_id:
            sentence = "its cause is neither its request nor the event before it"
            yield found_at(read.entry, FindingCode.METADATA_DIFFERS, sentence)
        for sentence in _impossible(data):
            yield found_at(read.entry, FindingCode.METADATA_DIFFERS, sentence)


def _impossible(data: Metadata) -> Iterator[str]:
    actor = data.actor
    is_route, is_link = actor.kind is ActorKind.ROUTE, actor.kind is ActorKind.LINK
    if data.correlation_id != data.request_id:
        yield "its correlation is not its request"
    if (is_route or is_link) and actor.key_id is None:
        yield f"its actor is a {actor.kind}, yet no key is named"
    if is_link and data.idempotency_key is not None:
        yield "its actor is a link, yet has what only a caller has: a key"
    if not (is_route or is_link) and (actor.key_id is not None or data.idempotency_key is not None):
        yield f"its actor is of kind {actor.kind}, yet has what only a caller has: a key"
    if (data.idempotency_key is None) != (data.request_hash is None):
        yield "of an idempotency key and its request's hash there is only one"


def _scattered(decided: RecordedDecision) -> Iterator[Finding]:
    """Return the events that do not follow in the log on the one before in their commit."""
    for before, after in pairwise(decided):
        if after.entry.position != before.entry.position + 1:
            place = f"position {before.entry.position}, where its decision's event before it is"
            sentence = f"it does not stand next to {place}"
            yield found_at(after.entry, FindingCode.OUT_OF_ORDER, sentence)


def _wrong_times(flow: Flow | None, decided: RecordedDecision) -> Iterator[Finding]:
    latest = None if flow is None else flow.latest_at
    for read in decided:
        at, recorded = read.record.event.at, read.record.metadata.recorded_at
        if latest is not None and at < latest:
            sentence = f"it happened {latest - at} ms before the event ahead of it"
            yield found_at(read.entry, FindingCode.TIME_BACKWARDS, sentence)
        elif at != (recorded if latest is None else max(recorded, latest)):
            sentence = "its moment is neither the clock's nor that of the event ahead of it"
            yield found_at(read.entry, FindingCode.METADATA_DIFFERS, sentence)
        latest = at


def _illegal(flow: Flow | None, decided: RecordedDecision) -> Finding:
    events = [read.record.event for read in decided]
    brought = ", then ".join(type(event).__name__ for event in events)
    if flow is None:
        code, sentence = FindingCode.ILLEGAL_TRANSITION, f"no flow begins with such a {brought}"
    elif is_terminal(flow) and any(isinstance(event, FlowEvent) for event in events):
        code = FindingCode.EVENT_AFTER_END
        sentence = f"{brought} comes after the flow's end as {flow.status}"
    else:
        code = FindingCode.ILLEGAL_TRANSITION
        stood = f"a flow that is {flow.status} at revision {flow.revision}"
        sentence = f"no command leads to {brought} on {stood}"
    return found_at(decided[0].entry, code, sentence)
