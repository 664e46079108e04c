"""Which kinds of stores a test is run on, where it is not on all of them."""

from __future__ import annotations

import pytest

ON_SQLITE = pytest.mark.parametrize("url", ["file", "memory"], indirect=True)
"""For what is said to SQLite in its own words, or happens to it alone."""
