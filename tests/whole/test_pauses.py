"""What a gateway was started with is not looked through again while it answers."""

from __future__ import annotations

from pathlib import Path

from tests.whole.gateway import RunningGateway

_AT_EXIT = """
import atexit, gc, pathlib
atexit.register(lambda: pathlib.Path({!r}).write_text(str(gc.get_freeze_count())))
"""


def test_what_a_gateway_starts_with_is_kept_from_the_collector(tmp_path: Path) -> None:
    count = tmp_path / "count"
    (tmp_path / "sitecustomize.py").write_text(_AT_EXIT.format(str(count)), encoding="utf-8")
    gateway = RunningGateway.of_contract(tmp_path)
    gateway.environment = {**gateway.environment, "PYTHONPATH": str(tmp_path)}
    with gateway:
        assert gateway.stop() == 0
    assert int(count.read_text(encoding="utf-8")) > 10_000
