"""Bytes that were stored once load for ever, and are still what would be stored today."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from attrs import evolve as replace
from attrs import fields

from adapters.store.names import CLASSES, NAMES, SNAPSHOT
from domain.application.recorded_events import Metadata, RecordedEvent
from domain.flow.events import EVENTS
from domain.flow.status import Runtime, TaskStatus
from tests.store import golden_bytes, write_golden
from tests.store.golden_bytes import MAPPER, Golden, described, every_golden, read_golden

PRESENT = (*CLASSES, SNAPSHOT)


def _title(entry: Golden) -> str:
    return f"{entry.name}-{entry.title}"


@pytest.mark.parametrize("entry", every_golden(), ids=_title)
def test_golden_bytes_load_as_what_they_stand_for(entry: Golden) -> None:
    loaded = described(entry.load())
    assert {kind: _since(entry.loads_as[kind], value) for kind, value in loaded.items()} == (
        entry.loads_as
    )


def _since(kept: dict[str, Any], loaded: dict[str, Any]) -> dict[str, Any]:
    """Return a loaded value without the fields that were added since, which hold their defaults."""
    added = {name: value for name, value in loaded.items() if name not in kept}
    none = {"statuses": [0] * len(TaskStatus), "runtimes": [0] * len(Runtime)}
    assert all(value in (None, none, [], {"keep": True}) for value in added.values())
    return {name: value for name, value in loaded.items() if name in kept}


@pytest.mark.parametrize("entry", [e for e in every_golden() if e.name in PRESENT], ids=_title)
def test_what_golden_bytes_load_as_is_stored_as_the_same_bytes_today(entry: Golden) -> None:
    written = MAPPER.to_stored_event(entry.load())
    assert (written.topic, written.state) == (entry.name, entry.stored.encode())


def test_every_event_has_a_permanent_name_of_its_own() -> None:
    assert set(NAMES) == set(EVENTS)
    assert len({*NAMES.values(), SNAPSHOT}) == len(EVENTS) + 1
    assert all(re.fullmatch(r"taskflow\.[a-z_]+\.v\d+", name) for name in PRESENT)


@pytest.mark.parametrize("name", PRESENT)
def test_every_name_has_golden_bytes_with_each_of_its_fields(name: str) -> None:
    loaded = [entry.load() for entry in read_golden(name)]
    values = [one.event if isinstance(one, RecordedEvent) else one.flow for one in loaded]
    left_out = {
        f.name: f.default
        for f in fields(type(values[0]))
        if all(getattr(value, f.name) == f.default for value in values)
    }
    assert left_out == {}


def test_metadata_have_golden_bytes_with_each_of_their_fields() -> None:
    loaded = [entry.load() for entry in every_golden()]
    every = [one.metadata for one in loaded if isinstance(one, RecordedEvent)]
    for f in fields(Metadata):
        assert any(getattr(metadata, f.name) != f.default for metadata in every), f.name


def test_golden_bytes_are_added_once_and_never_written_over(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(golden_bytes, "FOLDER", tmp_path)
    monkeypatch.setattr(write_golden, "FOLDER", tmp_path)
    assert write_golden.main() == 0
    written = {file.name: file.read_bytes() for file in tmp_path.iterdir()}
    assert set(written) == {f"{name}.json" for name in PRESENT}
    assert write_golden.main() == 0
    assert capsys.readouterr().out.endswith("\n0 added\n")
    entry = read_golden(SNAPSHOT)[0]
    with pytest.raises(write_golden.Refused, match="other bytes were released"):
        write_golden.add(replace(entry, stored="{}"))
    assert {file.name: file.read_bytes() for file in tmp_path.iterdir()} == written
