"""What only a browser can tell: keys, contrast, narrow screens, and what it blocks."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Final, Literal

import pytest
from playwright.sync_api import Page

from tests.pages.browser import CHROMIUM, Reader, reader_of
from tests.pages.seeds import Seeds, Sown
from tests.pages.workbench import desk_over
from tests.server.running import serving

pytestmark = [
    pytest.mark.full,
    pytest.mark.skipif(CHROMIUM is None, reason="needs chromium: python -m tests.whole.install"),
]

CONTRAST: Final = (Path(__file__).parent / "contrast.js").read_text(encoding="utf-8")
PATHS: Final = (
    "/",
    "/?q=the",
    "/?q=nothing+like+it",
    "/flows/{busy}",
    "/flows/{busy}?at=8",
    "/flows/{failed}",
    "/flows/{hostile}",
    "/flows/{long}",
    "/flows/{pending}",
    "/flows/{single}",
    "/refusals",
    "/proofs/{busy}?at=8",
    "/proofs/{pending}?at=1",
    "/health",
)
REFUSED: Final = ("/nowhere", "/?since=soon&until=never", "/flows/none")

FOCUS: Final = """() => {
  const style = getComputedStyle(document.activeElement);
  const box = document.activeElement.getBoundingClientRect();
  return {
    text: document.activeElement.textContent.trim().slice(0, 60),
    ring: style.outlineStyle !== "none" && parseFloat(style.outlineWidth) >= 2,
    inView: box.width > 0 && box.right > 0 && box.bottom > 0 && box.left < innerWidth,
  };
}"""


@pytest.fixture(scope="module")
def reader(sown: Sown) -> Iterator[Reader]:
    """Somebody with a browser, before the pages over the store that was sown."""
    with desk_over(sown) as desk, serving(desk.app) as running:
        host, port = running.address
        with reader_of(f"http://{host}:{port}") as reader:
            yield reader


def paths(seeds: Seeds, *patterns: str) -> list[str]:
    """Return the addresses that some patterns mean."""
    ids = {name: getattr(seeds, name) for name in type(seeds).__annotations__}
    return [pattern.format(**ids) for pattern in patterns]


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_all_text_can_be_read(
    reader: Reader, seeds: Seeds, scheme: Literal["light", "dark"]
) -> None:
    with reader.reading(scheme=scheme) as reading:
        for path in paths(seeds, *PATHS, *REFUSED):
            found = reading.open(path).evaluate(CONTRAST)
            assert found["faults"] == [], path
            assert found["count"] > 5


def test_a_faint_text_would_be_found(reader: Reader) -> None:
    with reader.reading() as reading:
        page = reading.open("/")
        page.evaluate("document.querySelector('h1').style.setProperty('color', '#c9c9c9')")
        faults = page.evaluate(CONTRAST)["faults"]
    assert [fault.split()[1:] for fault in faults] == [["H1", "Flows"]]


def test_the_browser_has_nothing_to_say_against_a_page(reader: Reader, seeds: Seeds) -> None:
    with reader.reading() as reading:
        for path in paths(seeds, *PATHS):
            reading.open(path)
        assert reading.complaints == []
        assert {url for url in reading.asked if not url.startswith(reader.root)} == set()


def test_no_script_runs_even_if_one_got_in(reader: Reader) -> None:
    with reader.reading() as reading:
        ran = reading.open("/").evaluate(
            """() => {
              const script = document.createElement("script");
              script.textContent = "window.ran = true";
              document.body.append(script);
              document.body.insertAdjacentHTML("beforeend", "<img src=x onerror='window.ran=1'>");
              return window.ran === undefined;
            }"""
        )
        assert ran
        assert any("Content Security Policy" in said for said in reading.complaints)


@pytest.mark.parametrize("width", [360, 768])
def test_a_narrow_screen_needs_no_sideways_scrolling(
    reader: Reader, seeds: Seeds, width: int
) -> None:
    with reader.reading(width=width) as reading:
        for path in paths(seeds, *PATHS, *REFUSED):
            page = reading.open(path)
            assert page.evaluate("document.documentElement.scrollWidth") <= width, path


def test_everything_works_without_scripts(reader: Reader, seeds: Seeds) -> None:
    with reader.reading(scripts=False) as reading:
        page = reading.open("/")
        page.get_by_label("Text of the goal").fill("invoices")
        page.get_by_label("Status").select_option("succeeded")
        page.get_by_role("button", name="Find").click()
        page.get_by_role("link", name="Reconcile the invoices").click()
        page.locator("a[rel=prev]").click()
        assert page.url.endswith(f"{seeds.busy}?at=12")
        page.locator("svg a").nth(3).click()
        assert page.url.endswith(f"{seeds.busy}?at=6#v6")
        page.get_by_role("link", name="Refusals", exact=True).click()
        assert page.url.endswith("/refusals")


def test_the_keyboard_is_enough(reader: Reader, seeds: Seeds) -> None:
    with reader.reading() as reading:
        page = reading.open("/")
        assert _tab(page) == "Skip to the content"
        page.keyboard.press("Enter")
        _tab(page)
        page.keyboard.type("invoices")
        page.keyboard.press("Enter")
        _tab_to(page, "Reconcile the invoices")
        page.keyboard.press("Enter")
        page.wait_for_url(f"**/flows/{seeds.busy}")
        _tab_to(page, "Version 12")
        page.keyboard.press("Enter")
        page.wait_for_url("**?at=12")
        _tab_to(page, "As it is now")


def _tab(page: Page) -> str:
    """Press Tab, and return the text of what has the focus now, which must be seen."""
    page.keyboard.press("Tab")
    focus = page.evaluate(FOCUS)
    assert focus["ring"], focus
    assert focus["inView"], focus
    return str(focus["text"])


def _tab_to(page: Page, text: str) -> None:
    page.locator("body").focus()
    for _ in range(60):
        if text in _tab(page):
            return
    pytest.fail(f"{text} is out of the keyboard's reach")


def test_a_printed_page_has_no_controls(reader: Reader, seeds: Seeds) -> None:
    with reader.reading() as reading:
        page = reading.open(f"/flows/{seeds.busy}")
        page.emulate_media(media="print")
        assert not page.get_by_role("link", name="Refusals", exact=True).is_visible()
        assert page.get_by_role("heading", name="What happened").is_visible()
        assert page.pdf().startswith(b"%PDF")
