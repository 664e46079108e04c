"""Attacks on a store and its checkpoints, each at many random places; see `test_attacks`."""
