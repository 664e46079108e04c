"""What takes the webhooks plugin out, as OpenClaw decides it for any plugin.

In this order: `plugins.enabled`, `plugins.deny`, `plugins.entries.webhooks.enabled`, and a
`plugins.allow` that has something in it, but not this plugin.
"""

from __future__ import annotations

from typing import Final

from attrs import frozen

from adapters.settings.diagnostics import ConfigPath
from adapters.settings.fields import Members, Node
from domain.flow.values import BLANKS

PLUGIN_ID: Final = "webhooks"
_MOST: Final = 4096


@frozen
class SwitchedOff:
    """The field that takes the plugin out, and a clause that says so."""

    place: ConfigPath
    reason: str


def read_switch(plugins: Members, entry: Members) -> SwitchedOff | None:
    """Return what takes the plugin out, or None; every one of the fields is checked."""
    enabled = plugins.flag("enabled", default=True)
    denied = [one for one in _listed(plugins, "deny") if _plugin_id(one) == PLUGIN_ID]
    entry_enabled = entry.flag("enabled", default=True)
    allowed = {_plugin_id(one) for one in _listed(plugins, "allow")} - {""}
    if not enabled:
        return SwitchedOff(("plugins", "enabled"), "all plugins are disabled")
    if denied:
        return SwitchedOff(denied[0].path, "the webhooks plugin is denied")
    if not entry_enabled:
        return SwitchedOff((*_ENTRY, "enabled"), "the webhooks plugin is disabled")
    if allowed and PLUGIN_ID not in allowed:
        return SwitchedOff(("plugins", "allow"), "the webhooks plugin is not in this list")
    _advise_on_empty(plugins.get("allow"), allowed)
    return None


_ENTRY: Final[ConfigPath] = ("plugins", "entries", PLUGIN_ID)


def _listed(plugins: Members, key: str) -> tuple[Node, ...]:
    return plugins.elements(key, of="plugin ids", at_most=_MOST)


def _plugin_id(field: Node) -> str:
    """Read the id of a plugin, whose case and blanks do not matter; a blank one is nobody's."""
    if isinstance(field.value, str) and "*" not in field.value:
        return field.value.strip(BLANKS).lower()
    # NOTE: OpenClaw has no patterns, so that `deny: ["*"]` would deny nothing.
    found = "a pattern" if isinstance(field.value, str) else None
    field.refuse(expected="a plugin's id", found=found)
    return ""


def _advise_on_empty(allow: Node | None, allowed: set[str]) -> None:
    """NOTE: an empty list looks like a closed door, and is none in OpenClaw."""
    if allow is not None and not allowed:
        allow.diagnostics.advise(allow.path, "an empty list allows every plugin, as in OpenClaw")
