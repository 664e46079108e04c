"""Records a golden history: `python -m adapters.testing.corpus.record 'ABOUT' 'STEPS'`.

The steps are those that a failure prints, for one flow. Read what it prints before you keep it:
from then on it is what the service does.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Sequence
from typing import Any, Final

from adapters.testing.clock import ControlledClock
from adapters.testing.corpus.golden import shown_at_the_end, step_outcome, take
from adapters.testing.steps import TrialStep, dump_step, load_steps
from domain.flow.decide import decide
from domain.flow.evolve import fold
from domain.flow.refusals import Refusal
from domain.flow.state import Flow

USAGE: Final = "usage: python -m adapters.testing.corpus.record ABOUT STEPS"
NOT_UNDERSTOOD: Final = 2


def record(about: str, steps: Iterable[TrialStep]) -> dict[str, Any]:
    """Return the golden history of some steps, as a document to be kept as JSON."""
    flow: Flow | None = None
    clock = ControlledClock()
    taken: list[dict[str, Any]] = []
    for step in steps:
        decision = take(step, flow, clock, decide)
        taken.append({"step": dump_step(step), **step_outcome(decision)})
        flow = flow if isinstance(decision, Refusal) else fold(flow, decision)
    shown, tasks = shown_at_the_end(flow)
    return {"about": about, "steps": taken, "flow": shown, "tasks": list(tasks)}


def main(arguments: Sequence[str]) -> int:
    """Print the golden history of the steps on the command line; exit code 2 if unreadable."""
    if len(arguments) != 2:  # noqa: PLR2004 - what it is about, and its steps
        sys.stderr.write(f"{USAGE}\n")
        return NOT_UNDERSTOOD
    about, steps = arguments
    try:
        document = record(about, load_steps(steps))
    except ValueError as error:
        sys.stderr.write(f"{error}\n")
        return NOT_UNDERSTOOD
    sys.stdout.write(f"{json.dumps(document, ensure_ascii=False, indent=1)}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
