"""The two files that are served as they are."""

from __future__ import annotations

from attrs import frozen
from falcon import Request, Response

_KEPT = "private, max-age=86400"
"""Their addresses change with them, or nobody minds."""


@frozen
class StaticFile:
    """A file that a page refers to."""

    content: bytes
    content_type: str

    def on_get(self, _: Request, resp: Response) -> None:
        """Send it."""
        resp.content_type = self.content_type
        resp.set_header("Cache-Control", _KEPT)
        resp.data = self.content

    on_head = on_get
