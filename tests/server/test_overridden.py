"""What we override of waitress: what to read again before its version is raised (ADR 65)."""

from __future__ import annotations

from typing import Final

import pytest
from waitress.channel import HTTPChannel  # type: ignore[import-untyped]
from waitress.server import TcpWSGIServer  # type: ignore[import-untyped]
from waitress.task import ThreadedTaskDispatcher, WSGITask  # type: ignore[import-untyped]

from adapters.server.answering import AnsweringConnection
from adapters.server.channel import Channel
from adapters.server.connection import ClientConnection
from adapters.server.listener import Listener
from adapters.server.task import AppTask
from adapters.server.workers import Workers

_LISTENER: Final = """
    add_task channel_class handle_accept handle_close handle_error logger maintenance
    pull_trigger readable
"""
_CONNECTION: Final = """
    del_channel handle_close handle_error handle_expt handle_read handle_write logger write_soon
"""
OVERRIDDEN: Final = (
    (Channel, HTTPChannel, "handle_close readable received"),
    (AnsweringConnection, HTTPChannel, "cancel send service"),
    (
        ClientConnection,
        HTTPChannel,
        _CONNECTION,
    ),
    (Listener, TcpWSGIServer, _LISTENER),
    (
        AppTask,
        WSGITask,
        "finish get_environment has_body logger service set_close_on_finish write wrote_header",
    ),
    (Workers, ThreadedTaskDispatcher, "logger queue_logger"),
)


@pytest.mark.parametrize(("ours", "base", "names"), OVERRIDDEN)
def test_what_a_class_overrides_is_listed(ours: type, base: type, names: str) -> None:
    assert issubclass(ours, base)
    shared = {name for name in vars(ours) if hasattr(base, name) and not name.startswith("__")}
    assert shared == set(names.split())
