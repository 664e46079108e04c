"""What the pages compute is computed from the figures that are there."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from bench.capacity import COMMAND, PRODUCTION, SCALE, inputs, most, scale, simulate, sizing

STALE = "run `python -m bench.capacity --write-page`, and read whether the text still fits"


def _between(page: Path, name: str) -> str:
    text = page.read_text(encoding="utf-8")
    return text.partition(f"<!-- {name} -->\n\n")[2].partition(f"\n<!-- /{name} -->")[0]


def test_the_sizes_are_those_of_the_benchmark() -> None:
    assert _between(PRODUCTION, "sizing") == sizing(), STALE


def test_the_page_on_scale_says_what_it_is_computed_from_and_quotes_no_figure_beside_it() -> None:
    assert _between(SCALE, "inputs") == inputs(), STALE
    prose = re.sub(r"<!-- (\w+) -->.*<!-- /\1 -->", "", SCALE.read_text("utf-8"), flags=re.DOTALL)
    assert (
        re.findall(r"[\d,.]*\d ?(?:µs|ms|MB|kB|Mbit|/s|a second|changes|times|minutes)", prose)
        == []
    )


@pytest.mark.full
def test_the_page_on_scale_has_what_is_computed() -> None:
    assert _between(SCALE, "scale") == scale(), STALE


def test_a_queue_carries_what_comes_and_no_more_than_its_row_allows() -> None:
    light = simulate(10, 100)
    assert light.per_second == pytest.approx(100, rel=0.05)
    assert light.batch < 1.2
    heavy = simulate(1, 3 / COMMAND, seconds=2.0)
    assert heavy.per_second < 1 / COMMAND
    assert heavy.batch > 60


def test_more_gateways_on_a_shard_carry_less_in_good_time() -> None:
    assert most(1) > most(20) > most(100)
