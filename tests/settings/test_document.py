from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.settings import SettingsError, load_settings
from adapters.settings.diagnostics import ConfigPath, ConfigProblem
from adapters.settings.diagnostics import written as written_path
from adapters.settings.document import MAX_BYTES, Json5File, read_document
from adapters.settings.source_lines import Repeat
from tests.settings.workbench import ROUTES, refused_lines, written


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(SettingsError) as caught:
        load_settings(tmp_path / "gateway.json5", {})
    expected = "expected a readable file, found an error: No such file or directory"
    assert str(caught.value) == f"{tmp_path}/gateway.json5: {expected}"


def test_a_folder_is_no_configuration(tmp_path: Path) -> None:
    problem = read_document(tmp_path)
    assert isinstance(problem, ConfigProblem)
    assert problem.found == "an error: Is a directory"


def test_a_file_larger_than_a_mebibyte_is_refused(tmp_path: Path) -> None:
    assert refused_lines(tmp_path, " " * (MAX_BYTES + 1)) == [
        "gateway.json5: expected at most 1048576 bytes, found a larger file"
    ]


def test_a_file_without_end_is_not_read_to_its_end() -> None:
    problem = read_document(Path("/dev/zero"))
    assert isinstance(problem, ConfigProblem)
    assert problem.found == "a larger file"


def test_a_file_of_exactly_a_mebibyte_is_read(tmp_path: Path) -> None:
    path = written(tmp_path, "{}" + " " * (MAX_BYTES - 2))
    assert isinstance(read_document(path), Json5File)


def test_other_encodings_are_refused_with_their_line(tmp_path: Path) -> None:
    path = tmp_path / "gateway.json5"
    path.write_bytes(b"{\n// caf\xe9\n}")
    assert read_document(path) == ConfigProblem(
        file=str(path), line=2, expected="text in UTF-8", found="bytes that are not"
    )


def test_a_byte_order_mark_is_no_problem(tmp_path: Path) -> None:
    assert load_settings(written(tmp_path, "\ufeff{}"), {}).routes == ()


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("", "1: expected an object, found nothing"),
        ("// nothing", "1: expected an object, found nothing"),
        ("{\n\n a: 1,\n b: oops,\n}", "4: expected a value, found something else"),
        ("{\n a: 1\n b: 2}", '3: expected a comma or "}", found something else'),
        ("[\n 1\n 2]", '3: expected a comma or "]", found something else'),
        ("{\n a 1}", "2: expected a colon, found something else"),
        ("{a: 1,\n,}", "2: expected valid JSON5, found a comma too many"),
        ("{\n,}", "2: expected a key, found something else"),
        ("{\n a: 'x\n'}", "2: expected valid JSON5, found a string that does not end as it should"),
        ("{\n/* ", "2: expected valid JSON5, found a comment that does not end as it should"),
        ("{\n\n", "1: expected valid JSON5, found an object that does not end as it should"),
        ("{\n a: 0x}", "2: expected valid JSON5, found a number that does not end as it should"),
        ("{}\n\n}", "3: expected nothing after the outermost value, found more text"),
        ("[" * 65, "1: expected at most 64 levels of nesting, found more"),
        ("[" * 100_000, "1: expected at most 64 levels of nesting, found more"),
        ("{\n'a': \"\\x\"}", "2: expected a hexadecimal character, found something else"),
    ],
)
def test_a_syntax_error_is_told_with_its_line(tmp_path: Path, text: str, line: str) -> None:
    assert refused_lines(tmp_path, text) == [f"gateway.json5:{line}"]


def test_the_parsers_own_exception_is_nobodys_context(tmp_path: Path) -> None:
    """It carries all values that had been read, secrets too."""
    with pytest.raises(SettingsError) as caught:
        load_settings(written(tmp_path, "{secret: 'canary', b: oops}"), {})
    assert caught.value.__context__ is None
    assert caught.value.__cause__ is None


def test_the_outermost_value_is_an_object(tmp_path: Path) -> None:
    assert refused_lines(tmp_path, "\n[]") == [
        "gateway.json5:2: expected an object, found an array"
    ]


def test_every_problem_of_a_file_is_told_in_file_order(tmp_path: Path) -> None:
    text = """{
      taskflow: { store: { uri: "sqlite:///x.db" } },
      gateway: { trustedProxies: ["nonsense"] },
      plugins: { entries: { webhooks: { config: { routes: {
        zapier: {
          sessionKey: 12,
          secret: "a good and long secret",
        },
        ci: { sessionKey: "agent:main:ci", colour: "red" },
      } } } } },
    }"""
    assert refused_lines(tmp_path, text) == [
        (
            "gateway.json5:2: taskflow.store.uri: expected one of the keys url, closed or "
            "shards, found an unknown key"
        ),
        (
            "gateway.json5:3: gateway.trustedProxies[0]: expected an address like 10.0.0.1 "
            "or a network like 10.0.0.0/8, found another string"
        ),
        f"gateway.json5:6: {ROUTES}.zapier.sessionKey: expected a non-empty string, found a number",
        (
            f"gateway.json5:9: {ROUTES}.ci.colour: expected one of the keys enabled, path, "
            "sessionKey, secret, secrets, auth, may, controllerId, description, limits, map or "
            "separateApprover, found an unknown key"
        ),
        (
            f"gateway.json5:9: {ROUTES}.ci.secret: expected a secret, a SecretRef, "
            "or an object secrets with some of them, found nothing"
        ),
    ]


