"""Commands, carried out together: load many, decide each in order, append many, answer each.

A command of a batch is decided on what those before it made of its flow, which is not written yet.
So each outcome says on which commit it rests, and is an answer only once that one is durable.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Final, TypeAlias

from attrs import define, field, frozen

from domain.application.outcomes import (
    NotPersisted,
    Outcome,
    accepted,
    key_reused,
    rejected,
    replayed,
)
from domain.application.ports import (
    Commit,
    CorrelationRef,
    FlowRef,
    FlowStore,
    IdempotencyRecord,
    KeyRef,
    Loaded,
    StoreUnavailable,
)
from domain.application.recorded_events import CommandMetadata, RequestKey, to_recorded_events
from domain.flow.commands import CancelFlow, Command, CommandContext, CreateFlow, FlowCommand
from domain.flow.decide import decide
from domain.flow.decide_task import task_of
from domain.flow.events import Event
from domain.flow.evolve import fold
from domain.flow.ids import FlowId, Owner
from domain.flow.refusals import Refusal
from domain.flow.state import Flow, is_named, is_whole

ATTEMPTS: Final = 1000
"""How often a command that loses to other writers is decided again. Each loss is another's win."""


@frozen
class Submission:
    """A command that is to be carried out, and where it comes from.

    With a correlation key it is one on the live flow that the key names when it is decided.
    """

    context: CommandContext
    metadata: CommandMetadata
    correlation_key: str | None = None

    @property
    def owner(self) -> Owner:
        """Whose command it is."""
        return self.context.owner

    @property
    def named(self) -> CorrelationRef | None:
        """The correlation key whose flow it concerns: to be changed, or in a creation's way."""
        command = self.context.command
        key = command.correlation_key if isinstance(command, CreateFlow) else self.correlation_key
        return None if key is None else (self.owner, key)


_Named: TypeAlias = Mapping[CorrelationRef, FlowId]

CarryOut: TypeAlias = Callable[[Sequence[Submission]], Sequence[Outcome | Exception]]
"""Carries out commands in order; returns the outcome of each, or the exception that it raised."""


def carry_out(store: FlowStore, submissions: Sequence[Submission]) -> Sequence[Outcome | Exception]:
    """Carry out commands in order and, if nobody else writes, in one transaction.

    What is returned is durable. A fault of one command is its own and leaves nothing behind. Of a
    write that failed, every command that would have written, or was decided on what was not
    written, is answered `NotPersisted`.
    """
    answers: dict[int, Outcome | Exception] = {}
    due: Sequence[int] = range(len(submissions))
    for _ in range(ATTEMPTS):
        found = _attempt_apart(store, [submissions[number] for number in due])
        answers |= {number: it for number, it in zip(due, found, strict=True) if it is not None}
        due = [number for number in due if number not in answers]
        if not due:
            break
    lost = StoreUnavailable("the flow is written to by too many at once")
    return [answers.get(number, lost) for number, _ in enumerate(submissions)]


_Answer: TypeAlias = Outcome | Exception | None
"""None is for a command that lost to another writer, and is to be decided again."""


def _attempt_apart(store: FlowStore, submissions: Sequence[Submission]) -> Sequence[_Answer]:
    """Attempt commands together; if one has a fault that spoils the rest, each by itself."""
    try:
        return _attempt(store, submissions)
    except Exception as fault:  # noqa: BLE001 - whatever it is, it is the answer to its command
        if len(submissions) == 1:
            return [fault]
        return [answer for each in submissions for answer in _attempt_apart(store, [each])]


def _attempt(store: FlowStore, submissions: Sequence[Submission]) -> Sequence[_Answer]:
    try:
        named = _find_named(store, submissions)
        loaded = _load(store, submissions, named)
    except StoreUnavailable as error:
        return [error] * len(submissions)
    batch = _Batch(store, loaded, dict(named))
    decided = [batch.decide(each) for each in submissions]
    try:
        written = store.append_many(batch.commits) if batch.commits else ()
    except StoreUnavailable as error:
        return [
            each.answer
            if each.rests_on is None
            else _not_persisted(loaded, submission, named, error)
            for each, submission in zip(decided, submissions, strict=True)
        ]
    return [
        each.answer if each.rests_on is None or written[each.rests_on] else None for each in decided
    ]


def _find_named(store: FlowStore, submissions: Sequence[Submission]) -> _Named:
    keys = {each.named for each in submissions if each.named is not None}
    return store.find_named(keys) if keys else {}


def _load(store: FlowStore, submissions: Sequence[Submission], named: _Named) -> Loaded:
    wanted: dict[FlowRef, list[FlowCommand]] = {}
    keys: list[KeyRef] = []
    for each in submissions:
        command, ref = each.context.command, _ref(each, named)
        if ref is not None:
            commands = wanted.setdefault(ref, [])
            commands += [] if isinstance(command, CreateFlow) else [command]
        keys += _spellings(each.metadata.request_key)
    return store.load_many(wanted, keys) if wanted or keys else Loaded({}, {})


def _spellings(key: RequestKey | None) -> Sequence[KeyRef]:
    return () if key is None else [(key.route_id, each) for each in (key.key, *key.aliases)]


def _ref(submission: Submission, named: _Named) -> FlowRef | None:
    """Return the flow that a command is decided on; None if there is none."""
    command, key = submission.context.command, submission.named
    if key is not None:
        return (submission.owner, named[key]) if key in named else None
    return None if isinstance(command, CreateFlow) else (submission.owner, command.flow_id)


