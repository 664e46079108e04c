"""What the server itself refuses; every fault ends its connection."""

from http import HTTPStatus

from attrs import frozen


@frozen
class HttpError:
    """A refusal by the server: status, code for machines, sentence for humans."""

    status: int
    code: str
    sentence: str


def bad_request(sentence: str) -> HttpError:
    """Refuse bytes that have no single meaning in HTTP/1.1 (RFC 9112)."""
    return HttpError(HTTPStatus.BAD_REQUEST, "bad_request", sentence)


HEAD_TIMEOUT = HttpError(HTTPStatus.REQUEST_TIMEOUT, "request_timeout", "Request head timeout")
BODY_TIMEOUT = HttpError(HTTPStatus.REQUEST_TIMEOUT, "request_timeout", "Request body timeout")
HEAD_CUT_OFF = bad_request("The caller's side was closed before the request head was complete")
BODY_CUT_OFF = bad_request("The caller's side was closed before the request body was complete")
BODY_TOO_LARGE = HttpError(413, "payload_too_large", "Payload too large")
HEAD_TOO_LARGE = HttpError(431, "headers_too_large", "Request head too large")
UNKNOWN_EXPECTATION = HttpError(
    HTTPStatus.EXPECTATION_FAILED,
    "expectation_failed",
    "Only the expectation 100-continue is supported",
)
UNKNOWN_CODING = HttpError(
    HTTPStatus.NOT_IMPLEMENTED,
    "not_implemented",
    "Only the transfer coding chunked is supported",
)
INTERNAL_ERROR = HttpError(
    HTTPStatus.INTERNAL_SERVER_ERROR, "internal_error", "Internal server error"
)
