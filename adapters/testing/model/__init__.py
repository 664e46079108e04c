"""A naive model of flows, written from the rules and apart from the core: the kit's oracle.

It has no events, no table and no store: plain records and ifs. It shares the commands with the
core, and nothing that decides them.
"""

from adapters.testing.model.records import ModelFlow, ModelRejection, ModelTask, Verdict
from adapters.testing.model.rules import Rules
from adapters.testing.model.world import IdempotentResult, Model, Prediction, predict

__all__ = [
    "IdempotentResult",
    "Model",
    "ModelFlow",
    "ModelRejection",
    "ModelTask",
    "Prediction",
    "Rules",
    "Verdict",
    "predict",
]
