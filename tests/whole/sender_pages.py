"""The pages for senders, and the one on moving from OpenClaw: what they show is done, for real.

A block behind a line like "`gateway.json5`:" is a file, written into a folder. The gateway of its
`gateway.json5` is started there, and each `sh` block typed into one shell; the `text` block beneath
it is what it prints. What is exported in a block is in the gateway's environment too.
`python -m tests.whole.sender_pages` writes the text blocks again.
"""

from __future__ import annotations

import re
import shlex
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from attrs import frozen

from tests.whole.auditing_page import Shell, examples, rewritten
from tests.whole.gateway import RunningGateway

DOCS: Final = Path(__file__).parents[2] / "docs"
PAGES: Final = (*sorted((DOCS / "senders").glob("[a-z]*.md")), DOCS / "moving-from-openclaw.md")
URL: Final = "http://127.0.0.1:8080"
_FILE: Final = re.compile(r"^`([\w.-]+)`[^\n]*:\n\n```\w+\n(.*?)^```\n", re.MULTILINE | re.DOTALL)
_EXPORT: Final = re.compile(r"^export (\w+)=(.+)$", re.MULTILINE)


@frozen
class Sender(Shell):
    """A shell beside a gateway, which is where the page says that it is."""

    gateway: RunningGateway

    def type(self, text: str) -> str:
        """Type a block, and return what it prints."""
        printed = super().type(text.replace(URL, self.gateway.url))
        return printed.replace(self.gateway.url, URL)


@contextmanager
def sender_of(page: str, folder: Path) -> Iterator[Sender]:
    """Write the files of a page, start its gateway, and open a shell beside it."""
    for name, text in _FILE.findall(page):
        (folder / name).write_text(text, encoding="utf-8")
        (folder / name).chmod(0o600)
    typed = "\n".join(example.typed for example in examples(page))
    exported = {name: shlex.split(value)[0] for name, value in _EXPORT.findall(typed)}
    gateway = RunningGateway(folder, folder / "gateway.json5", environment=exported)
    with gateway, Shell.opened(folder) as shell:
        yield Sender(shell.process, gateway)


def _main() -> None:
    for page in PAGES:
        text = page.read_text(encoding="utf-8")
        with tempfile.TemporaryDirectory() as name, sender_of(text, Path(name)) as sender:
            page.write_text(rewritten(text, sender), encoding="utf-8")


if __name__ == "__main__":
    _main()
