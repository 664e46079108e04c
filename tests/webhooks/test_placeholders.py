"""What stands for a placeholder, and what is no template."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.webhooks.mapping.placeholders import Budget, Delivery, NotFilled, TemplateError
from adapters.webhooks.mapping.templates import MOST_LEVELS, compile_value, fill
from adapters.webhooks.strict_json import OVERFLOW

PAYLOAD = {
    "a": {"b": "text", "n": 3, "x": 1.5, "t": True, "none": None, "l": [{"c": "first"}, "second"]},
    "k8s.io/name": "pod",
    "headers": {"h": "of the payload"},
    "0": "a key",
    "nested": "{a.b}",
    "huge": OVERFLOW,
    "Ü": "umlaut",
}
HEADERS = {"x-event": "push", "content-type": "application/json"}


def filled(value: object, most: int = 1000) -> object:
    return fill(compile_value(value), Delivery(HEADERS.get, PAYLOAD), Budget(most))


@pytest.mark.parametrize(
    ("template", "expected"),
    [
        ("plain", "plain"),
        ("", ""),
        ("{a.b}", "text"),
        ("[{a.b}] and {a.n}", "[text] and 3"),
        ("{a.x} {a.t}", "1.5 true"),
        ("{a.l.0.c} {a.l.1} {0}", "first second a key"),
        ('{"k8s.io/name"}', "pod"),
        ("{Ü}", "umlaut"),
        ("{headers.X-Event}", "push"),
        ('{"headers".h}', "of the payload"),
        ("{a.none|nothing}{a.zip|}", "nothing"),
        ("{a.b|unused}", "text"),
        ("{{{a.b}}} {{a}}", "{text} {a}"),
        ("{nested}", "{a.b}"),
        ("{{json a.l}}", [{"c": "first"}, "second"]),
        ("{{json a.none}}", None),
        ("{{json a.zip|[1]}}", [1]),
        ("{{json a.zip|null}}", None),
        ({"all": "{{json a}}"}, {"all": PAYLOAD["a"]}),
        ({"{a.b}": ["{a.n}", "{{json a.n}}", 1, None, True]}, {"{a.b}": ["3", 3, 1, None, True]}),
    ],
)
def test_a_template_is_filled(template: object, expected: object) -> None:
    assert filled(template) == expected


def test_the_whole_payload_may_be_taken() -> None:
    template = compile_value("{{json .}}")
    assert fill(template, Delivery(HEADERS.get, [1, "two"]), Budget(99)) == [1, "two"]


@pytest.mark.parametrize(
    ("template", "reason"),
    [
        ("{a.zip}", "{a.zip}: nothing is there, and it has no default"),
        ("{a.none}", "{a.none}: nothing is there, and it has no default"),
        ("{a.l.2}", "{a.l.2}: nothing is there, and it has no default"),
        ("{a.l.-1}", "{a.l.-1}: nothing is there, and it has no default"),
        ("{a.b.0}", "{a.b.0}: nothing is there, and it has no default"),
        ("{headers.x-none}", "{headers.x-none}: nothing is there, and it has no default"),
        ("{{json a.zip}}", "{{json a.zip}}: nothing is there, and it has no default"),
        ("{a}", "{a}: an object or array is no text; {{json ...}} takes it as it is"),
        ("{huge}", "{huge}: a number is beyond what a double can hold"),
        ("{{json .}}", "{{json .}}: a number is beyond what a double can hold"),
    ],
)
def test_what_is_not_filled_is_named(template: object, reason: str) -> None:
    with pytest.raises(NotFilled) as caught:
        filled(template)
    assert caught.value.reason == reason


@pytest.mark.parametrize(("text", "most"), [('"\\\n', 6), ("\1\x1f", 12), ("é/\x7f", 4)])
def test_a_text_takes_as_many_bytes_as_json_has_for_it(text: str, most: int) -> None:
    delivery = Delivery(HEADERS.get, {"t": text})
    fill(compile_value("{t}"), delivery, Budget(most))
    with pytest.raises(NotFilled, match="too large"):
        fill(compile_value("{t}"), delivery, Budget(most - 1))


@pytest.mark.parametrize(
    "template", ["{a.l.1}" * 9, ["{{json a.l.1}}"] * 7, {"a": "{a.l.1|x}" * 9}]
)
def test_no_more_is_filled_in_than_allowed(template: object) -> None:
    filled(template, 56)
    with pytest.raises(
        NotFilled, match=r"a.l.1.*: what it stands for makes the document too large"
    ):
        filled(template, 53)


@pytest.mark.parametrize(
    "template",
    [
        *(
            "{",
            "}",
            "{}",
            "{a",
            "a}",
            "{a b}",
            "{a..b}",
            "{.a}",
            "{a.}",
            "{a|{b}}",
            '{"a}',
            "{a{b}}",
        ),
        *("{{json a}} and more", "x{{json a}}", "{{json a|no json}}", "{{json a|}}", "{{json }}"),
        *("{headers}", "{headers.}", '{headers."a"}', "{{json headers}}"),
        *("{headers.authorization}", "{headers.Cookie|}", "{headers.X-OpenClaw-Webhook-Secret}"),
        *(
            "{headers.x-hub-signature-256}",
            "{headers.x-gitlab-token}",
            "{headers.x-api-key}",
            "{headers.X-Webhook-Password}",
            "{headers.x-shopify-hmac-sha256}",
            "{headers.x-auth-key}",
            "{{json headers.cookie}}",
        ),
    ],
)
def test_what_is_no_template_is_refused(template: str) -> None:
    with pytest.raises(TemplateError) as caught:
        compile_value({"a": [template]})
    assert caught.value.path == ("a", 0)


def test_a_template_is_not_deeper_than_allowed() -> None:
    deep: object = "x"
    for _ in range(MOST_LEVELS):
        deep = [deep]
    assert filled(deep) == deep
    with pytest.raises(TemplateError, match="at most 16 levels"):
        compile_value([deep])


TEXTS = st.text(st.sampled_from('{}ab.|" 0json\\hedrsü')) | st.text()
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.sampled_from(["a", "b", "0", "ü"]), inner),
    max_leaves=8,
)


@given(TEXTS, VALUES)
def test_whatever_is_written_and_sent_is_filled_or_refused(written: str, payload: object) -> None:
    try:
        template = compile_value({"t": [written]})
    except TemplateError:
        return
    try:
        fill(template, Delivery(HEADERS.get, payload), Budget(200))
    except NotFilled as fault:
        assert fault.placeholder.written in written  # noqa: PT017 - it may be filled as well


@given(st.text())
def test_any_text_may_be_escaped(text: str) -> None:
    escaped = text.replace("{", "{{").replace("}", "}}")
    if "{{json " not in escaped:
        assert filled(escaped) == text
