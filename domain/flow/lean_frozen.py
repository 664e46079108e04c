"""Values that every request makes anew."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from attrs import define

__all__ = ("lean_frozen",)

if TYPE_CHECKING:
    from attrs import frozen as lean_frozen
else:
    # PERF: only who checks types sees to it that nobody changes such a value; to make one that is
    # frozen at run time, too, takes four times as long.
    lean_frozen = partial(define, unsafe_hash=True)
