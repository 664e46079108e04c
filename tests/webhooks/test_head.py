"""What is read of a request's head, from our own server and from others."""

from __future__ import annotations

import pytest

from adapters.webhooks.head import RequestHead, head_of, read_head

HEAD = RequestHead(
    method="POST",
    path="/hooks",
    peer="192.0.2.1",
    content_length=5,
    content_types=["application/json", "text/plain"],
    content_encoding="gzip, br",
    authorization="Bearer a",
    webhook_secret="a, b",
    forwarded_for="1.1.1.1, 2.2.2.2, 3.3.3.3",
    idempotency_keys=["k", "l"],
)


def test_repeated_headers_are_read_as_the_reference_reads_them() -> None:
    headers = [
        ("Content-Type", " application/json\t"),
        ("content-type", "text/plain"),
        ("Content-Length", "5"),
        ("Content-Encoding", "gzip"),
        ("Content-Encoding", "br"),
        ("Authorization", "Bearer a"),
        ("AUTHORIZATION", "Bearer b"),
        ("X-OpenClaw-Webhook-Secret", "a"),
        ("X-OpenClaw-Webhook-Secret", "b"),
        ("X-Forwarded-For", "1.1.1.1"),
        ("X-Forwarded-For", "2.2.2.2, 3.3.3.3"),
        ("Idempotency-Key", "k"),
        ("Idempotency-Key", "l"),
        ("X_Forwarded_For", "6.6.6.6"),
        ("X-Real-IP", "6.6.6.6"),
    ]
    assert read_head("POST", "/hooks?a=b?c", headers, "192.0.2.1") == HEAD
    assert HEAD.content_type == "application/json"


@pytest.mark.parametrize(
    "target",
    [
        {"REQUEST_URI": "/ho%6Fks?x", "RAW_URI": "/no", "PATH_INFO": "/hooks"},
        {"RAW_URI": "/ho%6Fks", "PATH_INFO": "/hooks"},
        {"PATH_INFO": "/ho%6Fks"},
    ],
)
def test_another_server_hands_over_the_raw_path_where_it_can(target: dict[str, str]) -> None:
    head = head_of({"REQUEST_METHOD": "post", "HTTP_IDEMPOTENCY_KEY": "", **target})
    assert head == RequestHead(
        method="post",
        path="/ho%6Fks",
        peer="",
        content_length=None,
        content_types=(),
        content_encoding="",
        authorization="",
        webhook_secret="",
        forwarded_for="",
        idempotency_keys=("",),
    )
