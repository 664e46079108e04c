"""Settings: the documented OpenClaw JSON5 configuration, read strictly, as frozen values.

`load_settings` is the way in. Nothing here knows HTTP, the store or the server; `app.py` hands
the values on.
"""

from adapters.settings.checkpoints import CheckpointsConfig, SigningKey
from adapters.settings.diagnostics import ConfigAdvice, ConfigProblem, SettingsError
from adapters.settings.key_validity import KeyFault, KeyValidity
from adapters.settings.load import Settings, load_settings, load_store
from adapters.settings.pages import PagesConfig
from adapters.settings.routes import InvalidKey, RouteConfig, RouteKey, SkippedRoute, UnresolvedKey
from adapters.settings.secret import Secret
from adapters.settings.secret_files import read_secret_file
from adapters.settings.secret_text import Sealed, Unresolved
from adapters.settings.service import ChildrenConfig, LogConfig, ServerConfig
from adapters.settings.store_url import StoreConfig, UnusableUrl, parse_store_url

__all__ = [
    "CheckpointsConfig",
    "ChildrenConfig",
    "ConfigAdvice",
    "ConfigProblem",
    "InvalidKey",
    "KeyFault",
    "KeyValidity",
    "LogConfig",
    "PagesConfig",
    "RouteConfig",
    "RouteKey",
    "Sealed",
    "Secret",
    "ServerConfig",
    "Settings",
    "SettingsError",
    "SigningKey",
    "SkippedRoute",
    "StoreConfig",
    "Unresolved",
    "UnresolvedKey",
    "UnusableUrl",
    "load_settings",
    "load_store",
    "parse_store_url",
    "read_secret_file",
]
