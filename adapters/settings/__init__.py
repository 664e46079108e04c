"""Settings: the documented OpenClaw JSON5 configuration, read strictly, as frozen values.

`read_config` reads what is written, `resolve` looks up its secrets. Nothing here knows HTTP, the
store or the server; `adapters.composition` hands the values on.
"""

from adapters.settings.allowed_actions import ACTION_NAMES
from adapters.settings.checkpoints import CheckpointsConfig
from adapters.settings.config import Config, read_config, read_store_config
from adapters.settings.diagnostics import ConfigAdvice, ConfigProblem, SettingsError
from adapters.settings.gateway_config import (
    AdminConfig,
    ChildrenConfig,
    GatewayConfig,
    LogConfig,
    ServerConfig,
)
from adapters.settings.key_validity import KeyValidity
from adapters.settings.mapping_config import MapConfig, MapFault
from adapters.settings.nodes import Misfit
from adapters.settings.pages import PagesConfig, PagesLogin
from adapters.settings.resolve import Settings, load_settings, resolve, resolve_login, resolve_route
from adapters.settings.routes_config import InvalidKey, RouteConfig, RouteKey
from adapters.settings.secret import Secret
from adapters.settings.secret_files import read_secret_file
from adapters.settings.secret_text import ProviderFault, Sealed, Unresolved
from adapters.settings.shards import FIRST, ShardConfig
from adapters.settings.shared_limits import SharedLimitsConfig
from adapters.settings.signature_keys import SignatureKey
from adapters.settings.store_url import StoreConfig, parse_store_url

__all__ = [
    "ACTION_NAMES",
    "FIRST",
    "AdminConfig",
    "CheckpointsConfig",
    "ChildrenConfig",
    "Config",
    "ConfigAdvice",
    "ConfigProblem",
    "GatewayConfig",
    "InvalidKey",
    "KeyValidity",
    "LogConfig",
    "MapConfig",
    "MapFault",
    "Misfit",
    "PagesConfig",
    "PagesLogin",
    "ProviderFault",
    "RouteConfig",
    "RouteKey",
    "Sealed",
    "Secret",
    "ServerConfig",
    "Settings",
    "SettingsError",
    "ShardConfig",
    "SharedLimitsConfig",
    "SignatureKey",
    "StoreConfig",
    "Unresolved",
    "load_settings",
    "parse_store_url",
    "read_config",
    "read_secret_file",
    "read_store_config",
    "resolve",
    "resolve_login",
    "resolve_route",
]
