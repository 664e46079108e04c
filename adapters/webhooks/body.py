"""The body of a request, as far as it is allowed to go."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from adapters.webhooks.head import read_length


def read_body(environ: Mapping[str, Any], limit: int) -> bytes | None:
    """Return the body of a WSGI request, or None if it is longer than `limit` bytes."""
    wanted = limit + 1
    if not environ.get("wsgi.input_terminated"):
        # NOTE: such an input does not end where the body does (PEP 3333): it would be waited for.
        wanted = min(read_length(environ.get("CONTENT_LENGTH", "")) or 0, wanted)
    body = b""
    while len(body) < wanted and (part := environ["wsgi.input"].read(wanted - len(body))):
        body += part
    return None if len(body) > limit else body
