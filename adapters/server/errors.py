"""What the server itself refuses; every error ends its connection."""

from __future__ import annotations

from typing import Final

from attrs import frozen

from adapters.presentation.answer_codes import http_status


@frozen
class HttpError:
    """A refusal by the server: code for machines, sentence for humans."""

    code: str
    sentence: str

    @property
    def status(self) -> int:
        """Return its status."""
        return http_status(self.code)


def bad_request(sentence: str) -> HttpError:
    """Refuse bytes that have no single meaning in HTTP/1.1 (RFC 9112)."""
    return HttpError("bad_request", sentence)


HEAD_TIMEOUT: Final = HttpError("request_timeout", "Request head timeout")
BODY_TIMEOUT: Final = HttpError("request_timeout", "Request body timeout")
_CUT_OFF: Final = "The caller's side was closed before the request {} was complete"
HEAD_CUT_OFF: Final = bad_request(_CUT_OFF.format("head"))
BODY_CUT_OFF: Final = bad_request(_CUT_OFF.format("body"))
BODY_TOO_LARGE: Final = HttpError("payload_too_large", "Payload too large")
HEAD_TOO_LARGE: Final = HttpError("headers_too_large", "Request head too large")
UNKNOWN_EXPECTATION: Final = HttpError(
    "expectation_failed", "Only the expectation 100-continue is supported"
)
UNKNOWN_CODING: Final = HttpError(
    "not_implemented", "Only the transfer coding chunked is supported"
)
INTERNAL_ERROR: Final = HttpError("internal_error", "Internal server error")
