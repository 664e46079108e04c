"""A body that is not announced as plain JSON is refused with what came and what is wanted."""

from __future__ import annotations

import json

import pytest

from adapters.webhooks.mapping.payloads import FORM, is_form
from tests.webhooks.gateway import Gateway, headers_for

BEARER = headers_for("zapier")[1]
WANTED = "expected application/json or application/*+json, got "


@pytest.mark.parametrize(
    ("sent", "reason"),
    [
        ([], f"{WANTED}no Content-Type"),
        ([""], f'{WANTED}""'),
        (["text/plain"], f'{WANTED}"text/plain"'),
        (["text/json; charset=utf-8"], f'{WANTED}"text/json; charset=utf-8"'),
        (["application/json,text/plain"], f'{WANTED}"application/json,text/plain"'),
        (
            ["text/plain", "application/json"],
            f'{WANTED}"text/plain", the first of 2 Content-Type fields',
        ),
        (['a"\xe9\\\x7f'], f'{WANTED}"a\\"\\u00e9\\\\\\u007f"'),
        (["x" * 41], f'{WANTED}"{"x" * 40}"...'),
    ],
)
def test_what_came_is_shown_and_what_is_wanted(sent: list[str], reason: str) -> None:
    gateway = Gateway()
    verdict = gateway.admit(headers=[BEARER, *(("Content-Type", value) for value in sent)])
    assert isinstance(verdict, tuple)
    status, _, body = verdict
    assert (status, json.loads(body)["code"]) == (415, "unsupported_media_type")
    assert json.loads(body)["error"] == f"Unsupported Media Type: {reason}"
    assert [entry["reason"] for entry in gateway.access_log] == [reason]


@pytest.mark.parametrize(
    "sent",
    [
        ["application/json; charset=utf-16"],
        ["APPLICATION/JSON ;=;;"],
        ["application/cloudevents+json"],
        ["application/json", "text/plain"],
    ],
)
def test_parameters_and_further_types_are_ignored(sent: list[str]) -> None:
    headers = [BEARER, *(("Content-Type", value) for value in sent)]
    assert not isinstance(Gateway().admit(headers=headers), tuple)


@pytest.mark.parametrize("coding", ["gzip", "br, identity", "utf-8"])
def test_a_content_coding_is_named(coding: str) -> None:
    gateway = Gateway()
    gateway.admit(headers=[*headers_for("zapier"), ("Content-Encoding", coding)])
    reason = f'expected a body without content coding, got Content-Encoding "{coding}"'
    assert [entry["reason"] for entry in gateway.access_log] == [reason]


@pytest.mark.parametrize(
    ("sent", "is_one"),
    [
        (FORM, True),
        (f" {FORM.upper()} ; charset=x", True),
        (f"\ufeff{FORM}", True),
        (f"{FORM}\x85", False),
        (f"\x1c{FORM}", False),
        (f"{FORM}x", False),
    ],
)
def test_a_form_is_announced_with_the_blanks_of_all_texts(sent: str, *, is_one: bool) -> None:
    assert is_form(sent) is is_one
