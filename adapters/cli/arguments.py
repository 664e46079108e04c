"""What the options of several commands have in common: the store, JSON, plain texts and flags."""

from __future__ import annotations

from argparse import _ArgumentGroup as ArgumentGroup  # it has no public name
from pathlib import Path
from typing import Final

from adapters.cli import help_text as manual
from adapters.cli.parser import Parser, some_text, whole_number

MOST_INTEGER: Final = (1 << 63) - 1


class Commands:
    """The commands below a parser."""

    def __init__(self, parent: Parser) -> None:
        self._added = parent.add_subparsers(title="commands", metavar="COMMAND", required=True)

    def add(self, name: str, page: manual.HelpPage) -> Parser:
        """Add a command, or a group of them, with its page of help."""
        return self._added.add_parser(
            name, help=page.help, description=page.description, epilog=page.epilog
        )

    def add_ask(self, name: str, page: manual.HelpPage, kind: type) -> Parser:
        """Add a command whose options are the fields of an ask."""
        parser = self.add(name, page)
        parser.set_defaults(kind=kind, parser=parser)
        return parser


def flow_argument(parser: Parser) -> None:
    """Add the flow that is meant."""
    parser.add_argument("flow", metavar="FLOW", type=some_text, help="the flow's id")


def store_options(parser: Parser) -> None:
    """Add the two ways to say which store is meant."""
    group = parser.add_argument_group("which store", manual.WHICH_STORE)
    config_option(group, required=False)
    text_option(group, "--database", "URL", "the store itself")


def config_option(parser: Parser | ArgumentGroup, *, required: bool) -> None:
    """Add the configuration."""
    parser.add_argument(
        "--config",
        metavar="FILE",
        type=Path,
        required=required,
        help="the JSON5 configuration of the gateway",
    )


def text_option(parser: Parser | ArgumentGroup, name: str, metavar: str, text: str) -> None:
    """Add an option that takes some text."""
    parser.add_argument(name, metavar=metavar, type=some_text, help=text)


def flag(parser: Parser, name: str, text: str) -> None:
    """Add a flag."""
    parser.add_argument(name, action="store_true", help=text)


def json_flag(parser: Parser) -> None:
    """Add the flag for JSON instead of tables."""
    flag(parser, "--json", "print one JSON document instead of tables")


def page_options(parser: Parser, noun: str, most: int) -> None:
    """Add how much of a list is shown, and from where on."""
    parser.add_argument(
        "--limit",
        metavar="N",
        type=whole_number(1, most),
        default=50,
        help=f"at most N {noun}, 1 to {most} (default: 50)",
    )
    parser.add_argument(
        "--cursor",
        metavar="CURSOR",
        type=whole_number(1, MOST_INTEGER),
        help="go on where an earlier list ended",
    )
