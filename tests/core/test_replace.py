"""A flow with some fields replaced: like the library's, and the flow itself as it was."""

from __future__ import annotations

from typing import Any

import pytest
from attrs import asdict
from attrs import evolve as of_the_library
from hypothesis import given

from adapters.testing.strategies.flows import flows
from domain.flow.replace import replace
from domain.flow.state import Flow


@given(flows)
def test_it_is_what_the_library_makes_and_the_flow_stays_as_it_was(flow: Flow) -> None:
    before = asdict(flow, recurse=False)
    changed = replace(flow, version=flow.version + 1, goal="another")
    assert changed == of_the_library(flow, version=flow.version + 1, goal="another")
    assert hash(changed) == hash(of_the_library(flow, version=flow.version + 1, goal="another"))
    assert asdict(flow, recurse=False) == before


@given(flows)
def test_there_is_no_other_field(flow: Flow) -> None:
    unknown: dict[str, Any] = {"verzion": 1}
    with pytest.raises(TypeError, match="verzion"):
        replace(flow, **unknown)
