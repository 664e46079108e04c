from __future__ import annotations

import pickle
from pathlib import Path

import pytest

from adapters.audit.key_file import read_key, write_new_key
from adapters.audit.keys import Signer, Verifier
from adapters.audit.notes import BadNote, SignedText, open_note, signed_note
from adapters.audit.pack.verifier.forms import Wrong
from adapters.audit.pack.verifier.keys import PublicKey
from domain.tlog.checkpoints import Unprovable

PUBLIC = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"
PRIVATE = "PRIVATE+KEY+PeterNeumann+c74f20a3+AYEKFALVFGyNhPJEMzD1QIDr+Y7hfZx09iUvxdXHKDFz"
TEXT = (
    "If you think cryptography is the answer to your problem,\n"
    "then you don't know what your problem is.\n"
)
NOTE = (
    f"{TEXT}\n\u2014 PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgK"
    "vqfqdngotpRZb6KE6RyyBwJnAM=\n"
)
"""The example that the Go project publishes with its notes: keys, text and signature."""

VERIFIER = Verifier.parse(PUBLIC)
SIGNER = Signer.parse(PRIVATE)


def opened(note: str, *others: Verifier) -> str | None:
    """Return the text of a note by our key or others, or None."""
    found = open_note(note.encode(), [VERIFIER, *others])
    return found.text if isinstance(found, SignedText) else None


def test_the_published_keys_are_read_and_belong_together() -> None:
    assert SIGNER.verifier == VERIFIER
    assert (str(VERIFIER), SIGNER.secret_text()) == (PUBLIC, PRIVATE)


def test_the_published_note_is_signed_to_the_byte_and_verified() -> None:
    assert signed_note(TEXT, SIGNER) == NOTE
    assert opened(NOTE) == TEXT


def test_signatures_by_others_are_not_looked_at() -> None:
    other = signed_note(TEXT, Signer.generate("witness")).partition("\n\n")[2]
    assert opened(NOTE + other) == TEXT
    assert opened(NOTE.replace("\n\n", f"\n\n{other}")) == TEXT


@pytest.mark.parametrize("place", range(0, len(NOTE.encode()), 7))
def test_a_note_with_any_bit_changed_is_refused(place: int) -> None:
    octets = bytearray(NOTE.encode())
    octets[place] ^= 1
    assert isinstance(open_note(bytes(octets), [VERIFIER]), BadNote)


@pytest.mark.parametrize(
    "note",
    [
        "",
        TEXT,
        NOTE.removesuffix("\n"),
        NOTE + "\n",
        NOTE.replace("answer", "ans\x00wer"),
        NOTE.replace("\n\n", "\n\n\n"),
        NOTE.replace("\u2014", "-"),
        NOTE.replace("AQ", "A Q"),
    ],
)
def test_what_is_no_note_is_refused_as_unreadable(note: str) -> None:
    found = open_note(note.encode(), [VERIFIER])
    assert isinstance(found, BadNote)
    assert not found.is_readable or note.startswith(TEXT)


def test_a_note_by_another_key_of_the_same_name_is_not_signed() -> None:
    note = signed_note(TEXT, Signer.generate("PeterNeumann"))
    expected = BadNote("it is not signed by the key of PeterNeumann", is_readable=True)
    assert open_note(note.encode(), [VERIFIER]) == expected


def test_one_of_several_keys_is_enough_and_all_that_have_signed_must_have_signed_well() -> None:
    successor = Signer.generate("PeterNeumann")
    theirs = signed_note(TEXT, successor)
    assert opened(theirs, successor.verifier) == TEXT
    both = NOTE + theirs.partition("\n\n")[2]
    assert opened(both, successor.verifier) == TEXT
    spoilt = NOTE + signed_note(f"{TEXT}more\n", successor).partition("\n\n")[2]
    assert opened(spoilt) == TEXT
    assert opened(spoilt, successor.verifier) is None
    stranger = Signer.generate("PeterNeumann").verifier
    assert open_note(theirs.encode(), [VERIFIER, stranger]) == BadNote(
        "it is not signed by any of the 2 keys of PeterNeumann", is_readable=True
    )


@pytest.mark.parametrize(
    ("text", "clause"),
    [
        ("", "is not of the form"),
        (PUBLIC[1:], "mistyped"),
        (PUBLIC.replace("ARpc", "ARpd"), "mistyped"),
        (PUBLIC.replace("+AR", "+BR"), "is not of the form"),
        (PUBLIC + "\n", "is not of the form"),
        (PRIVATE, "this is the private one"),
    ],
)
def test_a_public_key_that_is_none_is_refused(text: str, clause: str) -> None:
    with pytest.raises(Unprovable, match=clause) as caught:
        Verifier.parse(text)
    assert "AYEK" not in str(caught.value)


@pytest.mark.parametrize("text", ["", PUBLIC, PRIVATE[:-1], PRIVATE.replace("AYEK", "AYEL")])
def test_a_signing_key_that_is_none_is_refused_and_not_shown(text: str) -> None:
    with pytest.raises(Unprovable) as caught:
        Signer.parse(text)
    assert "FALVFGyNh" not in str(caught.value)


