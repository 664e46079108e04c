"""The documentation names nothing that is not there, in words that a newcomer knows."""

from __future__ import annotations

import re
import subprocess
from collections import Counter
from pathlib import Path

import pytest
from attrs import fields

from adapters.settings import CheckpointsConfig, SharedLimitsConfig
from adapters.settings.gateway_config import AdminConfig, ChildrenConfig, LogConfig, ServerConfig
from adapters.settings.pages import PagesConfig
from domain.application.limits import Limits
from domain.history.published import public_name
from tests.test_architecture import BELOW, house

ROOT = Path(__file__).parent.parent
ADRS = sorted((ROOT / "docs" / "adr").glob("[0-9]*.md"))
PAGES = [*sorted(ROOT.glob("*.md")), *sorted((ROOT / "docs").rglob("*.md"))]
README = (ROOT / "README.md").read_text(encoding="utf-8")
SETTINGS = (
    *(ServerConfig, AdminConfig, ChildrenConfig, LogConfig, PagesConfig, CheckpointsConfig),
    *(Limits, SharedLimitsConfig),
)
PLAIN = [page for page in PAGES if page not in ADRS and page.name != "testing.md"]
"""The pages in plain words; what was decided once is not rewritten."""
DIALECT = re.compile(r"\b(told|heard|meant|mend(?:ed)?|at hand|spoilt|brings? about)\b")


def links(page: Path) -> set[tuple[str, str]]:
    """Return the paths, with an anchor or none, that a page links to."""
    return set(re.findall(r"\]\((?!http)([\w./-]*)#?([\w-]*)\)", page.read_text("utf-8")))


