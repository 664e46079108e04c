"""The commands of `taskflow audit`, in the order in which `--help` lists them."""

from __future__ import annotations

from typing import Final

from adapters.cli.arguments import Commands
from adapters.cli.audit import (
    checkpoint,
    configuration,
    diff,
    export,
    history,
    keygen,
    log,
    prove,
    refusals,
    replay,
    serve,
    verify,
    verify_proof,
    why,
)
from adapters.cli.help_text import HelpPage

AUDIT: Final = HelpPage(
    help="see, replay and prove what happened",
    description="""\
Looks at the whole history of a store, read-only, also beside a running
gateway. Trusts nothing that it has not computed itself.""",
    epilog="""\
examples:
  taskflow audit history 2f1d7b6e-5d6f-4b6f-8a43-0d6d2a9c1f00 \\
      --config gateway.json5
  taskflow audit log --database sqlite:///copy.db --since 2026-11-26
  taskflow audit replay --database sqlite:///copy.db
  taskflow audit verify --config gateway.json5 --held kept.checkpoints

docs/auditing.md says how to read and verify a history, step by step.""",
)


def add_audit(commands: Commands) -> None:
    """Add the group and its commands."""
    audit = Commands(commands.add("audit", AUDIT))
    history.add(audit)
    diff.add(audit)
    log.add(audit)
    why.add(audit)
    replay.add(audit)
    export.add(audit)
    refusals.add(audit)
    configuration.add(audit)
    serve.add(audit)
    keygen.add(audit)
    checkpoint.add(audit)
    verify.add(audit)
    prove.add(audit)
    verify_proof.add(audit)
