"""Real nginx and HAProxy in front of a gateway, on loopback, as the user that runs the tests.

Each keeps its connections to the gateway and shares them among its callers, says in
`X-Forwarded-For` who called, and writes a line for each request that it took for one: the request
line, and the id that the gateway gave the request, if it was asked.
"""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Self

from attrs import define, frozen

from tests.whole.gateway import Place
from tests.whole.vitals import eventually

STOP_SECONDS = 10.0
_PATH = f"{os.environ.get('PATH', os.defpath)}:/usr/sbin:/sbin"


@frozen
class Kind:
    """A proxy: its command line, and its configuration for a port and a gateway."""

    name: str
    command: Callable[[Path], tuple[str, ...]]
    configured: Callable[[Path, int, Place], str]
    streams: bool
    """Whether it passes a body on as it comes."""


@frozen
class Passed:
    """A request as a proxy saw it; the id is empty if it was not passed on, or not answered."""

    line: str
    request_id: str


@define
class Proxy:
    """A running proxy, from entry to exit."""

    kind: Kind
    folder: Path
    gateway: Place
    place: Place
    _process: subprocess.Popen[bytes] | None = None

    @classmethod
    def before(cls, gateway: Place, kind: Kind, folder: Path) -> Self:
        """Make the proxy of a gateway, with its files in a folder."""
        port = free_port()
        return cls(kind, folder, gateway, Place(f"http://127.0.0.1:{port}", "127.0.0.1", port))

    def __enter__(self) -> Self:
        config = self.folder / "proxy.conf"
        text = self.kind.configured(self.folder, self.place.port, self.gateway)
        config.write_text(text, encoding="utf-8")
        name, *arguments = self.kind.command(config)
        program = shutil.which(name, path=_PATH)
        assert program, f"{name} is not installed: python -m tests.whole.install"
        with self._log.open("wb") as log, self._errors.open("wb") as errors:
            self._process = subprocess.Popen(  # noqa: S603 - a proxy, with our own arguments
                (program, *arguments), stdin=subprocess.DEVNULL, stdout=log, stderr=errors
            )
        eventually(self._listens, f"{self.kind.name} listens")
        return self

    def __exit__(self, *_: object) -> None:
        assert self._process
        self._process.send_signal(signal.SIGTERM)
        self._process.wait(STOP_SECONDS)

    @property
    def _log(self) -> Path:
        return self.folder / "proxy.log"

    @property
    def _errors(self) -> Path:
        return self.folder / "proxy.err"

    def passed(self) -> list[Passed]:
        """Return every request that it has seen the end of."""
        text = self._log.read_text(encoding="utf-8", errors="replace")
        lines = (line.split(" | ", 1) for line in text.splitlines() if " | " in line)
        return [Passed(line, request_id.strip(" -")) for request_id, line in lines]

    def _listens(self) -> bool:
        assert self._process
        assert self._process.poll() is None, self._errors.read_text(encoding="utf-8")
        with socket.socket() as sock:
            return sock.connect_ex((self.place.host, self.place.port)) == 0


def free_port() -> int:
    """Return a port of loopback that nobody listens on."""
    with socket.create_server(("127.0.0.1", 0)) as sock:
        port: int = sock.getsockname()[1]
        return port


_NGINX = """
daemon off;
master_process off;
pid {folder}/nginx.pid;
error_log stderr notice;
events {{ worker_connections 1024; }}
http {{
    log_format passed '$upstream_http_x_request_id | $request';
    access_log /dev/stdout passed;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    client_header_timeout 2s;
    client_body_timeout 1s;
    client_max_body_size 0;
    keepalive_timeout 2s;
    upstream gateway {{
        server {gateway.host}:{gateway.port} max_fails=0;
        keepalive 1;
    }}
    server {{
        listen 127.0.0.1:{port} bind;
        {more}
        location / {{
            proxy_pass http://gateway;
            proxy_http_version 1.1;
            proxy_set_header Connection "";
            proxy_set_header Host $http_host;
            proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
            proxy_next_upstream off;
        }}
    }}
}}
"""

_HAPROXY = """
global
    log stdout format raw daemon
    nbthread 1
    stats timeout 5s
defaults
    mode http
    log global
    log-format "%[capture.res.hdr(0)] | %r"
    timeout connect 5s
    timeout client 5s
    timeout server 20s
    timeout http-request 2s
    timeout http-keep-alive 2s
    http-reuse always
    retries 0
frontend callers
    bind 127.0.0.1:{port}
    option forwardfor
    {more}
    http-response capture res.hdr(X-Request-Id) id 0
    declare capture response len 36
    default_backend gateway
backend gateway
    server gateway {gateway.host}:{gateway.port} pool-max-conn 1
"""


def _nginx(more: str) -> Callable[[Path, int, Place], str]:
    return lambda folder, port, gateway: _NGINX.format(
        folder=folder, port=port, gateway=gateway, more=more
    )


def _haproxy(more: str) -> Callable[[Path, int, Place], str]:
    return lambda _folder, port, gateway: _HAPROXY.format(port=port, gateway=gateway, more=more)


def _run_nginx(config: Path) -> tuple[str, ...]:
    return ("nginx", "-e", "stderr", "-p", str(config.parent), "-c", str(config))


def _run_haproxy(config: Path) -> tuple[str, ...]:
    return ("haproxy", "-db", "-f", str(config))


_LENIENT_NGINX = (
    "proxy_request_buffering off; ignore_invalid_headers off; underscores_in_headers on;"
    " merge_slashes off;"
)

KINDS: Mapping[str, Kind] = {
    kind.name: kind
    for kind in (
        Kind("nginx", _run_nginx, _nginx(""), streams=False),
        Kind("nginx, lenient", _run_nginx, _nginx(_LENIENT_NGINX), streams=True),
        Kind("HAProxy", _run_haproxy, _haproxy(""), streams=True),
        Kind(
            "HAProxy, lenient",
            _run_haproxy,
            _haproxy("option accept-invalid-http-request"),
            streams=True,
        ),
    )
}
