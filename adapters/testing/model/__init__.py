"""A naive model of flows, written from the rules and apart from the core: the oracle of the kit.

It knows no events, no table and no store: one plain record a flow, and ifs. It imports the
commands, which are the questions, and nothing of what answers them.
"""

from adapters.testing.model.life import Child, Life, shown_child, shown_life, summary_of
from adapters.testing.model.rules import Rules
from adapters.testing.model.ruling import No, Ruling, Verdict
from adapters.testing.model.world import Foreseen, Kept, Model, foresee

__all__ = [
    "Child",
    "Foreseen",
    "Kept",
    "Life",
    "Model",
    "No",
    "Rules",
    "Ruling",
    "Verdict",
    "foresee",
    "shown_child",
    "shown_life",
    "summary_of",
]
