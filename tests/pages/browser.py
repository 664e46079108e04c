"""The pages in a real browser: served over a socket, and driven as a reader would."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final, Literal

from attrs import Factory, define, frozen
from playwright.sync_api import Browser, Page, Request, sync_playwright

from tests.pages.workbench import PASSWORD, USER

CHROMIUM: Final = shutil.which("chromium")
_FLAGS: Final = (
    *("--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking"),
    *("--disable-component-update", "--disable-sync", "--no-first-run"),
)


@define
class Reading:
    """A page in a browser, and all that the browser had to say against it."""

    page: Page
    root: str
    complaints: list[str] = Factory(list)
    asked: list[str] = Factory(list)

    def open(self, path: str) -> Page:
        """Go to a page."""
        self.page.goto(self.root + path)
        return self.page


def _failure(request: Request) -> Iterator[str]:
    # An icon that still loads when the reader goes on is given up by the browser itself.
    if request.failure != "net::ERR_ABORTED":
        yield f"{request.url}: {request.failure}"


@frozen
class Reader:
    """Somebody with a browser, before a root address."""

    browser: Browser
    root: str

    @contextmanager
    def reading(
        self,
        *,
        scheme: Literal["light", "dark"] = "light",
        width: int = 1200,
        scripts: bool = True,
    ) -> Iterator[Reading]:
        """Open an empty window."""
        context = self.browser.new_context(
            http_credentials={"username": USER, "password": PASSWORD},
            color_scheme=scheme,
            viewport={"width": width, "height": 800},
            java_script_enabled=scripts,
        )
        reading = Reading(context.new_page(), self.root)
        page, complaints = reading.page, reading.complaints
        page.on("console", lambda message: complaints.append(message.text))
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("requestfailed", lambda request: complaints.extend(_failure(request)))
        page.on("request", lambda request: reading.asked.append(request.url))
        page.on("dialog", lambda dialog: complaints.append(f"dialog: {dialog.message}"))
        try:
            yield reading
        finally:
            context.close()


@contextmanager
def reader_of(root: str) -> Iterator[Reader]:
    """Start a browser."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=list(_FLAGS))
        try:
            yield Reader(browser, root)
        finally:
            browser.close()
