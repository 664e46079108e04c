"""Golden histories: what was decided once is decided for ever, and folds to what it folded to.

A history is a JSON file of this folder: the steps of one flow (`adapters.testing.steps`), the
events of each by their permanent names, or its refusal, and the view of the
flow and its tasks at the end. They ship with the package.
"""

from adapters.testing.corpus.golden import Difference, Golden, golden_histories, replay_corpus

__all__ = ["Difference", "Golden", "golden_histories", "replay_corpus"]
