"""The output of a command: results to one stream, everything else to the other."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from io import TextIOWrapper
from typing import TextIO

from attrs import frozen
from rich.console import Console, RenderableType

from adapters.cli.parser import WIDTH
from adapters.presentation.printable import printable


@frozen
class Terminal:
    """The two streams of a command.

    Results that do not go to a terminal have no colour and are 80 columns wide, always.
    """

    out: TextIO
    err: TextIO

    def show(self, *parts: RenderableType) -> None:
        """Write tables and texts to the output, an empty line between them."""
        for number, part in enumerate(parts):
            self.out.write("\n" if number else "")
            self._render(part)

    def say(self, sentence: str) -> None:
        """Write a sentence to the output; it is never broken into lines."""
        self.out.write(f"{printable(sentence)}\n")

    def dump(self, document: Mapping[str, object]) -> None:
        """Write one JSON document to the output, in ASCII: no terminal can misread it."""
        json.dump(document, self.out, indent=2)
        self.out.write("\n")

    def dump_line(self, document: Mapping[str, object]) -> None:
        """Write one JSON document to the output on a line of its own, in ASCII."""
        self.out.write(f"{json.dumps(document)}\n")

    def complain(self, sentences: str) -> None:
        """Write what is wrong to the other stream, a line for each line."""
        lines = (f"taskflow: {printable(line)}\n" for line in sentences.splitlines())
        self.complain_as_it_is("".join(lines))

    def complain_as_it_is(self, text: str) -> None:
        """Write a text to the other stream, if that takes it; there is nowhere else to complain."""
        try:
            self.err.write(text)
        except OSError:
            _abandon(self.err)

    def abandon_output(self) -> None:
        """Forget what can no longer be written: the interpreter would try again at its end."""
        _abandon(self.out)

    def _render(self, part: RenderableType) -> None:
        console = console_on(self.out)
        with console.capture() as captured:
            console.print(part)
        lines = captured.get().splitlines()
        self.out.writelines(f"{line.rstrip()}\n" for line in lines)


def _abandon(stream: TextIO) -> None:
    try:
        stream.flush()
    except OSError:
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, stream.fileno())
        os.close(nowhere)


class _Console(Console):
    """rich's console, which would end the process with 1 when its reader goes away."""

    def on_broken_pipe(self) -> None:
        """Leave it to the caller."""
        raise BrokenPipeError


def open_terminal(out: TextIO, err: TextIO) -> Terminal:
    """Return a terminal over two streams, which then write any character in any encoding."""
    for stream in (out, err):
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    return Terminal(out, err)


def console_on(stream: TextIO) -> Console:
    """Return rich's console on a stream, which takes every text as it stands.

    On a narrower terminal lines run over: ids are shown whole.
    """
    is_terminal = stream.isatty()
    console = _Console(
        file=stream,
        force_terminal=is_terminal,
        force_jupyter=False,
        width=None if is_terminal else WIDTH,
        markup=False,
        emoji=False,
        highlight=False,
        legacy_windows=False,
    )
    console.width = max(console.width, WIDTH)
    return console
