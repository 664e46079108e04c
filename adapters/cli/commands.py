"""All commands, in the order in which `--help` lists them."""

from __future__ import annotations

from argparse import SUPPRESS
from collections.abc import Mapping, Sequence
from itertools import chain
from typing import Final, TypeAlias

from attrs import frozen

from adapters.cli.audit.checkpoint import TakeCheckpoint
from adapters.cli.audit.configuration import ShowConfigurationChanges
from adapters.cli.audit.diff import ShowDiff
from adapters.cli.audit.export import ExportEvents
from adapters.cli.audit.history import ShowHistory
from adapters.cli.audit.keygen import Keygen
from adapters.cli.audit.log import ListEvents
from adapters.cli.audit.prove import ProveEvent
from adapters.cli.audit.refusals import ShowRefusals
from adapters.cli.audit.replay import ReplayStore
from adapters.cli.audit.serve import ServePages
from adapters.cli.audit.verify import VerifyLog
from adapters.cli.audit.verify_proof import VerifyProof
from adapters.cli.audit.why import WhyField
from adapters.cli.check import CheckConfiguration
from adapters.cli.command import CliCommand
from adapters.cli.exits import ALL_CODES
from adapters.cli.explain import ExplainPayload
from adapters.cli.flows.cancel import CancelAsOperator
from adapters.cli.flows.list import ListFlows
from adapters.cli.flows.show import ShowFlow
from adapters.cli.flows.sweep import SweepFlows
from adapters.cli.help_text import HelpPage
from adapters.cli.openapi import PrintOpenApi
from adapters.cli.options import add_options
from adapters.cli.parser import Parser, Version
from adapters.cli.reload import ReloadGateway
from adapters.cli.serve import ServeGateway
from adapters.cli.store.backup import BackUpStore
from adapters.cli.store.copy import CopyStore
from adapters.cli.store.migrate import MigrateStore
from adapters.cli.store.rebuild import RebuildStore
from adapters.cli.store.restore import RestoreStore


@frozen
class CommandGroup:
    """A command that is nothing but the commands below it, in sections with a title."""

    page: HelpPage
    sections: Mapping[str, Sequence[Listed]]

    def commands(self) -> Sequence[Listed]:
        """Return the commands below it."""
        return tuple(chain.from_iterable(self.sections.values()))

    def description(self) -> str:
        """Return its description, and a line for each command below it."""
        width = max(len(listed.page.name) for listed in self.commands())
        parts = [self.page.description]
        for title, commands in self.sections.items():
            lines = (f"  {each.page.name:{width}}  {each.page.help}" for each in commands)
            parts.append("\n".join((f"{title}:", *lines)))
        return "\n\n".join(parts)


Listed: TypeAlias = type[CliCommand] | CommandGroup

FLOWS: Final = CommandGroup(
    HelpPage(
        name="flows",
        help="look at flows, and cancel them",
        description="""\
Looks at the flows of all owners, also beside a running gateway, and cancels
or sweeps them when no gateway runs.""",
        examples="""\
  taskflow flows list --config gateway.json5
  taskflow flows show --help""",
    ),
    {"commands": (ListFlows, ShowFlow, CancelAsOperator, SweepFlows)},
)

STORE: Final = CommandGroup(
    HelpPage(
        name="store",
        help="back up, restore and look after the store",
        description="""\
Copies a store, also beside a running gateway; and puts it back from a copy, or
makes its derived rows again, when no gateway runs. Makes the tables of a store
on PostgreSQL, whose copies are made by pg_dump; and copies a store there, or
back.""",
        examples="""\
  taskflow store backup monday.db --config gateway.json5
  taskflow store restore monday.db --config gateway.json5
  taskflow store rebuild --config gateway.json5""",
    ),
    {"commands": (BackUpStore, RestoreStore, RebuildStore, MigrateStore, CopyStore)},
)

AUDIT: Final = CommandGroup(
    HelpPage(
        name="audit",
        help="see, replay and prove what happened",
        description="""\
Looks at the whole history of a store, read-only, also beside a running
gateway. Trusts nothing that it has not computed itself.""",
        examples="""\
  taskflow audit history 2f1d7b6e-5d6f-4b6f-8a43-0d6d2a9c1f00 \\
      --config gateway.json5
  taskflow audit log --database sqlite:///copy.db --since 2026-11-26
  taskflow audit replay --database sqlite:///copy.db
  taskflow audit verify --config gateway.json5 --held kept.checkpoints""",
        notes="""\
docs/auditing.md says how to read and verify a history, step by step.""",
    ),
    {
        "read the history": (
            ShowHistory,
            ShowDiff,
            WhyField,
            ListEvents,
            ShowRefusals,
            ShowConfigurationChanges,
        ),
        "check the store": (ReplayStore, VerifyLog),
        "sign and prove": (Keygen, TakeCheckpoint, ProveEvent, VerifyProof),
        "hand out and show": (ExportEvents, ServePages),
    },
)

TASKFLOW: Final = CommandGroup(
    HelpPage(
        name="taskflow",
        help="",
        description="Serves TaskFlows over authenticated HTTP, and looks after their store.",
        examples="""\
  taskflow check --config gateway.json5
  taskflow serve --config gateway.json5 --port 8080
  taskflow flows list --config gateway.json5 --status waiting
  taskflow flows show 2f1d7b6e-5d6f-4b6f-8a43-0d6d2a9c1f00 \\
      --database sqlite:///var/taskflow.db --history""",
        notes=f"""\
Results go to standard output, everything else to standard error. Tables are
for people; with --json a command prints one JSON document, its names those of
the HTTP API, its times milliseconds since 1970.

{ALL_CODES}""",
    ),
    {
        "commands": (
            ServeGateway,
            CheckConfiguration,
            ExplainPayload,
            ReloadGateway,
            PrintOpenApi,
            FLOWS,
            STORE,
            AUDIT,
        )
    },
)


def program() -> Parser:
    """Return the parser of the whole program; it sets `kind`, the class of the command."""
    top = Parser(
        prog="taskflow",
        usage="%(prog)s [-h] [--version] COMMAND ...",
        description=TASKFLOW.description(),
        epilog=TASKFLOW.page.epilog,
    )
    top.add_argument(
        "--version", action=Version, nargs=0, default=SUPPRESS, help="print the version and exit"
    )
    _add_commands(top, TASKFLOW)
    return top


def _add_commands(parser: Parser, group: CommandGroup) -> None:
    # The description lists them in their sections, which argparse has none of.
    added = parser.add_subparsers(
        prog=parser.prog, metavar="COMMAND", required=True, help=SUPPRESS, parser_class=Parser
    )
    for listed in group.commands():
        made = added.add_parser(listed.page.name, epilog=listed.page.epilog)
        if isinstance(listed, CommandGroup):
            made.description, made.usage = listed.description(), "%(prog)s [-h] COMMAND ..."
            _add_commands(made, listed)
        else:
            made.description = listed.page.description
            made.set_defaults(kind=listed, parser=made)
            add_options(made, listed)
