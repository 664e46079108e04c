"""The command `python -m tests.prove`: a table, or JSON, and an exit code."""

from __future__ import annotations

import json

import pytest

from tests.prove.__main__ import PROOFS, main
from tests.prove.result import Progress, Result

SMALL = ("exhaustive", "--scale", "0.15")


def losing(_scale: float, progress: Progress) -> Result:
    """Be a proof that finds something lost."""
    progress(1, 2)
    return Result(tried="nothing much", counts={"tries": 2_000}, violations=("event 7 is lost",))


def crashing(_scale: float, _progress: Progress) -> Result:
    """Be a proof that cannot be carried out."""
    raise ZeroDivisionError


def test_a_proof_that_lost_nothing_ends_well(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(SMALL) == 0
    header, _, row = capsys.readouterr().out.splitlines()[:3]
    assert header == "| proof | tried | how much | lost | seconds |"
    assert row.startswith("| exhaustive | every command in every state ")
    assert "| nothing |" in row


def test_the_table_can_be_had_as_json(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([*SMALL, "--json"]) == 0
    (ran,) = json.loads(capsys.readouterr().out)
    assert ran["name"] == "exhaustive"
    assert ran["result"]["violations"] == []
    assert ran["result"]["counts"]["steps"] > 0


def test_whatever_was_lost_is_told_and_the_command_fails(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(PROOFS, "losing", losing)
    monkeypatch.setitem(PROOFS, "crashing", crashing)
    assert main(["losing", "crashing", *SMALL]) == 1
    told = capsys.readouterr().out
    assert "| losing | nothing much | 2,000 tries | 1 | 0 |" in told
    assert "losing LOST event 7 is lost" in told
    assert "crashing LOST it did not end: Traceback" in told
    assert "| exhaustive | every command" in told


def test_a_proof_that_nobody_knows_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["perpetual_motion"])
    assert ended.value.code == 2
    assert "no proof is called perpetual_motion" in capsys.readouterr().err
