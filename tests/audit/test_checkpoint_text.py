from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.audit.checkpoint_text import checkpoint_text, parse_checkpoint
from domain.audit.checkpoints import Checkpoint

HASHES = st.binary(min_size=32, max_size=32)
CHECKPOINTS = st.builds(
    Checkpoint,
    origin=st.from_regex(r"[a-z./]{1,10}", fullmatch=True),
    size=st.integers(0, 10**18),
    root=HASHES,
    at=st.none() | st.integers(0, 250_000_000_000_000),
    previous=st.none() | HASHES,
)

ROOT = "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU="
TEXT = (
    f"flows.example\n0\n{ROOT}\ntime 2026-11-23T12:00:00.000Z\n"
    "previous 47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\n"
)


def test_a_checkpoint_is_written_line_by_line() -> None:
    empty = bytes.fromhex("e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855")
    checkpoint = Checkpoint(
        origin="flows.example", size=0, root=empty, at=1_795_435_200_000, previous=empty
    )
    assert checkpoint_text(checkpoint) == TEXT


@given(CHECKPOINTS)
def test_a_checkpoint_reads_back(checkpoint: Checkpoint) -> None:
    assert parse_checkpoint(checkpoint_text(checkpoint)) == checkpoint


def test_extensions_of_others_are_not_looked_at() -> None:
    plain = Checkpoint(origin="flows.example", size=7, root=bytes(32))
    assert parse_checkpoint(checkpoint_text(plain) + "timely, previously\n") == plain


@pytest.mark.parametrize(
    "text",
    [
        "",
        "flows.example\n0\n",
        TEXT.replace("flows.example", ""),
        TEXT.replace("\n0\n", "\n00\n"),
        TEXT.replace("\n0\n", "\n-1\n"),
        TEXT.replace("\n0\n", "\n0x1\n"),
        TEXT.replace("\n0\n", "\n\u0661\n"),
        TEXT.replace(ROOT, ROOT[4:]),
        TEXT.replace(f"{ROOT}\ntime", f"{ROOT[:-2]}V=\ntime"),
        TEXT.replace("12:00", "25:00"),
        TEXT.replace(".000Z", "Z"),
        TEXT.replace("previous ", "previous x"),
        TEXT + "time 2026-11-23T12:00:00.000Z\n",
        TEXT + "\n",
    ],
)
def test_what_is_no_checkpoint_is_none(text: str) -> None:
    assert parse_checkpoint(text) is None
