"""Neither settings nor what is said of a broken configuration shows a marked secret."""

from __future__ import annotations

import copy
import gc
import json
import pickle
import traceback
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import FunctionType, ModuleType

import attrs
import pytest

from adapters.settings import SettingsError, load_settings, resolve
from adapters.settings.config import config_of
from adapters.settings.includes import MergedDocument, read_merged
from tests.whole.broken_configurations import BREAKS, Change
from tests.whole.canaries import ENVIRONMENT, MARK, SECRETS, configured, traces


def test_settings_keep_no_secret_in_memory(tmp_path: Path) -> None:
    """Neither shown nor copied, nor in anything that hangs on them, as a core dump shows it."""
    settings = load_settings(configured(tmp_path).config, ENVIRONMENT)
    assert [route.route_id for route in settings.skipped] == ["missing"]
    shown = repr(settings), str(settings), repr(attrs.asdict(settings))
    assert traces("".join(shown).encode()) == []
    for leave in (pickle.dumps, copy.copy, copy.deepcopy):
        for route in settings.routes:
            with pytest.raises(TypeError, match="neither copied nor pickled"):
                leave(route.keys[0].secret)
    with pytest.raises(TypeError, match="neither copied nor pickled"):
        pickle.dumps(settings)
    texts = [each for each in _reachable(settings) if isinstance(each, str | bytes)]
    assert str(settings.file) in texts
    marked = [text for text in texts if MARK in str(text)]
    assert marked == []


def test_nothing_that_a_configuration_is_read_into_shows_a_secret(tmp_path: Path) -> None:
    document = read_merged(configured(tmp_path).config, {})
    assert isinstance(document, MergedDocument)
    config = config_of(document, None)
    settings = resolve(config, ENVIRONMENT)
    assert len(config.webhooks.served) == 9
    assert traces(f"{document!r} {config!r} {settings!r}".encode()) == []


def _reachable(start: object) -> Iterator[object]:
    """Return all objects that hang on one, but for classes, functions and modules."""
    seen, waiting = {id(start)}, [start]
    while waiting:
        yield (found := waiting.pop())
        for each in gc.get_referents(found):
            if id(each) not in seen and not isinstance(each, type | ModuleType | FunctionType):
                seen.add(id(each))
                waiting.append(each)


RIGHT = SECRETS["inline"]


@pytest.mark.parametrize("change", BREAKS.values(), ids=BREAKS.keys())
def test_a_broken_configuration_is_refused_without_a_secret(tmp_path: Path, change: Change) -> None:
    config = configured(tmp_path).config
    document = json.loads(config.read_text(encoding="utf-8"))
    change(document)
    config.write_text(json.dumps(document, indent=1), encoding="utf-8")
    assert _refusal(config) == []


@pytest.mark.parametrize(
    "text",
    [
        f'{{a: "{RIGHT}" "{RIGHT}"}}',
        f'{{a: "{RIGHT}',
        f"{{a: {RIGHT}}}",
        f'{{secret: "{RIGHT}", secret: "{RIGHT}"}} {RIGHT}',
        f'"{RIGHT}"',
        f"/* {RIGHT}",
    ],
)
def test_a_malformed_configuration_is_refused_without_a_secret(tmp_path: Path, text: str) -> None:
    config = configured(tmp_path).config
    config.write_text(text, encoding="utf-8")
    assert _refusal(config) == []


def _refusal(config: Path) -> list[str]:
    """Return the traces in what is said of a configuration that is refused, its traceback too."""
    with pytest.raises(SettingsError) as refused:
        load_settings(config, ENVIRONMENT)
    error = refused.value
    told = f"{error} {error!r} {error.problems!r} {''.join(traceback.format_exception(error))}"
    return traces(told.encode())


def _answer(**message: object) -> str:
    return f"echo '{json.dumps({'protocolVersion': 1, **message})}'"


FAILURES: Mapping[str, str] = {
    "an error that tells it": _answer(values={}, errors={"hook": {"message": RIGHT}}),
    "a value that is an array": _answer(values={"hook": [RIGHT]}),
    "another value": _answer(values={RIGHT: RIGHT}),
    "another version": _answer(protocolVersion=RIGHT, values={}),
    "no JSON": f"echo '{RIGHT}'",
    "a failure": f"echo '{RIGHT}' >&2; exit 3",
    "too much": f"while echo '{RIGHT}'; do :; done",
    "no UTF-8": f"printf '\\377{RIGHT}'",
}


@pytest.mark.parametrize("script", FAILURES.values(), ids=FAILURES.keys())
def test_a_command_that_fails_costs_its_route_and_tells_no_secret(
    tmp_path: Path, script: str
) -> None:
    config = configured(tmp_path).config
    (tmp_path / "resolver").write_text(f"#!/bin/sh\ncat > /dev/null\n{script}\n", encoding="utf-8")
    settings = load_settings(config, ENVIRONMENT)
    assert "exec" in {route.route_id for route in settings.skipped}
    assert traces(f"{settings.skipped} {settings!r} {settings.advice}".encode()) == []


@pytest.mark.parametrize(
    "text", [f"{{{RIGHT}", f'["{RIGHT}"]', f'{{"hook": ["{RIGHT}"]}}', f'{{"other": "{RIGHT}"}}']
)
def test_a_file_that_is_no_use_costs_its_route_and_tells_no_secret(
    tmp_path: Path, text: str
) -> None:
    config = configured(tmp_path).config
    (tmp_path / "secrets.json").write_text(text, encoding="utf-8")
    settings = load_settings(config, ENVIRONMENT)
    assert "file" in {route.route_id for route in settings.skipped}
    assert traces(f"{settings.skipped} {settings!r} {settings.advice}".encode()) == []
