from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.audit.checkpoint_text import checkpoint_text, parse_checkpoint
from domain.tlog.checkpoints import Checkpoint

CHECKPOINTS = st.builds(
    Checkpoint,
    origin=st.from_regex(r"[a-z./]{1,10}", fullmatch=True),
    size=st.integers(0, 10**18),
    root=st.binary(min_size=32, max_size=32),
)

ROOT = "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU="
EMPTY = bytes.fromhex("e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855")
TEXT = f"flows.example\n0\n{ROOT}\n"
PUBLISHED = "example.com/behind-the-sofa\n20852163\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n"
"""The example of C2SP tlog-checkpoint."""


def test_a_checkpoint_is_three_lines() -> None:
    checkpoint = Checkpoint(origin="flows.example", size=0, root=EMPTY, previous=EMPTY)
    assert checkpoint_text(checkpoint) == TEXT


def test_the_published_checkpoint_is_read_and_written_to_the_byte() -> None:
    read = parse_checkpoint(PUBLISHED)
    assert read is not None
    assert (read.origin, read.size) == ("example.com/behind-the-sofa", 20_852_163)
    assert checkpoint_text(read) == PUBLISHED


@given(CHECKPOINTS)
def test_a_checkpoint_reads_back(checkpoint: Checkpoint) -> None:
    assert parse_checkpoint(checkpoint_text(checkpoint)) == checkpoint


def test_what_release_0_1_wrote_is_read() -> None:
    old = f"{TEXT}time 2026-11-23T12:00:00.000Z\nprevious {ROOT}\n"
    expected = Checkpoint(origin="flows.example", size=0, root=EMPTY, previous=EMPTY)
    assert parse_checkpoint(old) == expected


@pytest.mark.parametrize("line", ["timely, previously", "time 25:00", "previous x", "previous"])
def test_extensions_of_others_are_not_looked_at(line: str) -> None:
    plain = Checkpoint(origin="flows.example", size=7, root=bytes(32))
    assert parse_checkpoint(f"{checkpoint_text(plain)}{line}\n") == plain


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
        TEXT.replace(ROOT, f"{ROOT[:-2]}V="),
        TEXT + "\n",
    ],
)
def test_what_is_no_checkpoint_is_none(text: str) -> None:
    assert parse_checkpoint(text) is None
