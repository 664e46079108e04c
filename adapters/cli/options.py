"""The options of each command, and the ask that they add up to."""

from __future__ import annotations

from argparse import SUPPRESS
from collections.abc import Sequence
from typing import Any, Final

from adapters.cli import help_text as manual
from adapters.cli.arguments import (
    MOST_INTEGER,
    Commands,
    config_option,
    flag,
    flow_argument,
    json_flag,
    page_options,
    store_options,
    text_option,
)
from adapters.cli.asks import (
    Ask,
    CancelFlow,
    Check,
    ListFlows,
    RebuildStore,
    Reload,
    Serve,
    ShowFlow,
    SweepFlows,
)
from adapters.cli.audit.ask import AuditAsk
from adapters.cli.audit.group import add_audit
from adapters.cli.parser import Parser, Version, flow_status, whole_number
from adapters.cli.store import backup as store_backup
from adapters.cli.store import restore as store_restore
from domain.flow.status import FlowStatus

MOST_FLOWS: Final = 1000
_MOST_PORTS: Final = 65_535
_MOST_WAIT: Final = 3_600
_MOST_SECONDS: Final = 31_536_000


def parse(argv: Sequence[str]) -> Ask:
    """Return what some arguments ask for.

    Raises:
        SystemExit: if help, the version or a refusal was printed instead, with the exit code.
    """
    return _ask(**vars(_parser().parse_args(argv)))


def _ask(*, kind: type[Ask], parser: Parser, **options: Any) -> Ask:  # noqa: ANN401 - as argparse read them
    given = options.get("config") or options.get("database")
    if given is None and not (issubclass(kind, AuditAsk) and not kind.needs_store):
        parser.error("say which store is meant: --config FILE or --database URL")
    return kind(**options)


def _parser() -> Parser:
    top = Parser(prog="taskflow", description=manual.TOP, epilog=manual.TOP_EPILOG)
    top.add_argument(
        "--version", action=Version, nargs=0, default=SUPPRESS, help="print the version and exit"
    )
    commands = Commands(top)
    _add_serve(commands)
    _add_check(commands)
    _add_reload(commands)
    flows = Commands(commands.add("flows", manual.FLOWS))
    _add_list(flows)
    _add_show(flows)
    _add_cancel(flows)
    _add_sweep(flows)
    store = Commands(commands.add("store", manual.STORE))
    store_backup.add(store)
    store_restore.add(store)
    _add_rebuild(store)
    add_audit(commands)
    return top


def _add_serve(commands: Commands) -> None:
    parser = commands.add_ask("serve", manual.SERVE, Serve)
    config_option(parser, required=True)
    text_option(parser, "--database", "URL", "where the events are kept, instead of what FILE says")
    text_option(parser, "--host", "HOST", "the address to listen on, instead of what FILE says")
    parser.add_argument(
        "--port",
        metavar="PORT",
        type=whole_number(0, _MOST_PORTS),
        help="the port to listen on, instead of what FILE says; 0 picks a free one",
    )
    parser.add_argument(
        "--wait",
        metavar="SECONDS",
        type=whole_number(0, _MOST_WAIT),
        default=0,
        help="how long to wait for a store that another gateway still writes to (default: 0)",
    )
    flag(parser, "--json", "write the log as JSON lines")


def _add_check(commands: Commands) -> None:
    parser = commands.add_ask("check", manual.CHECK, Check)
    config_option(parser, required=True)
    flag(parser, "--strict", "exit with 1 for advice too")
    json_flag(parser)


def _add_reload(commands: Commands) -> None:
    store_options(commands.add_ask("reload", manual.RELOAD, Reload))


def _add_list(commands: Commands) -> None:
    parser = commands.add_ask("list", manual.LIST, ListFlows)
    store_options(parser)
    text_option(parser, "--owner", "KEY", "only flows of this session key")
    parser.add_argument(
        "--status",
        metavar="STATUS",
        type=flow_status,
        help=f"only flows of one status: {', '.join(FlowStatus)}",
    )
    page_options(parser, "flows", MOST_FLOWS)
    json_flag(parser)


def _add_show(commands: Commands) -> None:
    parser = commands.add_ask("show", manual.SHOW, ShowFlow)
    flow_argument(parser)
    store_options(parser)
    flag(parser, "--history", "show all that happened to it as well")
    parser.add_argument(
        "--version",
        metavar="N",
        type=whole_number(1, MOST_INTEGER),
        help="show it as it was after its Nth event",
    )
    json_flag(parser)


def _add_cancel(commands: Commands) -> None:
    parser = commands.add_ask("cancel", manual.CANCEL, CancelFlow)
    flow_argument(parser)
    store_options(parser)
    flag(parser, "--give-up-children", "mark its active child tasks as lost, and so cancel it now")
    json_flag(parser)


def _add_sweep(commands: Commands) -> None:
    parser = commands.add_ask("sweep", manual.SWEEP, SweepFlows)
    store_options(parser)
    parser.add_argument(
        "--lost-after",
        metavar="SECONDS",
        type=whole_number(0, _MOST_SECONDS),
        help="how long a child may be silent, instead of what FILE says (without one: 300)",
    )
    json_flag(parser)


def _add_rebuild(commands: Commands) -> None:
    parser = commands.add_ask("rebuild", manual.REBUILD, RebuildStore)
    store_options(parser)
    json_flag(parser)
