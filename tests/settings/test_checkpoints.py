from __future__ import annotations

import pickle
from collections.abc import Mapping
from pathlib import Path

import pytest

from adapters.settings import CheckpointsConfig, Sealed, Settings, Unresolved
from tests.settings.workbench import advice_of, loaded, refused

KEY = "PRIVATE+KEY+flows.example+00000000+a-key-that-only-looks-like-one"

PUBLIC = "flows.example+9674a992+Af3NgZ166KUE2dBLEv6yWCwUQQwYouCJ414523lN01Rc"


def with_audit(**fields: object) -> dict[str, object]:
    """Return a configuration of the audit block, with a file that is one secret."""
    signing = {"source": "file", "path": "signing.key", "mode": "singleValue"}
    return {"secrets": {"providers": {"signing": signing}}, "taskflow": {"audit": fields}}


def looked_up(settings: Settings, environ: Mapping[str, str] | None = None) -> str | Unresolved:
    """Return the key's text, or why there is none."""
    assert settings.checkpoints.key is not None
    found = settings.checkpoints.key.look_up(environ or {})
    return found.reveal() if isinstance(found, Sealed) else found


def test_nothing_is_signed_unless_there_is_a_key(tmp_path: Path) -> None:
    expected = CheckpointsConfig(
        file=tmp_path / "taskflow.checkpoints", every_minutes=15, origin=None, key=None
    )
    assert loaded(tmp_path, "{}").checkpoints == expected


def test_the_file_starts_at_the_configuration(tmp_path: Path) -> None:
    document = with_audit(checkpoints="kept/log", everyMinutes=0.5, origin="flows.example/main")
    expected = CheckpointsConfig(
        file=tmp_path / "kept" / "log", every_minutes=0.5, origin="flows.example/main"
    )
    assert loaded(tmp_path, document).checkpoints == expected


def test_keys_in_whose_place_the_key_was_put_are_read(tmp_path: Path) -> None:
    settings = loaded(tmp_path, with_audit(previousKeys=[PUBLIC]))
    assert settings.checkpoints.previous_keys == (PUBLIC,)


def test_the_key_is_looked_up_when_it_is_used(tmp_path: Path) -> None:
    reference = {"source": "file", "provider": "signing", "id": "value"}
    settings = loaded(tmp_path, with_audit(key=reference))
    file = tmp_path / "signing.key"
    reason = f"the file {file} cannot be read: No such file or directory"
    assert looked_up(settings) == Unresolved(reason)
    file.write_text(f"{KEY}\n")
    file.chmod(0o600)
    assert looked_up(settings) == KEY


def test_the_key_may_stand_in_the_environment(tmp_path: Path) -> None:
    assert looked_up(loaded(tmp_path, with_audit(key="${SIGNING}")), {"SIGNING": KEY}) == KEY


def test_a_key_in_the_configuration_works_and_is_advised_against(tmp_path: Path) -> None:
    settings = loaded(tmp_path, with_audit(key=KEY))
    assert looked_up(settings) == KEY
    advice = {one.path: one.sentence for one in settings.advice}
    expected = "the key is written here: keep it elsewhere, and refer to it"
    assert advice["taskflow.audit.key"] == expected


def test_a_key_file_that_all_can_read_is_advised_against(tmp_path: Path) -> None:
    (tmp_path / "signing.key").write_text(KEY)
    (tmp_path / "signing.key").chmod(0o644)
    reference = {"source": "file", "provider": "signing", "id": "value"}
    assert (
        "secrets.providers.signing.path: every user of this machine can read the file"
        in advice_of(loaded(tmp_path, with_audit(key=reference)))
    )


def test_the_key_is_neither_shown_nor_copied(tmp_path: Path) -> None:
    settings = loaded(tmp_path, with_audit(key=KEY))
    assert "PRIVATE" not in repr(settings)
    key = settings.checkpoints.key
    assert key is not None
    for secret in (key, key.look_up({})):
        assert f"{secret}".endswith("(***)")
        with pytest.raises(TypeError, match="neither copied nor pickled"):
            pickle.dumps(secret)


@pytest.mark.parametrize(
    ("fields", "problem"),
    [
        ({"checkpoints": ""}, "checkpoints: expected a non-empty string, found a blank string"),
        (
            {"everyMinutes": 0},
            "everyMinutes: expected minutes from 0.01 to 10080, found a smaller number",
        ),
        (
            {"everyMinutes": "15"},
            "everyMinutes: expected minutes from 0.01 to 10080, found a string",
        ),
        ({"origin": 1}, "origin: expected a non-empty string, found a number"),
        (
            {"previousKeys": "a"},
            "previousKeys: expected an array of public keys, found a string",
        ),
        (
            {"previousKeys": [PUBLIC, KEY]},
            "previousKeys[1]: expected a public key, as keygen printed it, found another text",
        ),
        (
            {"previousKeys": [1]},
            "previousKeys[0]: expected a non-empty string, found a number",
        ),
        ({"key": 7}, "key: expected a secret or a SecretRef, found a number"),
        (
            {"key": {"source": "env", "provider": "none", "id": "A"}},
            (
                'key: expected a provider of secrets.providers, found "none", which is'
                " not configured"
            ),
        ),
    ],
)
def test_what_is_wrong_is_said(tmp_path: Path, fields: dict[str, object], problem: str) -> None:
    assert refused(tmp_path, with_audit(**fields)) == [f"taskflow.audit.{problem}"]
