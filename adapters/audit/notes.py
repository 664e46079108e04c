"""Signed notes after C2SP signed-note: a text, an empty line, and a line for each signature.

    the text, in lines
    <empty line>
    — <key name> <base64 of the key id and the signature>

See https://c2sp.org/signed-note. Signatures by other keys are allowed and not looked at. In a file,
an empty line follows each note. Our texts have no empty lines, so that a file falls into blocks: a
text, and signatures, whose lines begin with a dash (U+2014).
"""

from __future__ import annotations

import re
from codecs import BOM_UTF8
from collections.abc import Sequence
from hashlib import sha256
from typing import Final

from attrs import frozen

from adapters.audit.keys import Signer, Verifier, decoded, named
from adapters.audit.pack.verifier.forms import encode_base64
from adapters.audit.pack.verifier.keys import ID_BYTES
from adapters.audit.pack.verifier.notes import CONTROL, DASH, SIGNATURE

HEAD: Final = 1 << 16
"""Among so many bytes at the beginning of a file of checkpoints there is a whole one."""

_EMPTY_LINE: Final = b"\n\n"
_DASH: Final = DASH.encode()

_LINE: Final = rb"[^\x00-\x1f]+\n"
_WHOLE: Final = re.compile(
    rb"(?!\xef\xbb\xbf)(?:%b)+\n(?:%b[^\x00-\x20+]+ [A-Za-z0-9+/=]+\n)+" % (_LINE, _DASH)
)
"""A note, in a file that no editor has put a byte order mark or other line ends into."""

SIGNATURE_BEGUN: Final = rb"(?:\xe2(?:\x80(?:\x94(?: [^\x00-\x20+]*(?: [A-Za-z0-9+/=]*)?)?)?)?)?"
"""Whatever a line with a signature begins with, as a regular expression."""

_PADDED: Final = re.compile(
    rb"%b[^\x00-\x20+]+ (?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{3}=|[A-Za-z0-9+/]{2}==)" % _DASH
)
"""A signature to its end, without the line break: base64 has its padding nowhere else."""


@frozen
class Notes:
    """What a file of notes holds: the whole ones in order, and the rest behind them.

    A note is whole without the empty line behind it. The rest may stand among the signatures of
    the last whole note, and not on its own.
    """

    whole: tuple[bytes, ...]
    rest: bytes
    is_among_signatures: bool = False


def split_notes(data: bytes) -> Notes:
    """Return the notes of a file, whatever they say; each ends with a line break."""
    *blocks, last = data.split(_EMPTY_LINE)
    notes: list[bytes] = []
    text: list[bytes] = []
    for block in blocks:
        text.append(block)
        if block.startswith(_DASH):
            notes.append(_EMPTY_LINE.join(text) + b"\n")
            text = []
    signatures, rest = _whole_lines(last) if text else (b"", last)
    if signatures:
        notes.append(_EMPTY_LINE.join([*text, signatures]))
        return Notes(tuple(notes), rest, is_among_signatures=True)
    return Notes(tuple(notes), _EMPTY_LINE.join([*text, last]))


def _whole_lines(block: bytes) -> tuple[bytes, bytes]:
    """Return the whole lines of a block of signatures, and the rest behind them."""
    lines, break_, last = block.rpartition(b"\n")
    if _PADDED.fullmatch(last):
        return block + b"\n", b""
    return (lines + break_, last) if block.startswith(_DASH) else (b"", block)


def is_something_else(head: bytes) -> bool:
    """Say whether the first `HEAD` bytes of a file are long and have no note."""
    return len(head) >= HEAD and _EMPTY_LINE + _DASH not in head


def conversion_of(data: bytes) -> str:
    """Say in brackets what an editor or a transfer has made of a file of notes, if anything."""
    if b"\r\n" in data:
        return " (its lines end in CR LF)"
    return " (it begins with a byte order mark)" if data.startswith(BOM_UTF8) else ""


def is_whole_note(octets: bytes) -> bool:
    """Say whether something is one signed note, by whomever, without empty lines in its text."""
    return _WHOLE.fullmatch(octets) is not None


def is_signature_begun(octets: bytes) -> bool:
    """Say whether something is how a line with a signature begins."""
    return re.fullmatch(SIGNATURE_BEGUN, octets) is not None


@frozen
class SignedText:
    """A text with a good signature: by whom, and the line with the signature."""

    text: str
    verifier: Verifier
    line: str

    @property
    def digest(self) -> bytes:
        """Return the SHA-256 of the note with this signature alone."""
        return sha256(f"{self.text}\n{self.line}\n".encode()).digest()


@frozen
class BadNote:
    """Why something is no note that a key has signed: a clause, and whether it is a note at all."""

    reason: str
    is_readable: bool


def signed_note(text: str, signer: Signer) -> str:
    """Return a text with its signature; it ends with a line break."""
    key = signer.verifier
    signature = encode_base64(key.key_id + signer.sign(text.encode()))
    return f"{text}\n{DASH}{key.name} {signature}\n"


def open_note(note: bytes, verifiers: Sequence[Verifier]) -> SignedText | BadNote:
    """Return the text of a note, with its last line break, if one of some keys has signed it.

    Signatures by other keys are not looked at; all by these keys must be good.
    """
    try:
        whole = note.decode()
    except UnicodeDecodeError:
        return BadNote("it is not text in UTF-8", is_readable=False)
    text, separator, signatures = whole.rpartition("\n\n")
    lines = [SIGNATURE.fullmatch(line) for line in signatures.removesuffix("\n").split("\n")]
    if not separator or not whole.endswith("\n") or CONTROL.search(whole) or not all(lines):
        return BadNote("it is not a signed note", is_readable=False)
    text += "\n"
    found = [(key, line) for key in verifiers for line in lines if line and _is_by(key, line)]
    if not found:
        return BadNote(f"it is not signed by {_named(verifiers)}", is_readable=True)
    for key, line in found:
        if not key.verifies(text.encode(), (decoded(line[2]) or b"")[ID_BYTES:]):
            return BadNote(f"its signature by {key.name} is not good", is_readable=True)
    key, line = found[0]
    return SignedText(text, key, line[0])


def _is_by(key: Verifier, line: re.Match[str]) -> bool:
    return line[1] == key.name and (decoded(line[2]) or b"")[:ID_BYTES] == key.key_id


def _named(verifiers: Sequence[Verifier]) -> str:
    if len(verifiers) == 1:
        return f"the key of {verifiers[0].name}"
    return f"any of the {len(verifiers)} keys of {named(verifiers)}"
