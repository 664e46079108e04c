"""A signing key takes the place of another one: by `keygen --rotate`, as the documentation says."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Final

import pytest

from adapters.audit.checkpoint_reading import read_notes
from adapters.audit.key_file import read_key
from tests.cli.workbench import seeding
from tests.whole.test_own_files import SIGNER, advice, configured, program, seed

OLD: Final = str(SIGNER.verifier)


@pytest.fixture
def config(tmp_path: Path) -> Path:
    """The configuration of a store whose log was signed once."""
    config = configured(tmp_path, "log")
    seed(tmp_path / "t.db")
    assert audit("checkpoint", config)[0] == 0
    return config


def audit(command: str, config: Path, *options: str) -> tuple[int, str, str]:
    """Run an auditor's command."""
    ran = program("audit", command, *options, "--config", str(config))
    return ran.returncode, ran.stdout, ran.stderr


def rotate(config: Path, file: Path) -> tuple[int, str, str]:
    """Make the next key."""
    return audit("keygen", config, str(file), "--rotate")


def said_to_write(err: str) -> str:
    """Return the setting that keygen says is to be written."""
    found = re.search(r"previousKeys: \[.*\],", err)
    assert found is not None, err
    return found[0]


def put_in(config: Path, key: Path, setting: str) -> None:
    """Do what keygen says: refer to the new key, and name the previous ones."""
    text = config.read_text(encoding="utf-8")
    text = re.sub(r"previousKeys: \[.*?\], ", "", text)
    text = re.sub(r'"path": "[^"]*\.key"', f'"path": "{key}"', text)
    config.write_text(text.replace('"checkpoints":', f'{setting} "checkpoints":'))


def test_the_file_goes_on_under_the_new_key_and_is_verified_in_one_run(
    config: Path, tmp_path: Path
) -> None:
    keys = [OLD]
    for number in (2, 3):
        file = tmp_path / f"signing-{number}.key"
        code, new, err = rotate(config, file)
        assert (code, new.strip()) == (0, str(read_key(file).verifier)), err
        assert SIGNER.verifier.name == read_key(file).verifier.name
        setting = said_to_write(err)
        assert json.loads(setting.removeprefix("previousKeys: ").removesuffix(",")) == keys
        put_in(config, file, setting)
        keys.insert(0, new.strip())
        assert advice(config) == []
        assert audit("checkpoint", config)[:1] == (0,)
        code, out, err = audit("verify", config)
        assert (code, err) == (0, ""), out
        assert len(read_notes(tmp_path / "log").whole) == number
    given = [option for key in keys for option in ("--public-key", key)]
    assert audit("verify", config, *given)[0] == 0
    assert audit("verify", config, *given[:4])[0] == 1
    assert (tmp_path / "signing.key").read_text() == SIGNER.secret_text()


def test_a_key_that_was_put_in_without_naming_the_previous_one_signs_nothing(
    config: Path, tmp_path: Path
) -> None:
    before = (tmp_path / "log").read_bytes()
    file = tmp_path / "signing-2.key"
    _, _, err = rotate(config, file)
    put_in(config, file, "")
    (sentence,) = advice(config)
    assert f"{tmp_path}/log: its last checkpoint is not by the key" in sentence
    assert "taskflow.audit.previousKeys" in sentence
    code, _, err = audit("checkpoint", config)
    assert (code, "is not by the key" in err) == (2, True)
    code, out, err = rotate(config, tmp_path / "signing-3.key")
    assert (code, out, "is not by the key" in err) == (2, "", True)
    assert not (tmp_path / "signing-3.key").exists()
    assert (tmp_path / "log").read_bytes() == before


def test_a_previous_key_that_is_mistyped_is_said(config: Path, tmp_path: Path) -> None:
    put_in(config, tmp_path / "signing.key", f'previousKeys: ["{OLD[:-1]}A"],')
    (sentence,) = advice(config)
    assert "taskflow.audit.previousKeys: the public key of flows.example is mistyped" in sentence


def test_no_key_is_written_over(config: Path, tmp_path: Path) -> None:
    code, out, err = rotate(config, tmp_path / "signing.key")
    assert (code, out) == (2, "")
    assert "there is such a file already" in err
    assert (tmp_path / "signing.key").read_text() == SIGNER.secret_text()


def test_a_log_that_nobody_has_signed_yet_may_get_another_key(tmp_path: Path) -> None:
    config = configured(tmp_path, "log")
    with seeding(f"sqlite:///{tmp_path}/t.db"):
        pass
    assert rotate(config, tmp_path / "signing-2.key")[0] == 0


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ([], "--name NAME"),
        (["--rotate"], "--rotate takes the name from --config FILE"),
        (["--rotate", "--config", "c", "--name", "n"], "and not from --name"),
    ],
)
def test_what_keygen_lacks_is_said(tmp_path: Path, options: list[str], sentence: str) -> None:
    ran = program("audit", "keygen", str(tmp_path / "key"), *options)
    assert (ran.returncode, ran.stdout) == (2, "")
    assert sentence in ran.stderr
    assert list(tmp_path.iterdir()) == []
