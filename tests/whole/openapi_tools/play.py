"""Plays the demo with the client that openapi-python-client makes: `play.py URL SECRET`."""

import sys
from typing import TypeAlias

from taskflow_client import AuthenticatedClient
from taskflow_client.api.default import act
from taskflow_client.models import (
    CancelFlow,
    CancelPending,
    CreateFlow,
    FinishFlow,
    Flow,
    FlowCancelPending,
    FlowChanged,
    FlowCreated,
    FlowNotChanged,
    FoundSummary,
    GetTaskSummary,
    Refusal409,
    ResumeFlow,
    ResumeFlowStatus,
    RunTask,
    RunTaskRuntime,
    SetWaiting,
    Success,
    TaskLinked,
    TaskSummary,
    TaskUpdated,
    UpdateTask,
    UpdateTaskStatus,
)

URL, SECRET = sys.argv[1:]
CLIENT = AuthenticatedClient(base_url=URL, token=SECRET)
Lifecycle: TypeAlias = CreateFlow | SetWaiting | ResumeFlow | CancelFlow | FinishFlow
Asked: TypeAlias = Lifecycle | RunTask | UpdateTask | GetTaskSummary


def ask(body: Asked) -> Flow | TaskLinked | TaskSummary:
    """Send a request, and print what became of it."""
    response = act.sync_detailed("zapier", client=CLIENT, body=body)
    answer = response.parsed
    assert isinstance(answer, Success | CancelPending | Refusal409), answer
    code = "ok" if isinstance(answer, Success) else str(answer.code)
    shown: Flow | TaskLinked | TaskSummary
    match answer.result:
        case FlowCreated(flow=flow) | FlowChanged(flow=flow) | TaskUpdated(flow=flow):
            shown = flow
        case FlowCancelPending(flow=flow):
            shown = flow
        case FlowNotChanged(current=Flow() as flow):
            shown = flow
        case TaskLinked():
            shown = answer.result
        case FoundSummary(summary=TaskSummary() as summary):
            shown = summary
        case other:
            raise AssertionError(other)
    print(body.action, int(response.status_code), code, said(shown))  # noqa: T201 - its purpose
    return shown


def said(shown: Flow | TaskLinked | TaskSummary) -> str:
    """Say where a flow stands, or how many tasks there are."""
    if isinstance(shown, TaskSummary):
        return f"{shown.total} task"
    flow = shown.flow if isinstance(shown, TaskLinked) else shown
    return f"{flow.status} {flow.revision}"


made = ask(CreateFlow(action="create_flow", goal="Review inbound queue"))
assert isinstance(made, Flow)
flow_id = made.flow_id
linked = ask(
    RunTask(action="run_task", flow_id=flow_id, runtime=RunTaskRuntime.ACP, task="Inspect")
)
assert isinstance(linked, TaskLinked)
task_id = linked.task.task_id


def update(status: UpdateTaskStatus) -> None:
    """Report of the task."""
    ask(UpdateTask(action="update_task", flow_id=flow_id, task_id=task_id, status=status))


update(UpdateTaskStatus.RUNNING)
ask(
    SetWaiting(
        action="set_waiting", flow_id=flow_id, expected_revision=0, wait_json={"kind": "approval"}
    )
)
ask(ResumeFlow(action="resume_flow", flow_id=flow_id, expected_revision=0))
ask(
    ResumeFlow(
        action="resume_flow",
        flow_id=flow_id,
        expected_revision=1,
        status=ResumeFlowStatus.RUNNING,
    )
)
ask(CancelFlow(action="cancel_flow", flow_id=flow_id))
update(UpdateTaskStatus.SUCCEEDED)
ask(GetTaskSummary(action="get_task_summary", flow_id=flow_id))
ask(FinishFlow(action="finish_flow", flow_id=flow_id, expected_revision=4))
