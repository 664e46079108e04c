"""Settings: the documented OpenClaw JSON5 configuration, read strictly, as frozen values.

`load_settings` is the way in. Nothing here knows HTTP, the store or the server; `app.py` hands
the values on.
"""

from adapters.settings.checkpoints import Checkpoints, SigningKey
from adapters.settings.findings import Advice, Problem, SettingsError
from adapters.settings.key_times import KeyFault, KeyTimes
from adapters.settings.load import Settings, load_settings, load_store
from adapters.settings.pages import Pages
from adapters.settings.routes import InvalidKey, Route, RouteKey, SkippedRoute, UnresolvedKey
from adapters.settings.sealing import Sealed, Unresolved
from adapters.settings.secret import Secret
from adapters.settings.secret_files import read_secret_file
from adapters.settings.service import Children, Log, Server
from adapters.settings.store_url import Store, UnusableUrl, parse_store_url

__all__ = [
    "Advice",
    "Checkpoints",
    "Children",
    "InvalidKey",
    "KeyFault",
    "KeyTimes",
    "Log",
    "Pages",
    "Problem",
    "Route",
    "RouteKey",
    "Sealed",
    "Secret",
    "Server",
    "Settings",
    "SettingsError",
    "SigningKey",
    "SkippedRoute",
    "Store",
    "Unresolved",
    "UnresolvedKey",
    "UnusableUrl",
    "load_settings",
    "load_store",
    "parse_store_url",
    "read_secret_file",
]
