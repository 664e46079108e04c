"""The adapters."""
