"""Tests of what an auditor reads and computes."""
