"""The options of each command, and the ask that they add up to."""

from __future__ import annotations

from argparse import SUPPRESS
from argparse import _ArgumentGroup as ArgumentGroup  # it has no public name
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from adapters.cli import manual
from adapters.cli.asks import (
    Ask,
    CancelFlow,
    Check,
    ListFlows,
    RebuildStore,
    Serve,
    ShowFlow,
    SweepFlows,
)
from adapters.cli.parser import Parser, Version, flow_status, some_text, whole_number
from domain.status import FlowStatus

MOST_FLOWS: Final = 1000
_MOST_PORTS: Final = 65_535
_MOST_SECONDS: Final = 31_536_000
_MOST_INTEGER: Final = (1 << 63) - 1


def parse(argv: Sequence[str]) -> Ask:
    """Return what some arguments ask for.

    Raises:
        SystemExit: if help, the version or a refusal was printed instead, with the exit code.
    """
    return _ask(**vars(_parser().parse_args(argv)))


def _ask(*, kind: type[Ask], parser: Parser, **options: Any) -> Ask:  # noqa: ANN401 - as argparse read them
    if options["config"] is None and options["database"] is None:
        parser.error("say which store is meant: --config FILE or --database URL")
    return kind(**options)


def _parser() -> Parser:
    top = Parser(prog="taskflow", description=manual.TOP, epilog=manual.TOP_EPILOG)
    top.add_argument(
        "--version", action=Version, nargs=0, default=SUPPRESS, help="print the version and exit"
    )
    commands = _Commands(top)
    _add_serve(commands)
    _add_check(commands)
    flows = _Commands(commands.add("flows", manual.FLOWS))
    _add_list(flows)
    _add_show(flows)
    _add_cancel(flows)
    _add_sweep(flows)
    _add_rebuild(_Commands(commands.add("store", manual.STORE)))
    return top


class _Commands:
    """The commands below a parser."""

    def __init__(self, parent: Parser) -> None:
        self._added = parent.add_subparsers(title="commands", metavar="COMMAND", required=True)

    def add(self, name: str, page: manual.Page) -> Parser:
        return self._added.add_parser(
            name, help=page.help, description=page.description, epilog=page.epilog
        )

    def add_ask(self, name: str, page: manual.Page, kind: type[Ask]) -> Parser:
        parser = self.add(name, page)
        parser.set_defaults(kind=kind, parser=parser)
        return parser


def _add_serve(commands: _Commands) -> None:
    parser = commands.add_ask("serve", manual.SERVE, Serve)
    _config(parser, required=True)
    _option(parser, "--database", "URL", "where the events are kept, instead of what FILE says")
    _option(parser, "--host", "HOST", "the address to listen on, instead of what FILE says")
    parser.add_argument(
        "--port",
        metavar="PORT",
        type=whole_number(0, _MOST_PORTS),
        help="the port to listen on, instead of what FILE says; 0 picks a free one",
    )
    _flag(parser, "--json", "write the log as JSON lines")


def _add_check(commands: _Commands) -> None:
    parser = commands.add_ask("check", manual.CHECK, Check)
    _config(parser, required=True)
    _flag(parser, "--strict", "exit with 1 for advice too")
    _json(parser)


def _add_list(commands: _Commands) -> None:
    parser = commands.add_ask("list", manual.LIST, ListFlows)
    _store(parser)
    _option(parser, "--owner", "KEY", "only flows of this session key")
    parser.add_argument(
        "--status",
        metavar="STATUS",
        type=flow_status,
        help=f"only flows of one status: {', '.join(FlowStatus)}",
    )
    parser.add_argument(
        "--limit",
        metavar="N",
        type=whole_number(1, MOST_FLOWS),
        default=50,
        help=f"at most N flows, 1 to {MOST_FLOWS} (default: 50)",
    )
    parser.add_argument(
        "--cursor",
        metavar="CURSOR",
        type=whole_number(1, _MOST_INTEGER),
        help="go on where an earlier list ended",
    )
    _json(parser)


def _add_show(commands: _Commands) -> None:
    parser = commands.add_ask("show", manual.SHOW, ShowFlow)
    _flow(parser)
    _store(parser)
    _flag(parser, "--history", "show all that happened to it as well")
    parser.add_argument(
        "--version",
        metavar="N",
        type=whole_number(1, _MOST_INTEGER),
        help="show it as it was after its Nth event",
    )
    _json(parser)


def _add_cancel(commands: _Commands) -> None:
    parser = commands.add_ask("cancel", manual.CANCEL, CancelFlow)
    _flow(parser)
    _store(parser)
    _json(parser)


def _add_sweep(commands: _Commands) -> None:
    parser = commands.add_ask("sweep", manual.SWEEP, SweepFlows)
    _store(parser)
    parser.add_argument(
        "--lost-after",
        metavar="SECONDS",
        type=whole_number(0, _MOST_SECONDS),
        help="how long a child may be silent, instead of what FILE says (without one: 300)",
    )
    _json(parser)


def _add_rebuild(commands: _Commands) -> None:
    parser = commands.add_ask("rebuild", manual.REBUILD, RebuildStore)
    _store(parser)
    _json(parser)


def _flow(parser: Parser) -> None:
    parser.add_argument("flow", metavar="FLOW", type=some_text, help="the flow's id")


def _store(parser: Parser) -> None:
    group = parser.add_argument_group("which store", manual.WHICH_STORE)
    _config(group, required=False)
    _option(group, "--database", "URL", "the store itself")


def _config(parser: Parser | ArgumentGroup, *, required: bool) -> None:
    parser.add_argument(
        "--config",
        metavar="FILE",
        type=Path,
        required=required,
        help="the JSON5 configuration of the gateway",
    )


def _option(parser: Parser | ArgumentGroup, name: str, metavar: str, text: str) -> None:
    parser.add_argument(name, metavar=metavar, type=some_text, help=text)


def _flag(parser: Parser, name: str, text: str) -> None:
    parser.add_argument(name, action="store_true", help=text)


def _json(parser: Parser) -> None:
    _flag(parser, "--json", "print one JSON document instead of tables")
