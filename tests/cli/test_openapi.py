"""`taskflow openapi`: the document, printed or written whole."""

from __future__ import annotations

import json
from pathlib import Path

from adapters.cli import Dependencies
from adapters.webhooks.openapi.document import openapi_document
from tests.cli.workbench import taskflow


def test_the_document_is_printed(tools: Dependencies) -> None:
    ran = taskflow(tools, "openapi")
    assert (ran.code, ran.err) == (0, "")
    assert json.loads(ran.out) == openapi_document()


def test_what_is_written_is_what_is_printed(tools: Dependencies, tmp_path: Path) -> None:
    file = tmp_path / "openapi.json"
    assert taskflow(tools, "openapi", "--output", str(file)).code == 0
    assert file.read_text("utf-8") == taskflow(tools, "openapi").out


def test_a_file_is_replaced_only_by_force(tools: Dependencies, tmp_path: Path) -> None:
    file = tmp_path / "openapi.json"
    file.write_text("mine", encoding="utf-8")
    ran = taskflow(tools, "openapi", "--output", str(file))
    assert (ran.code, file.read_text("utf-8")) == (2, "mine")
    assert ran.err == f"taskflow: {file} exists already; --force replaces it\n"
    assert taskflow(tools, "openapi", "--output", str(file), "--force").code == 0
    assert file.read_text("utf-8").startswith("{")
