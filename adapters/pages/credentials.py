"""The user and the password of a request: the Basic scheme of RFC 7617."""

from __future__ import annotations

import base64
import binascii
from typing import Final

from attrs import field, frozen

SCHEME: Final = "basic "
CHALLENGE: Final = 'Basic realm="TaskFlow audit", charset="UTF-8"'


@frozen
class Presented:
    """What a request presented; both are bytes decoded as Latin-1."""

    user: str
    password: str = field(repr=False)


def presented(authorization: str | None) -> Presented | None:
    """Return what an `Authorization` header presents, or None if it is not of the Basic scheme."""
    if authorization is None or authorization[: len(SCHEME)].lower() != SCHEME:
        return None
    try:
        octets = base64.b64decode(authorization[len(SCHEME) :].strip(" "), validate=True)
    except (binascii.Error, ValueError):
        return None
    user, colon, password = octets.decode("latin-1").partition(":")
    return Presented(user, password) if colon else None