def _not_persisted(
    loaded: Loaded, submission: Submission, named: _Named, error: Exception
) -> NotPersisted:
    is_new = isinstance(submission.context.command, CreateFlow)
    ref = None if is_new else _ref(submission, named)
    answer = NotPersisted(None if ref is None else loaded.flows.get(ref))
    answer.__cause__ = error
    return answer


@frozen
class _Decided:
    """The answer to a command, and the number of the commit without which it is not true."""

    answer: Outcome | Exception
    rests_on: int | None


@frozen
class _KeyUse:
    """What a request key stands for; if this batch used it, by which commit, and the flow then."""

    record: IdempotencyRecord
    flow: Flow | None = None
    rests_on: int | None = None


@define
class _Batch:
    """The flows and keys of a batch, as its commands so far leave them."""

    store: FlowStore
    loaded: Loaded
    named: dict[CorrelationRef, FlowId]
    commits: list[Commit] = field(factory=list, init=False)
    _flows: dict[FlowRef, Flow] = field(init=False)
    _last: dict[FlowRef, int] = field(factory=dict, init=False)
    _keys: dict[KeyRef, _KeyUse] = field(init=False)
    _freed: dict[CorrelationRef, int] = field(factory=dict, init=False)

    def __attrs_post_init__(self) -> None:
        """Begin with what is persisted."""
        self._flows = dict(self.loaded.flows)
        self._keys = {ref: _KeyUse(record) for ref, record in self.loaded.records.items()}

    def decide(self, submission: Submission) -> _Decided:
        """Decide a command; an exception is its answer, and leaves the batch as it was."""
        try:
            return self._repeat(submission) or self._decide(submission)
        except Exception as fault:  # noqa: BLE001 - whatever it is, the others do not share it
            return _Decided(fault, None)

    def _decide(self, submission: Submission) -> _Decided:
        context = submission.context
        flow, rests_on = self._flow_of(submission)
        decision = decide(flow, context)
        if isinstance(decision, Refusal):
            return _Decided(rejected(decision, context.command), rests_on)
        after = fold(flow, decision)
        if after is None:  # no flow and no events: only a command that found its flow decides none
            raise AssertionError("a decision on no flow must create one")
        commit = _commit(submission, flow, decision, after)
        answer = accepted(after, context.command, commit.task_id)
        if commit.events or commit.request_key is not None:
            rests_on = self._add(commit)
        return _Decided(answer, rests_on)

    def _flow_of(self, submission: Submission) -> tuple[Flow | None, int | None]:
        """Return the flow that a command is decided on, and the commit on which that rests."""
        ref, name = _ref(submission, self.named), submission.named
        flow = None if ref is None else self._flows.get(ref)
        if name is not None and (flow is None or not is_named(flow, name[1])):
            return None, self._freed.get(name)  # it may have ended since it was found
        return flow, None if ref is None else self._last.get(ref)

    def _add(self, commit: Commit) -> int:
        number, ref = len(self.commits), (commit.flow.owner, commit.flow.flow_id)
        self.commits.append(commit)
        self._flows[ref], self._last[ref] = commit.flow, number
        self._keep_name(commit.flow, number)
        if (key := commit.request_key) is not None:
            record = IdempotencyRecord(
                request_hash=key.request_hash,
                flow_id=commit.flow.flow_id,
                version=commit.flow.version,
                task_id=commit.task_id,
            )
            self._keys[key.route_id, key.key] = _KeyUse(record, commit.flow, number)
        return number

    def _keep_name(self, flow: Flow, number: int) -> None:
        if flow.correlation_key is None:
            return
        ref = (flow.owner, flow.correlation_key)
        if is_named(flow, flow.correlation_key):
            self.named[ref] = flow.flow_id
        elif self.named.get(ref) == flow.flow_id:
            self._freed[ref] = number

    def _repeat(self, submission: Submission) -> _Decided | None:
        key = submission.metadata.request_key
        found = [use for each in _spellings(key) if (use := self._keys.get(each))]
        if key is None or not found:
            return None
        same = (use for use in found if use.record.request_hash == key.request_hash)
        use = next(same, None)
        if use is None:
            return _Decided(key_reused(), found[0].rests_on)
        record = use.record
        flow = use.flow or self._past(record, submission.context.command)
        # A route that was bound to another owner since then must not see its former owner's flow.
        if flow is None or flow.owner != submission.owner:
            return _Decided(key_reused(), use.rests_on)
        return _Decided(replayed(flow, submission.context.command, record.task_id), use.rests_on)

    def _past(self, record: IdempotencyRecord, command: Command) -> Flow | None:
        """Return the flow that a record stands for, with what a repeat of a command is shown."""
        flow = record.flow
        if flow is not None and (is_whole(flow) or not isinstance(command, CancelFlow)):
            return flow
        return self.store.load(record.flow_id, record.version)


def _commit(
    submission: Submission, before: Flow | None, events: tuple[Event, ...], after: Flow
) -> Commit:
    context, metadata = submission.context, submission.metadata
    return Commit(
        events=to_recorded_events(
            events,
            flow_id=after.flow_id,
            after=after.version - len(events),
            origin=metadata,
            now=context.at,
        ),
        before=before,
        flow=after,
        request_key=metadata.request_key,
        task_id=task_of(after, context.command, events),
        lists_tasks=isinstance(context.command, CancelFlow),
    )
