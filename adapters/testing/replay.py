"""Takes the steps of a failure again: `python -m adapters.testing.replay '<steps as JSON>'`.

All that can be read is compared after each step, so that a difference shows at the first step that
makes one.
"""

from __future__ import annotations

import sys
from argparse import ArgumentParser, Namespace
from collections.abc import Callable, Sequence
from typing import Final

from adapters.testing.drivers.driver import DriverFactory
from adapters.testing.drivers.pure import pure_core
from adapters.testing.json_format import Unreadable
from adapters.testing.model import Model, Rules
from adapters.testing.reproducing import USUAL, ImportNameError, MakeRules, import_name
from adapters.testing.steps import load_steps
from adapters.testing.trial import Mismatch, Trial

AS_THE_MODEL_SAYS: Final = 0
OTHERWISE: Final = 1
NOT_UNDERSTOOD: Final = 2


def replay(
    steps: str,
    factory: DriverFactory = pure_core,
    rules: MakeRules = Rules,
    *,
    report: Callable[[str], object] = lambda _: None,
) -> None:
    """Take steps on a driver and the model; `report` gets a line before each step.

    Raises:
        Mismatch: at the first step after which they disagree.
        Unreadable: if the steps are not in the format of `adapters.testing.steps`.
    """
    taken = load_steps(steps)
    trial = Trial(factory, Model(rules()))
    try:
        for number, step in enumerate(taken, 1):
            report(f"{number}. {step}")
            trial.do(step)
            trial.look()
    finally:
        trial.close()


def main(arguments: Sequence[str]) -> int:
    """Replay from the command line; exit codes: 0 as the model says, 1 otherwise, 2 unreadable."""
    asked = _arguments(arguments)
    try:
        replay(asked.steps, import_name(asked.driver), import_name(asked.rules), report=_print)
    except Mismatch as mismatch:
        _print(str(mismatch))
        return OTHERWISE
    except (ImportNameError, Unreadable) as error:
        _print(str(error))
        return NOT_UNDERSTOOD
    _print("as the model says")
    return AS_THE_MODEL_SAYS


def _arguments(arguments: Sequence[str]) -> Namespace:
    parser = ArgumentParser(
        prog="python -m adapters.testing.replay",
        description="Takes the steps of a failure again, on a driver and on the model.",
    )
    parser.add_argument("steps", help="the steps, as a failure printed them")
    parser.add_argument("--driver", default=USUAL[0], metavar="MODULE:NAME", help="what is driven")
    parser.add_argument("--rules", default=USUAL[1], metavar="MODULE:NAME", help="what is right")
    return parser.parse_args(arguments)


def _print(line: str) -> None:
    sys.stdout.write(f"{line}\n")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
