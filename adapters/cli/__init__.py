"""The command line: arguments in, tables or one JSON document out; only it imports rich."""

from adapters.cli.check_report import (
    CheckReport,
    ConfigurationFinding,
    GatewayOptions,
    KeyPeriod,
    ServedRoute,
    Startable,
    UnservedRoute,
    Unstartable,
)
from adapters.cli.dependencies import (
    CommandError,
    Dependencies,
    Exports,
    PagesOptions,
    Reloaded,
    ServeOptions,
)
from adapters.cli.progress import progress_on
from adapters.cli.run import run
from adapters.cli.standard_streams import standard_streams

__all__ = [
    "CheckReport",
    "CommandError",
    "ConfigurationFinding",
    "Dependencies",
    "Exports",
    "GatewayOptions",
    "KeyPeriod",
    "PagesOptions",
    "Reloaded",
    "ServeOptions",
    "ServedRoute",
    "Startable",
    "UnservedRoute",
    "Unstartable",
    "progress_on",
    "run",
    "standard_streams",
]
