"""A socket that listens already, for several servers at once or one after another."""

import socket
from wsgiref.types import StartResponse, WSGIEnvironment

from tests.server.running import serving
from tests.server.wire import PATIENCE, Caller, request


def test_a_server_that_stops_leaves_who_waits_to_the_next_one() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        with serving(shared=listening.dup()) as running:
            assert running.address == listening.getsockname()
            with running.calling() as caller:
                assert caller.ask(request()).status == 200
            running.server.stop()
            running.thread.join(PATIENCE)
        stopped = serving(shared=listening.dup())
        with socket.create_connection(listening.getsockname()) as waiting:
            waiting.sendall(request())
            with stopped as running:
                assert Caller(waiting).answer().status == 200


def _nobody(_environ: WSGIEnvironment, _start_response: StartResponse) -> list[bytes]:
    raise AssertionError("this server should have nobody to serve")


def test_a_drain_takes_in_nobody_of_a_shared_socket() -> None:
    with (
        socket.create_server(("127.0.0.1", 0)) as listening,
        socket.create_connection(listening.getsockname()) as waiting,
    ):
        waiting.sendall(request())
        with serving(_nobody, shared=listening.dup(), is_stopped=True) as running:
            running.thread.join(PATIENCE)
            assert running.drained == [True]
        with serving(shared=listening.dup()):
            assert Caller(waiting).answer().status == 200
