"""The options of a command: each is an attribute of its class, which says how it is read."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, Final, TypeAlias

from attrs import field, fields, frozen

from adapters.cli.parser import Parser, moment, number_within, point, positive_number, some_text

Option: TypeAlias = Any
"""What declares an attribute, of whatever type that is."""

CONFIG: Final = "the JSON5 configuration of the gateway"
_MOST_PORTS: Final = 65_535


@frozen
class OptionGroup:
    """Options that `--help` shows apart."""

    title: str
    description: str


def add_options(parser: Parser, kind: type[Any]) -> None:
    """Add the options of a command to its parser."""
    groups: dict[OptionGroup | None, Any] = {None: parser}
    for attribute in fields(kind):
        name, group, kwargs = attribute.metadata["option"]
        if group not in groups:
            groups[group] = parser.add_argument_group(group.title, group.description)
        if name is None:
            groups[group].add_argument(attribute.name, **kwargs)
        else:
            name = name or f"--{attribute.name.replace('_', '-')}"
            groups[group].add_argument(name, dest=attribute.name, **kwargs)


def argument(metavar: str, text: str, *, read: Callable[[str], object] = some_text) -> Option:
    """Declare an argument without a name of its own."""
    kwargs = {"metavar": metavar, "type": read, "help": text}
    return field(metadata={"option": (None, None, kwargs)})


def option(
    metavar: str,
    text: str,
    *,
    name: str = "",
    read: Callable[[str], object] = some_text,
    group: OptionGroup | None = None,
    **kwargs: object,
) -> Option:
    """Declare an option with a value; its name is that of the attribute, unless it is given."""
    kwargs = {"metavar": metavar, "type": read, "help": text, **kwargs}
    return field(metadata={"option": (name, group, kwargs)})


def repeated(
    metavar: str,
    text: str,
    *,
    name: str = "",
    read: Callable[[str], object] = some_text,
    required: bool = False,
) -> Option:
    """Declare an option that may be given several times."""
    kwargs = {"metavar": metavar, "type": read, "help": text, "required": required}
    kwargs |= {"action": "append", "default": []}
    return field(converter=tuple, metadata={"option": (name, None, kwargs)})


def flag(text: str) -> Option:
    """Declare an option that is given or not."""
    return field(metadata={"option": ("", None, {"action": "store_true", "help": text})})


def json_flag() -> Option:
    """Declare the flag for JSON instead of tables."""
    return flag("print one JSON document instead of tables")


def log_flag() -> Option:
    """Declare the flag for a log in JSON."""
    return flag("write the log as JSON lines")


def flow_argument() -> Option:
    """Declare the flow that a command is about."""
    return argument("FLOW", "the flow's id")


def limit_option(noun: str, most: int) -> Option:
    """Declare how much of a list is shown."""
    text = f"at most N {noun}, 1 to {most} (default: 50)"
    return option("N", text, read=number_within(1, most), default=50)


def cursor_option() -> Option:
    """Declare where a list begins."""
    text = "go on where an earlier list ended"
    return option("CURSOR", text, read=positive_number)


def time_option(text: str, group: OptionGroup | None = None) -> Option:
    """Declare a moment."""
    return option("TIME", text, read=moment, group=group)


def point_option(text: str) -> Option:
    """Declare a point in a flow's history."""
    return option("POINT", text, read=point)


def host_option() -> Option:
    """Declare the address of a server."""
    return option("HOST", "the address to listen on, instead of what FILE says")


def port_option() -> Option:
    """Declare the port of a server."""
    text = "the port to listen on, instead of what FILE says; 0 picks a free one"
    return option("PORT", text, read=number_within(0, _MOST_PORTS))


def checkpoints_option() -> Option:
    """Declare the file of the log's own checkpoints."""
    text = "the log's checkpoints, instead of what the configuration says"
    return option("FILE", text, read=Path)


def public_keys_option(*, required: bool = False) -> Option:
    """Declare the keys that sign checkpoints."""
    instead = "" if required else ", instead of the configuration's\nkeys"
    text = f"who signs, as keygen printed it{instead}; of a log whose key was rotated, repeat it"
    return repeated("KEY", text, name="--public-key", required=required)
