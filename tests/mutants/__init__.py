"""Deliberate faults, kept as patches, of which the kit and the tests must find almost all.

`python -m tests.mutants` applies each to a copy of the tree; a test keeps them applicable.
"""