def test_a_signing_key_shows_its_name_and_is_not_pickled() -> None:
    assert repr(SIGNER) == "Signer('PeterNeumann')"
    with pytest.raises(TypeError):
        pickle.dumps(SIGNER)


def test_a_new_key_is_for_its_owner_only_and_is_never_put_over_another(tmp_path: Path) -> None:
    file = tmp_path / "gateway.key"
    verifier = write_new_key(file, "flows.example")
    assert file.stat().st_mode & 0o777 == 0o600
    assert read_key(file).verifier == verifier
    with pytest.raises(Unprovable, match="already"):
        write_new_key(file, "flows.example")
    assert read_key(file).verifier == verifier


@pytest.mark.parametrize(
    ("content", "clause"), [(None, "No such file"), (b"\xff", "UTF-8"), (b"", "not of the form")]
)
def test_a_key_file_that_holds_none_is_a_sentence(
    content: bytes | None, clause: str, tmp_path: Path
) -> None:
    file = tmp_path / "gateway.key"
    if content is not None:
        file.write_bytes(content)
    with pytest.raises(Unprovable, match=clause):
        read_key(file)


def test_bytes_that_are_no_text_are_no_note() -> None:
    assert open_note(b"\xff\n", [VERIFIER]) == BadNote("it is not text in UTF-8", is_readable=False)


@pytest.mark.parametrize("name", ["", "two words", "a+b", "a\nb", "x" * 201])
def test_a_key_has_a_name_that_notes_can_hold(name: str, tmp_path: Path) -> None:
    with pytest.raises(Unprovable, match="a key's name"):
        write_new_key(tmp_path / "gateway.key", name)
    assert list(tmp_path.iterdir()) == []


PRIME = 2**255 - 19
IDENTITY = bytes([1]) + bytes(31)
SMALL = [
    "0100000000000000000000000000000000000000000000000000000000000000",
    "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    "0000000000000000000000000000000000000000000000000000000000000080",
    "0000000000000000000000000000000000000000000000000000000000000000",
    "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
    "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa",
    "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
    "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc85",
]
"""The points whose order divides 8 (Chalkias, Garillot, Nikolaenko: Taming the many EdDSAs)."""
OTHER_FORMS = [
    *(y.to_bytes(32, "little").hex() for y in range(PRIME, 2**255)),
    *((y | 1 << 255).to_bytes(32, "little").hex() for y in (1, PRIME - 1, *range(PRIME, 2**255))),
]
"""What is not the one form of a point: y is not below the prime, or x is 0 and negative."""


@pytest.mark.parametrize("key", [*SMALL, *OTHER_FORMS])
def test_a_key_with_which_anybody_can_sign_is_refused(key: str) -> None:
    text = str(Verifier("weak", bytes.fromhex(key)))
    with pytest.raises(Unprovable, match="with which anybody can sign anything"):
        Verifier.parse(text)
    with pytest.raises(Wrong, match="with which anybody can sign anything"):
        PublicKey.parse(text)


def test_such_a_key_would_verify_any_text() -> None:
    for text in (b"one", b"another"):
        assert Verifier("weak", IDENTITY).verifies(text, IDENTITY + bytes(32))


def test_the_points_of_small_order_are_all_there_are() -> None:
    assert len({*map(_times_eight, SMALL)}) == 1
    assert len(SMALL) == 8


def _times_eight(text: str) -> tuple[int, int]:
    """Return eight times a point of the curve -x^2 + y^2 = 1 + d x^2 y^2 (RFC 8032 §5.1)."""
    d = -121665 * pow(121666, -1, PRIME) % PRIME
    octets = int.from_bytes(bytes.fromhex(text), "little")
    y, sign = octets & (2**255 - 1), octets >> 255
    square = (y * y - 1) * pow(d * y * y + 1, -1, PRIME) % PRIME
    x = pow(square, (PRIME + 3) // 8, PRIME)
    if x * x % PRIME != square:
        x = x * pow(2, (PRIME - 1) // 4, PRIME) % PRIME
    assert x * x % PRIME == square
    x = PRIME - x if x % 2 != sign else x
    for _ in range(3):
        both = d * x * x * y * y % PRIME
        x, y = (
            2 * x * y * pow(1 + both, -1, PRIME) % PRIME,
            (y * y + x * x) * pow(1 - both, -1, PRIME) % PRIME,
        )
    return x, y


ORDER = 2**252 + 27742317777372353535851937790883648493


def test_a_signature_has_one_form_only() -> None:
    signature = SIGNER.sign(b"text")
    r, s = signature[:32], int.from_bytes(signature[32:], "little")
    assert VERIFIER.verifies(b"text", signature)
    assert not VERIFIER.verifies(b"text", r + (s + ORDER).to_bytes(32, "little"))
    assert not VERIFIER.verifies(b"text", r[:31] + bytes([r[31] ^ 0x80]) + signature[32:])
    assert not VERIFIER.verifies(b"text", signature + b"\0")
    assert not VERIFIER.verifies(b"text", signature[:-1])
