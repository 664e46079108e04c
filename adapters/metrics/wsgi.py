"""The WSGI application of the administrative address: `GET /metrics`, and what it is given."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from http import HTTPStatus
from typing import TypeAlias
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

from prometheus_client import CollectorRegistry, make_wsgi_app

RawAnswer: TypeAlias = tuple[int, tuple[tuple[str, str], ...], bytes]
"""Status, headers and body."""


def create_metrics_app(
    registry: CollectorRegistry, others: Mapping[str, Callable[[], RawAnswer]]
) -> WSGIApplication:
    """Return an application that answers `GET /metrics` and, by callables, `GET` of other paths.

    Any other path is answered as the empty one of `others`.
    """
    metrics: WSGIApplication = make_wsgi_app(registry)

    def app(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        path, method = environ.get("PATH_INFO", ""), environ["REQUEST_METHOD"]
        if path == "/metrics":
            return metrics(environ, start_response)
        is_known = method in {"GET", "HEAD"} and path in others
        status, headers, body = others[path if is_known else ""]()
        start_response(f"{status} {HTTPStatus(status).phrase}", [*headers])
        return [body]

    return app
