"""What an operator may set about the server."""

from __future__ import annotations

from typing import Final

from attrs import field, frozen, validators

from domain.application.limits import Limits

_positive = validators.gt(0)
_lasting = validators.gt(0.0)

_GRACE: Final = 1.0
"""Seconds for a request that was sent when the connection was about to be over."""


@frozen(kw_only=True)
class ServerOptions:
    """Where to listen and what to allow; bytes are octets on the wire, seconds are wall seconds.

    Attributes:
        host: Name or address to listen on; the first address that it resolves to is bound. `::`
            is every address, of IPv4 too.
        port: TCP port; 0 lets the system pick one.
        in_loop: Whether the application is run in the I/O thread. Then it must not wait for
            anything, and puts off what takes long (`adapters.server.completion`).
        threads: Worker threads that run the application, or else what it puts off.
        limits: Of what a caller may ask: the largest body that passes, after chunked decoding, the
            time for a head, from its first byte, and for a body, from the end of its head.
        head_bytes: Largest head that passes, request line and final blank line included.
        idle_seconds: Time for the next request of a connection, as it is announced to callers.
        write_seconds: Time in which a caller must take at least one byte of a waiting answer.
        answer_seconds: Time in which a caller must take a whole answer, from its first byte.
        waiting_bytes: Most bytes of answers that wait for their callers, of all together; one
            answer may always wait.
        linger_seconds: Time to go on reading after a last answer, so that it is not reset away.
        linger_bytes: Most that is read and thrown away after a last answer.
        connections: Most sockets that are open at once; further ones wait in the backlog.
        connections_per_address: Most of them that one address may have before a request over them
            was authenticated.
        drain_seconds: Time that a stop gives the accepted requests.
    """

    host: str = "127.0.0.1"
    port: int = field(default=8080, validator=[validators.ge(0), validators.le(65_535)])
    in_loop: bool = False
    threads: int = field(default=2, validator=_positive)
    limits: Limits = field(factory=Limits)
    head_bytes: int = field(default=16_384, validator=_positive)
    idle_seconds: float = field(default=75.0, validator=_lasting)
    write_seconds: float = field(default=30.0, validator=_lasting)
    answer_seconds: float = field(default=60.0, validator=_lasting)
    waiting_bytes: int = field(default=67_108_864, validator=_positive)
    linger_seconds: float = field(default=5.0, validator=_lasting)
    linger_bytes: int = field(default=16_777_216, validator=_positive)
    connections: int = field(default=1_024, validator=_positive)
    connections_per_address: int = field(default=256, validator=_positive)
    drain_seconds: float = field(default=30.0, validator=_lasting)

    @property
    def kept_seconds(self) -> float:
        """Time after which an idle connection is closed: a little after the time announced."""
        return self.idle_seconds + (_GRACE if self.idle_seconds >= 1 else 0.0)