def test_a_key_given_twice_is_refused(tmp_path: Path) -> None:
    text = """{
      taskflow: { server: { port: 1 } },
      'taskf\\x6cow': {},
    }"""
    assert refused_lines(tmp_path, text) == [
        (
            "gateway.json5:3: taskflow: expected each key once, found a second one "
            "(the first is in line 2)"
        ),
    ]


def test_a_key_given_twice_in_a_route_is_refused(tmp_path: Path) -> None:
    text = """{ plugins: { entries: { webhooks: { config: { routes: { zapier: {
      sessionKey: "agent:main:main", secret: "a good and long secret",
      secret: "another good and long secret",
    } } } } } } }"""
    assert refused_lines(tmp_path, text) == [
        (
            f"gateway.json5:3: {ROUTES}.zapier.secret: expected each key once, found a second one "
            "(the first is in line 2)"
        ),
    ]


def test_a_key_given_twice_elsewhere_is_openclaws_affair(tmp_path: Path) -> None:
    path = written(tmp_path, "{agents: {a: 1, a: 2}, plugins: {entries: {other: {a: 1, a: 2}}}}")
    assert load_settings(path, {}).routes == ()


def test_a_path_is_written_as_people_write_it() -> None:
    assert written_path(("a", "b-c", 0, "d.e", "", "f")) == 'a.b-c[0]["d.e"][""].f'


json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-9, 9) | st.text(max_size=6),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner),
    max_leaves=12,
)


@given(value=json_values)
def test_every_field_has_the_line_that_it_stands_in(
    value: object, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """The walk over tokens and the parser agree, for whatever keys, strings and nesting."""
    text = json.dumps(value, indent=1, ensure_ascii=False)
    path = written(tmp_path_factory.mktemp("place"), text)
    document = read_document(path)
    assert isinstance(document, Json5File)
    assert document.value == value
    assert document.repeats == ()
    lines = iter(range(1, text.count("\n") + 2))
    assert dict(document.lines) == dict(_places(value, (), next(lines)))


def _places(value: object, path: ConfigPath, line: int) -> list[tuple[ConfigPath, int]]:
    """Return the places of a value as `json.dumps(indent=1)` writes it, from a line on."""
    places: list[tuple[ConfigPath, int]] = [(path, line)]
    items: list[tuple[str | int, object]] = []
    if isinstance(value, dict):
        items = list(value.items())
    elif isinstance(value, list):
        items = list(enumerate(value))
    for key, item in items:
        places += _places(item, (*path, key), line + 1)
        line += _height(item)
    return places


def _height(value: object) -> int:
    return json.dumps(value, indent=1).count("\n") + 1


@given(text=st.text(alphabet="{}[]:,'\"\\/*\n a1u.-", max_size=40))
def test_no_text_breaks_the_reader(text: str, tmp_path_factory: pytest.TempPathFactory) -> None:
    path = written(tmp_path_factory.mktemp("text"), text)
    assert isinstance(read_document(path), Json5File | ConfigProblem)


def test_a_fields_line_is_that_of_its_key(tmp_path: Path) -> None:
    document = read_document(written(tmp_path, "{a:\n  {\nb\n:\n1}}"))
    assert isinstance(document, Json5File)
    assert document.lines == {(): 1, ("a",): 1, ("a", "b"): 3}


def test_comments_bare_keys_and_strings_do_not_confuse_the_places(tmp_path: Path) -> None:
    text = """// { not: 'this' }
{ /* nor: {
  this */ 'a': "b // c", "d'": '/* e */',
  f: [1, // one
    {g: +.5e1}, "x\\
y", ],
  h: 0x1F, a: 1,
}"""
    document = read_document(written(tmp_path, text))
    assert isinstance(document, Json5File)
    assert document.value == {"a": 1, "d'": "/* e */", "f": [1, {"g": 5.0}, "xy"], "h": 31}
    assert document.lines == {
        (): 2,
        ("d'",): 3,
        ("f",): 4,
        ("f", 0): 4,
        ("f", 1): 5,
        ("f", 1, "g"): 5,
        ("f", 2): 5,
        ("h",): 7,
        ("a",): 7,
    }
    assert document.repeats == (Repeat(("a",), 7, 3),)
