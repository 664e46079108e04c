"""The texts of `--help`, made for 80 columns."""

from __future__ import annotations

from typing import Final

from attrs import frozen


@frozen(kw_only=True)
class HelpPage:
    """A command's name, its line in its group's list, and the texts around its options.

    `codes` says what its exit codes mean.
    """

    name: str
    help: str
    description: str
    examples: str
    notes: str = ""
    codes: str = ""

    @property
    def epilog(self) -> str:
        """Return what stands below the options."""
        parts = (f"examples:\n{self.examples}", self.notes, self.codes)
        return "\n\n".join(filter(None, parts))


STORE_TROUBLE: Final = "wrong arguments or configuration, no such store, a damaged store"
WRITE_TROUBLE: Final = f"""{STORE_TROUBLE},
     or another process, such as a gateway, writes to it"""
