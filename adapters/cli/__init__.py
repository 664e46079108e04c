"""The command line: words in, tables or one JSON document out. The only room that imports rich."""

from adapters.cli.check_report import (
    CheckReport,
    Finding,
    GatewayOptions,
    KeyTimes,
    RouteLimits,
    ServedRoute,
    SkippedRoute,
    Startable,
    Unstartable,
)
from adapters.cli.exits import Exit
from adapters.cli.run import run
from adapters.cli.standard_streams import standard_streams
from adapters.cli.tools import (
    CommandError,
    Exports,
    PagesWanted,
    ReadableFlows,
    Rebuilt,
    Reloaded,
    Tools,
    WritableFlows,
)
from domain.application.ports import Progress

__all__ = [
    "CheckReport",
    "CommandError",
    "Exit",
    "Exports",
    "Finding",
    "GatewayOptions",
    "KeyTimes",
    "PagesWanted",
    "Progress",
    "ReadableFlows",
    "Rebuilt",
    "Reloaded",
    "RouteLimits",
    "ServedRoute",
    "SkippedRoute",
    "Startable",
    "Tools",
    "Unstartable",
    "WritableFlows",
    "run",
    "standard_streams",
]
