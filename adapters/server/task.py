"""The task that runs the application for one request and writes its answer."""

from __future__ import annotations

import io
from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from waitress.buffers import ReadOnlyFileBasedBuffer  # type: ignore[import-untyped]
from waitress.channel import ClientDisconnected  # type: ignore[import-untyped]
from waitress.task import WSGITask  # type: ignore[import-untyped]

from adapters.server.completion import AsideJob, Completion
from adapters.server.environ import build_environ
from adapters.server.errors import INTERNAL_ERROR
from adapters.server.ports import MakeResponse, PiecewiseResponse
from adapters.server.responses import response_head, status_line, whole_response
from adapters.server.sockets import LOGGER

if TYPE_CHECKING:
    from adapters.server.exchange import Exchange

LARGE: Final = 65_536
"""Bytes from which on a part of an answer is sent from where it is, not copied into a buffer."""


class AppTask(WSGITask):  # type: ignore[misc]
    """Runs the application, and writes its answer, at once or later.

    waitress calls the application and checks what it gives; how the answer is framed, what a fault
    of the application does to it, and where it ends, is decided here. The permit goes right before
    the answer's last bytes do: a caller that has its answer finds its place free.
    """

    logger = LOGGER
    request: Exchange
    wrote_header: bool = False
    is_put_off: bool = False
    _is_answered: bool = False

    @property
    def has_body(self) -> bool:
        """Whether the answer has a body on the wire."""
        return self.request.command != "HEAD" and bool(super().has_body)

    def get_environment(self) -> dict[str, Any]:
        """Build the environment of this request."""
        listener = self.channel.server
        environ = build_environ(self.request, listener.effective_host, listener.effective_port)
        environ["taskflow.authenticated"] = self.channel.authenticated
        if self.channel.in_loop:
            environ["taskflow.later"] = self._put_answer_off
        return environ

    def _put_answer_off(self) -> Completion:
        self.is_put_off = True
        return Completion(self)

    def begin_soon(self, begin: Callable[[], None]) -> None:
        """Have the making of an answer that was put off begun in this turn of the loop."""
        self.channel.server.act_next(self.channel, begin)

    def answer_later(self, make: MakeResponse) -> None:
        """Make an answer that was put off in the I/O thread; any thread may call this, once."""
        channel = self.channel
        channel.server.call_soon(channel, partial(self._answer_put_off, make))

    def begin_aside(self, job: AsideJob, *, urgent: bool) -> None:
        """Have a worker do a job for this answer."""
        self.channel.server.begin_aside(job, urgent=urgent)

    def _answer_put_off(self, make: MakeResponse) -> None:
        if self._is_answered:
            return
        self._is_answered = True
        try:
            self._write_pieces(make())
        except ClientDisconnected:
            self.close_on_finish = True
        except Exception:  # noqa: BLE001 - whatever it is, it is logged and answered 500
            self._answer_fault()
        finally:
            self.channel.work_ended(self.request, closing=self.close_on_finish)

    def _write_pieces(self, response: PiecewiseResponse) -> None:
        status, headers, pieces = response
        sized = (*headers, ("Content-Length", str(sum(map(len, pieces)))))
        head = response_head(status_line(status), sized, self._keep())
        self.wrote_header = True
        *blocks, last = _blocks(head, () if self.request.command == "HEAD" else pieces)
        for block in blocks:
            self.channel.write_soon(block)
        self._put(last, is_last=True)

    def service(self) -> None:
        """Answer the request; no fault of the application or of the socket leaves here."""
        try:
            self.execute()
            self.finish()
        except ClientDisconnected:
            self.close_on_finish = True
        except Exception:  # noqa: BLE001 - whatever the application raises is answered 500
            self.is_put_off, self._is_answered = False, True
            self._answer_fault()

    def set_close_on_finish(self) -> None:
        """Close the connection after this answer."""
        self.close_on_finish = True

    def write(self, data: bytes) -> None:
        """Write a part of the answer, after its head if that was not written yet."""
        if self.is_put_off:
            return
        if not self.complete:
            raise RuntimeError("the application wrote before it called start_response")
        *blocks, last = _blocks(self._opening(), [self._framed(data)])
        is_last = self.content_bytes_written == self.content_length or not self.has_body
        for block in blocks:
            self.channel.write_soon(block)
        self._put(last, is_last=is_last)

    def _put(self, block: Any, *, is_last: bool) -> None:  # noqa: ANN401 - waitress has no types
        if is_last:
            self.channel.end_answer(self.request)
        self.channel.write_soon(block)

    def finish(self) -> None:
        """Write what ends the answer."""
        if self.is_put_off:
            return
        if not self.wrote_header:
            self.write(b"")
        if self.chunked_response:
            self._put(b"0\r\n\r\n", is_last=True)

    def _opening(self) -> bytes:
        if self.wrote_header:
            return b""
        self._frame_answer()
        head = response_head(self.status, self.response_headers, self._keep())
        self.wrote_header = True
        return head

    def _frame_answer(self) -> None:
        """Decide how the caller learns where the answer ends (RFC 9112 §6.3)."""
        declared = [name.lower() for name, _ in self.response_headers]
        if "content-length" in declared or not super().has_body:
            return
        if self.content_length is not None:
            self.response_headers.append(("Content-Length", str(self.content_length)))
        elif self.request.version == "1.0":
            self.close_on_finish = True
        elif self.has_body:
            self.response_headers.append(("Transfer-Encoding", "chunked"))
            self.chunked_response = True

    def _keep(self) -> float | None:
        if not (self.channel.server.keeps_connections and self.request.head.said.keeps_alive):
            self.close_on_finish = True
        return None if self.close_on_finish else self.channel.options.idle_seconds

    def _framed(self, data: bytes) -> bytes:
        if self.chunked_response:
            return b"%X\r\n%b\r\n" % (len(data), data) if data else b""
        if self.content_length is not None:
            # APPSEC: a byte more than declared would be read as the next answer.
            data = data[: self.content_length - self.content_bytes_written]
        self.content_bytes_written += len(data)
        return data if self.has_body else b""

    def _answer_fault(self) -> None:
        """Log the exception in flight once and answer 500, if no other answer has begun."""
        self.close_on_finish = True
        request_id = self.request.head.request_id
        extra = {"request_id": request_id}
        self.logger.exception("request %s failed", request_id, extra=extra)  # noqa: LOG004 - in an except
        if self.wrote_header:
            return
        peer = self.request.head.peer
        answer = self.channel.server.terms.response_to(INTERNAL_ERROR, request_id, peer)
        with suppress(ClientDisconnected):
            self._put(whole_response(answer, self.request.command, None), is_last=True)


def _blocks(head: bytes, pieces: Sequence[bytes]) -> Sequence[Any]:
    """Return a head and what follows it as it is written: short together, long by itself."""
    blocks: list[Any] = [head]
    for piece in pieces:
        if len(piece) >= LARGE:
            blocks.append(_uncopied(piece))
        elif isinstance(blocks[-1], bytes):
            blocks[-1] += piece
        else:
            blocks.append(piece)
    return blocks


def _uncopied(body: bytes) -> Any:  # noqa: ANN401 - waitress has no types
    # PERF: `BytesIO` shares the bytes that it is made of; waitress' own buffers copy them.
    buffer = ReadOnlyFileBasedBuffer(io.BytesIO(body))
    buffer.prepare()
    return buffer
