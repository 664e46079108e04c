"""The commands of the operators' pages: run for real, against a store that a gateway filled.

Every `sh` block is typed into one shell, in a folder with the gateway's files and its
`signing.key`, where no gateway runs; the page calls that folder `/srv/taskflow`. A `text` block
beneath it is what it prints; without one it must end well. `python -m tests.whole.operating_page`
writes the text blocks again.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Final

from adapters.audit.keys import Signer
from tests.whole.auditing_page import Shell, audited, rewritten

DOCS: Final = Path(__file__).parents[2] / "docs"
PAGES: Final = (DOCS / "operating.md", DOCS / "production.md")
FOLDER: Final = "/srv/taskflow"


@contextmanager
def operated(folder: Path) -> Iterator[Shell]:
    """Fill a store by a real gateway, and open a shell beside its files and its signing key."""
    key = folder / "signing.key"
    key.write_text(Signer.generate("flows.example").secret_text(), encoding="ascii")
    key.chmod(0o600)
    with audited(folder) as shell:
        yield shell


def in_place(printed: str, folder: Path) -> str:
    """Return what was printed, as if the folder were the page's."""
    return printed.replace(str(folder.resolve()), FOLDER)


def _main() -> None:
    for page in PAGES:
        with tempfile.TemporaryDirectory() as name, operated(Path(name)) as shell:
            shown = partial(in_place, folder=Path(name))
            text = rewritten(page.read_text(encoding="utf-8"), shell, shown)
            page.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    _main()
