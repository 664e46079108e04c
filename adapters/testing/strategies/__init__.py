"""Hypothesis strategies for commands, events, histories and flows."""
