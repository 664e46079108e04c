"""The machine finds faults, comes to each by a short way, and says how to go it again."""

from __future__ import annotations

import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from adapters.testing.drivers import Driver, DriverFactory, memory_service, pure_core
from adapters.testing.machine import FlowMachine, explore, machine_for
from adapters.testing.model import Rules
from adapters.testing.replay import main, replay
from adapters.testing.reproducing import MakeRules
from adapters.testing.trial import Mismatch
from domain.application.ports import Clock, NewId
from tests.kit import faulty

ROOT = Path(__file__).parents[2]
CREATE = '{"create_flow": {"goal": "g", "controller_id": "c"}}'
FINISH = '{"finish_flow": {"flow_id": "flow-1", "expected_revision": 0}}'
RUN = '{"run_task": {"flow_id": "flow-1", "runtime": "acp", "task": "work"}}'
CANCEL = '{"cancel_flow": {"flow_id": "flow-1"}}'
END = '{"update_task": {"flow_id": "flow-1", "task_id": "task-1", "status": "succeeded"}}'
KEYED = '{"create_flow": {"goal": "g", "controller_id": "c"}, "key": "k"}'
WANT = '{"request_cancel": {"flow_id": "flow-1", "expected_revision": %d}}'


def steps(*noted: str) -> str:
    """Return steps as one list."""
    return f"[{', '.join(noted)}]"


def _line(failure: BaseException) -> str:
    (note,) = (note for note in failure.__notes__ if note.startswith("what was done:"))
    _, *story, line = note.splitlines()
    assert 1 <= len(story) <= 6, note
    return str(line).removeprefix("reproduce: ")


@pytest.mark.parametrize(
    "fault",
    [
        faulty.forgets_the_owner,
        faulty.takes_any_revision,
        faulty.leaks,
        faulty.loses_the_last_write_at_a_restart,
    ],
)
def test_a_fault_is_found_and_the_line_that_is_printed_shows_it_again(
    fault: DriverFactory,
) -> None:
    with pytest.raises(AssertionError) as failure:
        explore(machine_for(fault), 5_000)
    line = _line(failure.value)
    command = shlex.split(line)
    assert command[:3] == ["python", "-m", "adapters.testing.replay"]
    again = subprocess.run(  # noqa: S603 - our own program
        [sys.executable, *command[1:]], cwd=ROOT, check=False, capture_output=True, text=True
    )
    assert again.returncode == 1, again.stderr
    assert "is not what the model says" in again.stdout


@pytest.mark.parametrize(
    ("fault", "noted"),
    [
        (faulty.forgets_the_owner, steps(CREATE, CANCEL[:-1] + ', "as": "three"}')),
        (faulty.takes_any_revision, steps(CREATE, WANT % 1)),
        (faulty.never_settles, steps(CREATE, RUN, CANCEL, END)),
        (faulty.follows_the_clock_back, steps(CREATE, '{"clock": -1}', CANCEL)),
        (faulty.leaks, steps(CREATE)),
        (faulty.lists_the_oldest_first, steps(CREATE, CREATE)),
        (faulty.loses_writes, steps(CREATE, CREATE, CREATE)),
        (faulty.forgets_keys, steps(KEYED, KEYED)),
        (faulty.loses_the_last_write_at_a_restart, steps(CREATE, '{"restart": true}')),
        (faulty.wants_once, steps(CREATE, WANT % 0, WANT % 1)),
    ],
)
def test_the_shortest_way_to_a_fault_leads_to_it_and_nowhere_without_it(
    fault: DriverFactory, noted: str
) -> None:
    with pytest.raises(Mismatch, match="is not what the model says"):
        replay(noted, fault)
    replay(noted, memory_service)


def test_a_crash_is_a_failure_too_and_tells_the_way() -> None:
    with pytest.raises(ZeroDivisionError) as failure:
        explore(machine_for(faulty.crashes_at_the_end), 3_000)
    assert "finish_flow" in _line(failure.value)


def test_a_new_rule_is_found_until_the_model_has_it_too() -> None:
    noted = steps(CREATE, WANT % 0, WANT % 1, WANT % 1, FINISH.replace("0", "1"))
    with pytest.raises(Mismatch):
        replay(noted, faulty.wants_once)
    replay(noted, faulty.wants_once, faulty.WantsOnce)
    with pytest.raises(Mismatch):
        replay(noted, pure_core, faulty.WantsOnce)


def _is_quick(machine: type[FlowMachine]) -> bool:
    return explore(machine, 300) >= 300


@pytest.mark.parametrize(
    ("factory", "rules"), [(pure_core, Rules), (faulty.wants_once, faulty.WantsOnce)]
)
def test_a_machine_without_a_fault_to_find_takes_as_many_steps_as_it_is_told(
    factory: DriverFactory, rules: MakeRules
) -> None:
    assert _is_quick(machine_for(factory, rules))


def test_what_cannot_be_imported_is_reproduced_beside_its_test() -> None:
    def local(clock: Clock, new_id: NewId) -> Driver:
        return faulty.leaks(clock, new_id)

    with pytest.raises(AssertionError) as failure:
        explore(machine_for(local), 2_000)
    assert _line(failure.value).startswith("reproduce, beside your test: replay('[{")


def test_a_replay_tells_each_step_and_that_all_is_well(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert main([steps(CREATE, '{"clock": 5}', CANCEL)]) == 0
    assert capsys.readouterr().out.splitlines() == [
        "1. agent:ops:one sends CreateFlow(goal='g', controller_id='c')",
        "2. the clock moves by 5 ms",
        "3. agent:ops:one sends CancelFlow(flow_id='flow-1')",
        "as the model says",
    ]


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["nonsense"], "the steps are not JSON: "),
        (["{}"], "the steps are not a list"),
        (['[{"fly": {}}]'], "fly: expected one of create_flow, set_waiting, "),
        (["[]", "--driver", "nowhere:at_all"], "'nowhere:at_all': expected MODULE:NAME"),
        (["[]", "--driver", ":"], "':': expected MODULE:NAME"),
        (["[]", "--driver", "adapters.testing"], "'adapters.testing': expected MODULE:NAME"),
        (["[]", "--rules", "tests.kit.faulty:Nothing"], "'tests.kit.faulty:Nothing': expected"),
    ],
)
def test_a_replay_refuses_what_it_cannot_read(
    arguments: list[str], told: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(arguments) == 2
    assert capsys.readouterr().out.startswith(told)
