"""How far the body of a request is read."""

from __future__ import annotations

from io import BytesIO

import pytest

from adapters.webhooks.body import read_body


class Trickle(BytesIO):
    """An input that hands over one byte at a time, as an input may (PEP 3333)."""

    def read(self, size: int | None = -1, /) -> bytes:
        """Read a byte."""
        return super().read(1 if size else 0)


@pytest.mark.parametrize("stream", [BytesIO, Trickle])
@pytest.mark.parametrize(("limit", "body"), [(4, b"body"), (5, b"body"), (3, None)])
def test_an_input_that_ends_is_read_to_its_end_or_one_byte_beyond_the_limit(
    stream: type[BytesIO], limit: int, body: bytes | None
) -> None:
    environ = {"wsgi.input": stream(b"body"), "wsgi.input_terminated": True}
    assert read_body(environ, limit) == body


@pytest.mark.parametrize(
    ("length", "body"), [("4", b"body"), ("2", b"bo"), ("", b""), ("x", b""), ("5", None)]
)
def test_an_input_without_an_end_is_read_as_far_as_its_declared_length(
    length: str, body: bytes | None
) -> None:
    environ = {"wsgi.input": BytesIO(b"body, and the next request"), "CONTENT_LENGTH": length}
    assert read_body(environ, 4) == body


def test_of_a_huge_body_no_more_than_the_limit_is_held() -> None:
    stream = BytesIO(b"x" * 1000)
    assert read_body({"wsgi.input": stream, "wsgi.input_terminated": True}, 10) is None
    assert stream.tell() == 11
