"""Counts that several gateways share, on a server of Redis or Valkey.

The only room that imports redis, an extra: it is imported where `taskflow.limits.shared` is set.
"""
