"""Linearizability: is there an order of concurrent calls in which every answer is right?

A history is linearizable if every call can be given one moment between its invocation and its
response, so that in the order of these moments a sequential object would have answered the same
(Herlihy and Wing, 1990). The search is Wing and Gong's (1993), with the memoisation of Lowe
("Testing for linearizability", 2017): a set of calls that led to a state is tried once. It runs for
each object by itself, since a history is linearizable exactly if its part for each object is.
"""

from adapters.testing.linearizability.checking import (
    Counterexample,
    NotLinearizable,
    check_linearizable,
    judge,
)
from adapters.testing.linearizability.flows import (
    NOTHING,
    FlowCall,
    FlowState,
    Look,
    call_flow_id,
    flow_step,
)
from adapters.testing.linearizability.history import Operation, partitioned
from adapters.testing.linearizability.search import (
    Linearized,
    SequentialSpec,
    Stuck,
    TooManyStates,
    linearize,
)

__all__ = [
    "NOTHING",
    "Counterexample",
    "FlowCall",
    "FlowState",
    "Linearized",
    "Look",
    "NotLinearizable",
    "Operation",
    "SequentialSpec",
    "Stuck",
    "TooManyStates",
    "call_flow_id",
    "check_linearizable",
    "flow_step",
    "judge",
    "linearize",
    "partitioned",
]
