"""What takes the webhooks plugin out, as OpenClaw decides it for any plugin.

In this order: `plugins.enabled`, `plugins.deny`, `plugins.entries.webhooks.enabled`, and a
`plugins.allow` that has something in it, but not this plugin.
"""

from __future__ import annotations

from typing import Annotated, Final

from attrs import frozen

from adapters.settings.diagnostics import ConfigPath
from adapters.settings.nodes import Misfit, Node
from adapters.settings.structure import Each, another, read_member
from domain.flow.values import BLANKS

PLUGIN_ID: Final = "webhooks"
_NOBODY: Final[tuple[str, ...]] = ()

_OPENCLAWS: Final = ("load", "slots", "bundledDiscovery", "installs")
"""What else may stand in OpenClaw's `plugins`, which takes no other key either."""

_PLUGIN_KEYS: Final = ("enabled", "config", "hooks", "subagent", "llm")
"""What OpenClaw's own schema lets stand beside a plugin's configuration."""


@frozen
class SwitchedOff:
    """The field that takes the plugin out, and a clause that says so."""

    place: ConfigPath
    reason: str


def find_entry(root: Node) -> Node:
    """Return the plugin's entry in `plugins`; a key that OpenClaw would not take is noted."""
    plugins = root.at("plugins")
    plugins.refuse_misspelt("enabled", "allow", "deny", "entries", others=_OPENCLAWS)
    entries = plugins.at("entries")
    entries.refuse_misspelt(PLUGIN_ID)
    entry = entries.at(PLUGIN_ID)
    entry.members(_PLUGIN_KEYS)
    return entry


def read_switch(root: Node, entry: Node) -> SwitchedOff | None:
    """Return what takes the plugin out, or None; every one of the fields is checked."""
    plugins = root.at("plugins")
    enabled = read_member(plugins, "enabled", bool, default=True)
    denied = read_member(plugins, "deny", _PLUGIN_IDS, _NOBODY)
    entry_enabled = read_member(entry, "enabled", bool, default=True)
    allowed = [one for one in read_member(plugins, "allow", _PLUGIN_IDS, _NOBODY) if one]
    if not enabled:
        return SwitchedOff(("plugins", "enabled"), "all plugins are disabled")
    if PLUGIN_ID in denied:
        place = ("plugins", "deny", denied.index(PLUGIN_ID))
        return SwitchedOff(place, "the webhooks plugin is denied")
    if not entry_enabled:
        return SwitchedOff((*entry.path, "enabled"), "the webhooks plugin is disabled")
    if allowed and PLUGIN_ID not in allowed:
        return SwitchedOff(("plugins", "allow"), "the webhooks plugin is not in this list")
    allow = plugins.at("allow")
    if not allow.is_absent and not allowed:
        # NOTE: an empty list looks like a closed door, and is none in OpenClaw.
        allow.advise("an empty list allows every plugin, as in OpenClaw")
    return None


def _plugin_id(node: Node) -> str:
    """Read the id of a plugin, whose case and blanks do not matter; a blank one is nobody's."""
    # NOTE: OpenClaw has no patterns, so that `deny: ["*"]` would deny nothing.
    if not isinstance(node.value, str) or "*" in node.value:
        raise Misfit("a plugin's id", another(node, "a pattern"))
    return node.value.strip(BLANKS).lower()


_PLUGIN_IDS: Final = Annotated[
    tuple[str, ...], Each(Annotated[str, _plugin_id], "plugin ids", 4096)
]
