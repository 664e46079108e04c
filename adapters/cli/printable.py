"""Values as people read them: the command line's names for what the domain words."""

from domain.audit.printable import (
    counted,
    pretty_json,
    printable,
    shortened,
    to_the_millisecond,
    to_the_second,
)

__all__ = [
    "counted",
    "pretty_json",
    "printable",
    "shortened",
    "to_the_millisecond",
    "to_the_second",
]