def anchors(page: Path) -> set[str]:
    """Return the anchors of a page's headings, as GitHub makes them."""
    headings = re.findall(r"^#+ (.+)$", page.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_path_that_a_page_names_exists(page: Path) -> None:
    code = re.findall(
        r"`((?:tests|adapters|domain|docs|bench|examples)/[\w./-]*)`", page.read_text("utf-8")
    )
    missing = {path for path in code if not (ROOT / path).exists()}
    assert missing == set()


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_link_leads_somewhere(page: Path) -> None:
    targets = {(page.parent / path if path else page, anchor) for path, anchor in links(page)}
    assert {target for target, _ in targets if not target.exists()} == set()
    assert {to for to in targets if to[1] and to[1] not in anchors(to[0])} == set()


@pytest.mark.parametrize("page", PLAIN, ids=lambda page: str(page.relative_to(ROOT)))
def test_a_page_is_written_in_plain_words(page: Path) -> None:
    prose = re.sub(r"```.*?```", "", page.read_text(encoding="utf-8"), flags=re.DOTALL)
    assert DIALECT.findall(prose) == []


@pytest.mark.parametrize("name", ["operating.md", "production.md"])
def test_a_command_that_no_test_runs_says_so(name: str) -> None:
    """Those in `sh` blocks are run by `tests/whole/test_operating_page.py`."""
    text = (ROOT / "docs" / name).read_text(encoding="utf-8")
    blocks = re.findall(r"((?:.+\n)+)\n```(?:bash|console|shell)\n", text)
    assert len(blocks) == len(re.findall(r"^```(?:bash|console|shell)$", text, re.MULTILINE)) > 0
    assert [above for above in blocks if "not run here" not in above] == []


def test_the_code_is_written_in_plain_words() -> None:
    sources = [file for top in ("domain", "adapters") for file in (ROOT / top).rglob("*.*")]
    texts = {file: file.read_text("utf-8") for file in sources if file.suffix in {".py", ".html"}}
    found = {str(file): DIALECT.findall(text) for file, text in texts.items()}
    assert {file: words for file, words in found.items() if words} == {}


def test_a_newcomer_reads_the_readme_in_one_sitting_and_the_glossary_first() -> None:
    assert len(README.splitlines()) <= 240
    assert re.findall(r"\]\((?!http)([^)]+)\)", README)[0] == "docs/glossary.md"


def test_the_glossary_defines_each_term_once() -> None:
    text = (ROOT / "docs" / "glossary.md").read_text(encoding="utf-8")
    rows = [row.split(" | ")[0] for row in text.splitlines() if row.startswith("| **")]
    terms = Counter(term for row in rows for term in re.findall(r"\*\*(.+?)\*\*", row))
    assert terms
    assert [term for term, times in terms.items() if times > 1] == []


def test_the_readme_shows_the_first_request_that_make_run_prints() -> None:
    shown = (ROOT / "examples" / "first-request.sh").read_text(encoding="utf-8")
    assert f"```sh\n{shown.strip()}\n```" in README


def test_the_example_and_the_page_for_operators_have_every_setting() -> None:
    example = (ROOT / "examples" / "gateway.json5").read_text(encoding="utf-8")
    page = (ROOT / "docs" / "operating.md").read_text(encoding="utf-8")
    table = page.split("\n## Settings\n")[1].split("\n## ")[0]
    block = example.partition("  taskflow: {")[2]
    keys = re.findall(r"(?:^ +(?:// )?|[{,] )(\w+): ", block, re.MULTILINE)
    sections = {"store", "server", "limits", "children", "log", "audit", "pages", "shared"}
    shown = set(keys) - sections - {"source", "provider", "id"}
    read = {public_name(one.name) for kind in SETTINGS for one in fields(kind)}
    assert read - shown == {"file", "shard"}  # no settings: made of `checkpoints` and `shards`
    assert [key for key in sorted(shown) if not re.search(rf"[.`]{key}`", table)] == []


def test_the_readme_maps_every_room() -> None:
    house_map = README.split("## The map\n\n```\n")[1].split("```")[0]
    mapped = re.findall(r"^  (\w+)/|(?<=/  )(\w+)/", house_map, re.MULTILINE)
    tops = (ROOT / "domain", ROOT / "adapters")
    rooms = [file.parent.name for top in tops for file in top.glob("*/__init__.py")]
    assert sorted("".join(names) for names in mapped) == sorted(rooms)


def test_the_readme_draws_the_imports_of_the_domain() -> None:
    drawn = set(re.findall(r"^    (\w+) --> (\w+)$", README, re.MULTILINE))
    imports = {
        (module.name.split(".")[1], target.split(".")[1])
        for module in house(ROOT).values()
        for target in module.imports
        if module.name.startswith("domain.") and target.startswith("domain.")
    }
    assert {arrow for arrow in drawn if set(arrow) <= BELOW.keys()} == {
        (here, there) for here, there in imports if here != there
    }


def test_the_readme_has_the_figures_that_were_measured() -> None:
    speed = README.partition("<!-- speed -->")[2].partition("<!-- /speed -->")[0]
    measured = (ROOT / "docs" / "benchmarks" / "README.md").read_text(encoding="utf-8")
    figures = re.findall(r"\d[\d,.]*\d", re.sub(r"\d{4}-\d\d-\d\d", "", speed))
    assert len(figures) > 3
    assert [figure for figure in figures if figure not in measured] == []


@pytest.mark.parametrize("adr", ADRS, ids=lambda adr: adr.stem)
def test_a_decision_is_short_and_says_what_it_costs(adr: Path) -> None:
    text = adr.read_text(encoding="utf-8")
    assert 120 <= len(text.split()) <= 260
    headings = ("Context", "Decision", "Alternatives", "Consequences", "Confirmed by")
    assert [word for word in headings if f"**{word}" not in text] == []


def test_decisions_are_numbered_without_gaps_and_all_are_listed() -> None:
    titles = {adr.name: adr.read_text(encoding="utf-8").splitlines()[0] for adr in ADRS}
    assert [int(name[:4]) for name in titles] == list(range(1, len(titles) + 1))
    assert [
        name for name, title in titles.items() if not title.startswith(f"# {int(name[:4])}. ")
    ] == []
    listed = (ROOT / "docs" / "adr" / "README.md").read_text(encoding="utf-8").splitlines()
    wanted = [f"- [{title.removeprefix('# ')}]({name})" for name, title in titles.items()]
    stale = "docs/adr/README.md is out of date: run `make docs` and commit what it writes"
    assert [line for line in listed if line.startswith("- ")] == wanted, stale


def test_nothing_names_the_machine_it_was_written_on() -> None:
    listed = subprocess.run(
        ["git", "grep", "-lE", "(^|[^a-z])/work/(main|shared|\\.library)"],  # noqa: S607 - git
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    ).stdout.split()
    assert [name for name in listed if name != "tests/test_documentation.py"] == []
