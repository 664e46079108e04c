"""A witness of anybody's signs our checkpoints, and `verify` takes what it has signed."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from adapters.audit.keys import Signer
from tests.audit.release_0_1 import old_note
from tests.pages.seeds import sowing
from tests.whole.test_own_files import SIGNER, configured, program
from tests.whole.witness import NAME, Witness, install

pytestmark = pytest.mark.full

COSIGNATURE = re.compile(rf"\u2014 {NAME} [A-Za-z0-9+/]+=*\n")


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return install(tmp_path_factory.mktemp("witness"))


def audit(config: Path, command: str, *options: str) -> tuple[int, Any]:
    """Run an auditor's command that prints JSON."""
    ran = program("audit", command, *options, "--config", str(config))
    assert ran.stderr == ""
    return ran.returncode, json.loads(ran.stdout)


def grow(config: Path, first: int, count: int) -> str:
    """Let flows be created, sign the log, and return the id of the first of them."""
    with sowing(f"sqlite:///{config.parent}/t.db", first=first) as seeder:
        flows = [seeder.create(f"flow {number}") for number in range(count)]
    assert audit(config, "checkpoint", "--json")[0] == 0
    return flows[0]


def test_a_witness_signs_every_checkpoint_and_what_it_signed_is_still_in_the_file(
    installed: Path, tmp_path: Path
) -> None:
    config, held = configured(tmp_path, "log"), tmp_path / "held"
    log, keys = SIGNER.verifier.name, (str(SIGNER.verifier),)
    with Witness(installed, tmp_path, log, keys) as witness:
        grow(config, 1, 5)
        note = (tmp_path / "log").read_text().removesuffix("\n")
        code, line = witness.add_checkpoint(0, [], note)
        assert (code, COSIGNATURE.fullmatch(line) is not None) == (200, True), line
        held.write_text(note + line)
        flow = grow(config, 6, 8)
        _, proof = audit(config, "prove", flow, "1", "--held", str(held))
        assert proof["since"]["checkpoint"] == note + line
        code, line = witness.add_checkpoint(5, proof["since"]["path"], proof["checkpoint"])
        assert (code, COSIGNATURE.fullmatch(line) is not None) == (200, True), line
    held.write_text(held.read_text() + "\n" + proof["checkpoint"] + line)
    code, found = audit(config, "verify", "--json", "--held", str(held))
    assert (code, found["agreed"], found["covered"], found["findings"]) == (0, 2, 13, [])
    # Also where the operator puts the witness' line into the log's own file.
    (tmp_path / "log").write_text(held.read_text() + "\n")
    grow(config, 14, 1)
    code, found = audit(config, "verify", "--json", "--held", str(held))
    assert (code, found["agreed"], found["covered"]) == (0, 3, 14)


def test_what_release_0_1_signed_is_refused_by_a_witness(installed: Path, tmp_path: Path) -> None:
    config, key = configured(tmp_path, "log"), str(SIGNER.verifier)
    grow(config, 1, 5)
    text = (tmp_path / "log").read_text().partition("\n\n")[0]
    with Witness(installed, tmp_path, SIGNER.verifier.name, (key,)) as witness:
        old = old_note(f"{text}\n", None, SIGNER).decode()
        assert witness.add_checkpoint(0, [], old)[0] == 400


def test_a_witness_that_was_given_the_next_key_goes_on(installed: Path, tmp_path: Path) -> None:
    config = configured(tmp_path, "log")
    grow(config, 1, 5)
    note = (tmp_path / "log").read_text().removesuffix("\n")
    text = config.read_text()
    config.write_text(
        text.replace('"checkpoints":', f'previousKeys: ["{SIGNER.verifier}"], "checkpoints":')
    )
    successor = Signer.generate(SIGNER.verifier.name)
    (tmp_path / "signing.key").write_text(successor.secret_text())
    keys = (str(SIGNER.verifier), str(successor.verifier))
    with Witness(installed, tmp_path, SIGNER.verifier.name, keys) as witness:
        assert witness.add_checkpoint(0, [], note)[0] == 200
        (tmp_path / "held").write_text(note)
        flow = grow(config, 6, 2)
        _, proof = audit(config, "prove", flow, "1", "--held", str(tmp_path / "held"))
        code, line = witness.add_checkpoint(5, proof["since"]["path"], proof["checkpoint"])
        assert (code, COSIGNATURE.fullmatch(line) is not None) == (200, True), line
