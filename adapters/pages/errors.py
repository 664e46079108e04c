"""Pages that say why there is no other."""

from __future__ import annotations

from typing import Any, Final, TypeAlias

import falcon
from falcon import Request, Response
from falcon.util import http_status_to_code

from adapters.pages.base_path import below
from adapters.pages.dependencies import PageDependencies
from adapters.pages.headers import HTML, NO_STORE, SECURITY
from adapters.pages.rendering import render_page
from adapters.presentation.printable import shortened
from domain.application.ports import StoreUnavailable
from domain.flow.ids import RequestId

RawPage: TypeAlias = tuple[int, tuple[tuple[str, str], ...], bytes]
"""Status, headers and body, for a server that answers by itself."""

_SENTENCES: Final = {
    401: "These pages are for auditors: your browser asks for the user and the password.",
    403: "This is not allowed from here.",
    404: "There is no such page.",
    405: "These pages are only for reading.",
    429: "Too many wrong passwords came from your address: reload this page in a few seconds.",
    500: "This is a fault of the program; its log says more.",
    503: "The store cannot be read now; try again in a moment.",
}


def render_error_page(
    status: int, code: str, sentence: str, request_id: RequestId, base_path: str
) -> RawPage:
    """Return the page of a refusal that the server makes by itself."""
    below(base_path)
    headers = (*SECURITY, NO_STORE, ("Content-Type", HTML), ("X-Request-Id", request_id))
    return status, headers, _page(status, sentence or code, request_id).encode()


def error_handlers(given: PageDependencies) -> Any:  # noqa: ANN401 - Falcon's signatures
    """Return what answers Falcon's refusals, and what answers our faults."""

    def refused(req: Request, resp: Response, error: Any, _: dict[str, Any]) -> None:  # noqa: ANN401 - of Falcon
        status = http_status_to_code(error.status)
        resp.set_headers(error.headers or {})
        _answer(req, resp, status, error.description)

    def failed(req: Request, resp: Response, error: Any, _: dict[str, Any]) -> None:  # noqa: ANN401 - whatever it is
        given.log_fault(_id_of(req), error)
        if isinstance(error, given.damages):
            _answer(req, resp, 500, f"The store is damaged: {shortened(str(error), 300)}.")
            return
        _answer(req, resp, 503 if isinstance(error, StoreUnavailable) else 500, None)

    return refused, failed


def _answer(req: Request, resp: Response, status: int, sentence: str | None) -> None:
    resp.status = falcon.code_to_http_status(status)
    resp.text = _page(status, sentence or _SENTENCES.get(status, ""), _id_of(req))


def _id_of(req: Request) -> RequestId:
    return RequestId(getattr(req.context, "request_id", ""))


def _page(status: int, sentence: str, request_id: RequestId) -> str:
    title = falcon.code_to_http_status(status).partition(" ")[2]
    return render_page(
        "error.html", {"title": title, "sentence": sentence, "request_id": request_id, "nav": None}
    )
