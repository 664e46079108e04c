"""The kit for changing a rule, a store or the wire: is there a history that breaks it?

`scenario` checks one rule, `model` has all of them, and `machine` searches for the history:
`docs/testing.md` shows how. Only `strategies` and `machine` import Hypothesis (extra `testing`).
"""
