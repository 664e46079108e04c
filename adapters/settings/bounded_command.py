"""Runs a command within bounds of time and output, and kills its whole process group at them."""

from __future__ import annotations

import atexit
import os
import selectors
import signal
import subprocess
from collections.abc import Mapping, Sequence
from contextlib import suppress
from functools import partial
from time import monotonic
from typing import IO, Final, cast

from attrs import frozen

from adapters.settings.secret_text import ProviderFault

_CHUNK: Final = 65536


@frozen(kw_only=True)
class Bounds:
    """How long a command may take, be silent, and how many octets it may write."""

    seconds: float
    silent_seconds: float
    octets: int


def run_bounded(
    argv: Sequence[str], request: bytes, *, folder: str, env: Mapping[str, str], bounds: Bounds
) -> bytes:
    """Run a command without a shell; return what it wrote on standard output.

    Standard error goes nowhere. The command gets a session of its own: no terminal to ask on, and
    one process group with all that it starts.
    """
    try:
        process = subprocess.Popen(  # noqa: S603 - no shell, and the caller has checked the command
            argv,
            bufsize=0,
            cwd=folder,
            env=env,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else "its arguments are unusable"
        raise ProviderFault(f"the command {argv[0]} cannot be started: {reason}") from error
    kill = partial(_kill_group, process)
    # NOTE: a gateway that stops does not wait for a command that hangs, and leaves none behind.
    atexit.register(kill)
    with process:
        try:
            return _answer(process, request, bounds, f"the command {argv[0]}")
        finally:
            kill()
            atexit.unregister(kill)


def _answer(process: subprocess.Popen[bytes], request: bytes, bounds: Bounds, name: str) -> bytes:
    deadline = monotonic() + bounds.seconds
    output = _exchange(process, request, bounds, deadline, name=name)
    try:
        status = process.wait(max(0.0, deadline - monotonic()))
    except subprocess.TimeoutExpired:
        raise ProviderFault(f"{name} did not end within {bounds.seconds:g} s") from None
    if status:
        raise ProviderFault(f"{name} ended with status {status}")
    return output


def _exchange(
    process: subprocess.Popen[bytes], request: bytes, bounds: Bounds, deadline: float, *, name: str
) -> bytes:
    """Write the request and read until the end of the output, whichever the command does first."""
    stdin, stdout = cast("IO[bytes]", process.stdin), cast("IO[bytes]", process.stdout)
    output, latest = bytearray(), monotonic()
    with selectors.DefaultSelector() as selector:
        for pipe, event in ((stdin, selectors.EVENT_WRITE), (stdout, selectors.EVENT_READ)):
            os.set_blocking(pipe.fileno(), False)
            selector.register(pipe, event)
        while (now := monotonic()) < min(deadline, latest + bounds.silent_seconds):
            for key, _ in selector.select(min(deadline, latest + bounds.silent_seconds) - now):
                if key.fileobj is stdin:
                    request = _send(stdin, request, selector)
                    continue
                chunk = os.read(stdout.fileno(), _CHUNK)
                if not chunk:
                    return bytes(output)
                output += chunk
                latest = monotonic()
            if len(output) > bounds.octets:
                raise ProviderFault(f"{name} wrote more than {bounds.octets} bytes")
    if monotonic() < deadline:
        raise ProviderFault(f"{name} wrote nothing for {bounds.silent_seconds:g} s")
    raise ProviderFault(f"{name} gave no answer within {bounds.seconds:g} s")


def _send(stdin: IO[bytes], request: bytes, selector: selectors.BaseSelector) -> bytes:
    """Write what fits of the request; close the pipe once nothing is left or nobody reads."""
    try:
        request = request[os.write(stdin.fileno(), request) :]
    except BrokenPipeError:
        request = b""
    if not request:
        selector.unregister(stdin)
        stdin.close()
    return request


def _kill_group(process: subprocess.Popen[bytes]) -> None:
    """Kill the group of a command that has not ended; its id is taken until it is waited for."""
    if process.returncode is None:
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, signal.SIGKILL)
