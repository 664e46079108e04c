"""Signed notes after C2SP signed-note: a text, an empty line, and a line for each signature.

    the text, in lines
    <empty line>
    — <key name> <base64 of the key id and the signature>

See https://c2sp.org/signed-note. Signatures by other keys are allowed and not looked at.
"""

from __future__ import annotations

import re
from typing import Final

from attrs import frozen

from adapters.audit.keys import Signer, Verifier, decoded, encoded

DASH: Final = "\u2014 "
"""What a line with a signature begins with."""

_KEY_ID: Final = 4
_CONTROL: Final = re.compile(r"[\x00-\x09\x0b-\x1f]")
_SIGNATURE: Final = re.compile(rf"{DASH}([^\s+]+) ([A-Za-z0-9+/=]+)")


@frozen
class BadNote:
    """Why something is no note that a key has signed: a clause, and whether it is a note at all."""

    reason: str
    is_readable: bool


def signed_note(text: str, signer: Signer) -> str:
    """Return a text with its signature; it ends with a line break."""
    key = signer.verifier
    signature = encoded(key.key_id + signer.sign(text.encode()))
    return f"{text}\n{DASH}{key.name} {signature}\n"


def text_of(note: bytes, verifier: Verifier) -> str | BadNote:
    """Return the text of a note if the key has signed it, with its last line break."""
    try:
        whole = note.decode()
    except UnicodeDecodeError:
        return BadNote("it is not text in UTF-8", is_readable=False)
    text, separator, signatures = whole.rpartition("\n\n")
    lines = [_SIGNATURE.fullmatch(line) for line in signatures.removesuffix("\n").split("\n")]
    if not separator or not whole.endswith("\n") or _CONTROL.search(whole) or not all(lines):
        return BadNote("it is not a signed note", is_readable=False)
    text += "\n"
    ours = [decoded(line[2]) for line in lines if line and line[1] == verifier.name]
    signed = [octets for octets in ours if octets and octets[:_KEY_ID] == verifier.key_id]
    if not signed:
        return BadNote(f"it is not signed by the key of {verifier.name}", is_readable=True)
    if not all(verifier.verifies(text.encode(), octets[_KEY_ID:]) for octets in signed):
        return BadNote(f"its signature by {verifier.name} is not good", is_readable=True)
    return text
