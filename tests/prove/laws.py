"""What must hold for every step, said apart from the decider and its table."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Final, TypeAlias, get_args

from attrs import evolve as replace
from attrs import frozen

from domain.flow.commands import (
    REVISIONED,
    CommandContext,
    CreateFlow,
    ExpireWait,
    FollowLink,
    ResumeEarly,
    ResumeFlow,
)
from domain.flow.decide import Decision
from domain.flow.events import Event, FlowEvent, FlowWaitExpired, TaskLinked
from domain.flow.refusals import Refusal, RefusalCode
from domain.flow.state import Flow, active_tasks, cancel_requested, is_terminal, is_waiting
from domain.flow.status import FlowStatus
from domain.flow.task import is_active
from tests.prove.beside import agrees

FLOW_EVENTS: Final[tuple[type[FlowEvent], ...]] = get_args(FlowEvent)


@frozen
class Step:
    """A command on a flow, what was decided, and the flow thereafter."""

    before: Flow | None
    issued: CommandContext
    decision: Decision
    after: Flow | None

    @property
    def events(self) -> tuple[Event, ...]:
        """What happened."""
        return () if isinstance(self.decision, Refusal) else self.decision

    @property
    def refusal(self) -> RefusalCode | None:
        """Why nothing happened, if it was refused."""
        return self.decision.code if isinstance(self.decision, Refusal) else None


Law: TypeAlias = Callable[[Step], bool]
"""Says whether a step keeps a law."""


def broken(step: Step) -> Iterator[str]:
    """Yield the laws that a step breaks, by their names."""
    return (law.__name__.replace("_", " ") for law in LAWS if not law(step))


def a_stranger_brings_nothing_about(step: Step) -> bool:
    if step.before is None or isinstance(step.issued.command, CreateFlow):
        return True
    foreign = step.before.owner != step.issued.owner
    return foreign == (step.refusal is RefusalCode.NOT_FOUND)


def a_refusal_of_not_found_tells_nothing(step: Step) -> bool:
    return (
        not isinstance(step.decision, Refusal)
        or step.decision.code is not RefusalCode.NOT_FOUND
        or step.decision.flow is None
    )


def another_revision_is_a_conflict(step: Step) -> bool:
    command = step.issued.command
    if step.before is None or not isinstance(command, REVISIONED):
        return step.refusal is not RefusalCode.REVISION_CONFLICT
    own = step.before.owner == step.issued.owner
    stale = command.expected_revision not in {None, step.before.revision}
    return (step.refusal is RefusalCode.REVISION_CONFLICT) == (own and stale)


def a_correlation_key_is_of_one_live_flow(step: Step) -> bool:
    command, before = step.issued.command, step.before
    taken = step.refusal is RefusalCode.CORRELATION_KEY_TAKEN
    if before is None or not isinstance(command, CreateFlow):
        return not taken
    has_it = command.correlation_key is not None and (
        before.correlation_key == command.correlation_key
    )
    return taken == (has_it and before.owner == step.issued.owner and not is_terminal(before))


def what_is_refused_shows_the_flow_as_it_is(step: Step) -> bool:
    return (
        not isinstance(step.decision, Refusal)
        or step.decision.flow is None
        or step.decision.flow == step.before
    )


def terminal_is_final(step: Step) -> bool:
    before, after = step.before, step.after
    if before is None or after is None or not is_terminal(before):
        return True
    of_tasks = ("tasks", "counts", "version", "latest_at")
    return replace(after, **{name: getattr(before, name) for name in of_tasks}) == before


def an_intent_never_clears(step: Step) -> bool:
    before, after = step.before, step.after
    return (
        before is None or after is None or not cancel_requested(before) or (cancel_requested(after))
    )


def no_task_is_linked_after_an_intent(step: Step) -> bool:
    linked = any(isinstance(event, TaskLinked) for event in step.events)
    return not linked or step.before is None or not cancel_requested(step.before)


def the_last_child_takes_a_flow_with_an_intent_with_it(step: Step) -> bool:
    before, after = step.before, step.after
    if before is None or after is None or is_terminal(before):
        return True
    settled = active_tasks(before) and cancel_requested(before) and not active_tasks(after)
    return not settled or after.status is FlowStatus.CANCELLED


def a_cancelled_flow_was_wanted_so_and_has_no_active_child(step: Step) -> bool:
    after = step.after
    if after is None or after.status is not FlowStatus.CANCELLED:
        return True
    return cancel_requested(after) and not active_tasks(after)


def a_child_that_ended_stays_as_it_ended(step: Step) -> bool:
    if step.before is None or step.after is None:
        return True
    after = {task.task_id: task for task in step.after.tasks}
    ended = (task for task in step.before.tasks if not is_active(task))
    return all(_told_alike(task, after.get(task.task_id)) for task in ended)


def _told_alike(before: object, after: object) -> bool:
    """Say whether a task is the same but for its description, which may still be completed."""
    fields = ("status", "started_at", "ended_at", "error", "terminal_summary", "last_heartbeat_at")
    return all(getattr(before, name) == getattr(after, name, None) for name in fields)


def who_let_a_flow_wait_for_another_key_does_not_resume_it(step: Step) -> bool:
    before, command = step.before, step.issued.command
    if before is None or step.issued.caller not in before.requesters:
        return True
    return not isinstance(command, ResumeFlow | ResumeEarly) or not step.events


def a_wait_ends_once(step: Step) -> bool:
    """Say whether time and links end no wait but one that is there."""
    ended = isinstance(step.issued.command, FollowLink | ExpireWait) and bool(step.events)
    return not ended or (step.before is not None and is_waiting(step.before))


def what_a_wait_has_goes_with_it(step: Step) -> bool:
    after = step.after
    if after is None or is_waiting(after):
        return True
    held = (after.until, after.on_timeout, after.link_hash, after.requesters)
    return held == (None, None, None, ())


def no_wait_is_due_before_its_time(step: Step) -> bool:
    expired = [event for event in step.events if isinstance(event, FlowWaitExpired)]
    until = None if step.before is None else step.before.until
    return not expired or (until is not None and all(until <= event.at for event in expired))


def the_revision_counts_what_happened_to_the_flow(step: Step) -> bool:
    if step.after is None:
        return True
    moved = sum(isinstance(event, FLOW_EVENTS) for event in step.events)
    return step.after.revision == (moved if step.before is None else step.before.revision + moved)


def the_version_counts_all_that_happened(step: Step) -> bool:
    if step.after is None:
        return not step.events
    was = 0 if step.before is None else step.before.version
    return step.after.version == was + len(step.events)


def the_clock_is_held(step: Step) -> bool:
    latest = step.issued.at if step.before is None else max(step.issued.at, step.before.latest_at)
    return all(event.at == latest for event in step.events)


def an_ended_flow_has_an_end(step: Step) -> bool:
    return step.after is None or is_terminal(step.after) == (step.after.ended_at is not None)


def a_flow_keeps_its_owner_and_its_id(step: Step) -> bool:
    before, after = step.before, step.after
    if before is None or after is None:
        return after is None or after.owner == step.issued.owner
    return (before.owner, before.flow_id, before.goal) == (after.owner, after.flow_id, after.goal)


def no_task_is_there_twice(step: Step) -> bool:
    tasks = () if step.after is None else step.after.tasks
    return len({task.task_id for task in tasks}) == len(tasks)


def the_model_comes_to_the_same(step: Step) -> bool:
    return agrees(step.before, step.issued, step.decision, step.after)


LAWS: Final[tuple[Law, ...]] = (
    a_stranger_brings_nothing_about,
    a_refusal_of_not_found_tells_nothing,
    another_revision_is_a_conflict,
    a_correlation_key_is_of_one_live_flow,
    what_is_refused_shows_the_flow_as_it_is,
    terminal_is_final,
    an_intent_never_clears,
    no_task_is_linked_after_an_intent,
    the_last_child_takes_a_flow_with_an_intent_with_it,
    a_cancelled_flow_was_wanted_so_and_has_no_active_child,
    a_child_that_ended_stays_as_it_ended,
    who_let_a_flow_wait_for_another_key_does_not_resume_it,
    a_wait_ends_once,
    what_a_wait_has_goes_with_it,
    no_wait_is_due_before_its_time,
    the_revision_counts_what_happened_to_the_flow,
    the_version_counts_all_that_happened,
    the_clock_is_held,
    an_ended_flow_has_an_end,
    a_flow_keeps_its_owner_and_its_id,
    no_task_is_there_twice,
    the_model_comes_to_the_same,
)
