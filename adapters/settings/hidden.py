"""What every holder of a secret has in common: it shows, copies and pickles nothing."""

from __future__ import annotations

from typing import NoReturn, SupportsIndex


class Hidden:
    """Shows itself as `Kind(***)` wherever it is printed, and is neither copied nor pickled."""

    # APPSEC: not an attrs class, so that `attrs.asdict` and structured loggers find no fields.
    __slots__ = ()

    def __repr__(self) -> str:
        return f"{type(self).__name__}(***)"

    def __format__(self, spec: str) -> str:
        return repr(self)

    def __reduce_ex__(self, protocol: SupportsIndex) -> NoReturn:
        raise TypeError("a secret is neither copied nor pickled")
