"""Golden histories: they are decided, folded and shown as they were kept."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from attrs import evolve as replace

from adapters.testing.corpus import Golden, golden_histories, replay_corpus
from adapters.testing.corpus.golden import load_golden
from adapters.testing.corpus.record import main, record
from adapters.testing.json_format import EVENT_NAMES
from adapters.testing.replay import replay
from adapters.testing.steps import Send, dump_steps, load_steps
from domain.flow.commands import COMMANDS
from domain.flow.decide import decide
from domain.flow.refusals import RefusalCode
from tests.kit import faulty

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "adapters" / "testing" / "corpus"
HISTORIES = golden_histories()
APPROVAL = next(history for history in HISTORIES if history.name == "approval")
CREATE = '[{"create_flow": {"goal": "g", "controller_id": "c"}}, {"clock": 3}]'


def test_everything_that_was_kept_is_as_it_was() -> None:
    assert "\n".join(map(str, replay_corpus())) == ""


def test_the_corpus_has_every_file_of_its_folder() -> None:
    files = sorted(file.stem for file in FOLDER.glob("*.json"))
    assert [history.name for history in HISTORIES] == files
    assert len(files) > 5


def test_the_corpus_knows_every_command_event_and_refusal() -> None:
    steps = [(step, told) for history in HISTORIES for step, told in history.steps]
    assert {type(step.command) for step, _ in steps if isinstance(step, Send)} == set(COMMANDS)
    assert {word for _, told in steps for event in told.get("events", ()) for word in event} == {
        *EVENT_NAMES
    }
    assert {told["refused"] for _, told in steps if "refused" in told} == {*map(str, RefusalCode)}


@pytest.mark.parametrize("history", HISTORIES, ids=lambda history: history.name)
def test_the_model_says_the_same_of_a_golden_history(history: Golden) -> None:
    if history.name != "refused":  # one of its refusals is of a second creation, which never comes
        replay(dump_steps(step for step, _ in history.steps))


def test_another_decision_is_a_difference_where_it_is_made() -> None:
    found = replay_corpus(rules=faulty.wants_once_rule)
    assert [(one.history, one.step) for one in found] == [("intent_outlived", 4)]
    assert str(found[0]) == (
        "intent_outlived, at step 4:\n- events[0].taskflow.flow_cancel_requested.v1.at: 1007"
    )


def test_what_is_shown_in_the_end_is_compared_too() -> None:
    other = replace(APPROVAL, flow={**APPROVAL.flow, "goal": "another"}, tasks=({"a": 1},))
    assert [str(one) for one in replay_corpus([other])] == [
        "approval, at its end:\n- goal: 'another'\n+ goal: 'Review inbound queue'",
        "approval, at its end:\n- [0].a: 1",
    ]


def test_a_history_that_is_recorded_is_one_that_is_replayed() -> None:
    document = json.dumps(record("a flow begins", load_steps(CREATE)))
    assert replay_corpus([load_golden("new", document)], decide) == ()


def test_the_recorder_prints_a_history_to_be_kept() -> None:
    command = [sys.executable, "-m", "adapters.testing.corpus.record", "a flow begins", CREATE]
    printed = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True)  # noqa: S603 - our own module
    golden = load_golden("new", printed.stdout)
    assert (golden.about, golden.flow["status"]) == ("a flow begins", "queued")
    assert printed.stderr == ""


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ([], "usage: python -m adapters.testing.corpus.record ABOUT STEPS"),
        (["about", "{"], "the steps are not JSON"),
        (["about", "[]"], "a golden history creates its flow"),
        (["about", '[{"restart": true}]'], "a golden history has commands and ticks only"),
    ],
)
def test_the_recorder_refuses_what_is_no_history(
    arguments: list[str], told: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(arguments) == 2
    assert capsys.readouterr().err.startswith(told)
