"""The versions of the rules by which a command is decided, where they have changed.

Every event says by which version it was decided (`Metadata.rules`), and an auditor decides it again
by that one. A version stays here for as long as events of it may be stored.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, TypeAlias

from attrs import frozen

from domain.flow.values import BLANKS

AgentOf: TypeAlias = Callable[[str | None], str | None]


@frozen(kw_only=True)
class DecisionRules:
    """One version: what is a blank text, and whose child a task is where no agent is named."""

    version: int
    is_blank: Callable[[str], bool]
    agent_of: AgentOf
    """The agent that a session key names, if it names one."""
    default_agent: str | None

    def agent(self, *session_keys: str | None) -> str | None:
        """Return the agent of the first session key that names one, or else the default."""
        named = (agent for key in session_keys if (agent := self.agent_of(key)))
        return next(named, self.default_agent)


def agent_of(session_key: str | None) -> str | None:
    """Return the agent that a session key of the form `agent:<id>:<rest>` names, in lower case."""
    parts = [part for part in (session_key or "").strip(BLANKS).lower().split(":") if part]
    if len(parts) < 3 or parts[0] != "agent":  # noqa: PLR2004 - prefix, agent, rest
        return None
    return parts[1].strip(BLANKS) or None


def _first_agent_of(session_key: str | None) -> str | None:
    parts = (session_key or "").split(":", 2)
    return parts[1] if len(parts) == 3 and parts[0] == "agent" and parts[1] else None  # noqa: PLR2004 - prefix, agent, rest


def _is_empty_or_space(text: str) -> bool:
    return text == "" or text.isspace()


def _is_blank(text: str) -> bool:
    """Return whether there is nothing in a text but blanks, as JavaScript trims them."""
    return not text.strip(BLANKS)


FIRST_RULES: Final = DecisionRules(
    version=1,
    is_blank=_is_empty_or_space,
    agent_of=_first_agent_of,
    default_agent="main",
)
"""Those of events that do not say by which they were decided."""

RULES: Final = DecisionRules(
    version=2,
    is_blank=_is_blank,
    agent_of=agent_of,
    default_agent=None,
)
"""Those of today."""

_VERSIONS: Final = {rules.version: rules for rules in (FIRST_RULES, RULES)}


def rules_of(version: int | None) -> DecisionRules | None:
    """Return the rules that an event names, or None where they are not known here."""
    return FIRST_RULES if version is None else _VERSIONS.get(version)
