"""The benchmark of both stores runs, and its page can be written."""

from __future__ import annotations

import json
import shutil

import cattrs
import pytest

from bench.database_rates import DatabasesReport, markdown
from bench.databases import KEPT, measure_databases


@pytest.mark.full
@pytest.mark.skipif(shutil.which("cc") is None, reason="the load is in C")
def test_a_tiny_run_has_all_settings_and_the_kept_figures_are_shown() -> None:
    report = measure_databases(1, 0.05)
    settings = {(r.action, r.store, r.disk, r.gateways, r.connections) for r in report.rates}
    assert len(settings) == len(report.rates) == 55
    assert all(rate.per_second and rate.p50_ms for rate in report.rates)
    assert all(rate.server_us == 0 for rate in report.rates if rate.store == "SQLite")
    assert all(report.library.values())
    kept = cattrs.structure(json.loads((KEPT / "databases.json").read_text()), DatabasesReport)
    assert markdown(kept) in (KEPT / "README.md").read_text()
