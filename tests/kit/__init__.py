"""Tests of the kit for testing, and by it."""
