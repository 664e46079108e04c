"""The kit for those who change a rule, a store or the wire: is there a history that breaks it?

`scenario` says one rule, `model` all of them, `machine` looks for the history; `docs/testing.md`
shows how. Only `strategies` and `machine` import Hypothesis (`pip install
taskflow-webhooks[testing]`).
"""
