"""The command line: arguments in, tables or one JSON document out; only it imports rich."""

from adapters.cli.check_report import (
    ActionKeys,
    CheckReport,
    ConfigurationFinding,
    FurtherStore,
    GatewayOptions,
    KeyPeriod,
    KeyScheme,
    ServedRoute,
    Startable,
    UnservedRoute,
    Unstartable,
)
from adapters.cli.command_options import ExplainOptions, PagesOptions, ServeOptions
from adapters.cli.dependencies import CommandError, Dependencies, Exports, Reloaded, StoreShard
from adapters.cli.explanation import ExplainedStep, Explanation
from adapters.cli.progress import progress_on
from adapters.cli.run import run
from adapters.cli.standard_streams import standard_streams

__all__ = [
    "ActionKeys",
    "CheckReport",
    "CommandError",
    "ConfigurationFinding",
    "Dependencies",
    "ExplainOptions",
    "ExplainedStep",
    "Explanation",
    "Exports",
    "FurtherStore",
    "GatewayOptions",
    "KeyPeriod",
    "KeyScheme",
    "PagesOptions",
    "Reloaded",
    "ServeOptions",
    "ServedRoute",
    "Startable",
    "StoreShard",
    "UnservedRoute",
    "Unstartable",
    "progress_on",
    "run",
    "standard_streams",
]
