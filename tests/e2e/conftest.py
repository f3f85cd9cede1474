"""One server and one browser for all end-to-end tests."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, Playwright, expect, sync_playwright

from songnet.inference.bundle import find_bundle
from tests.app.stub import clip
from tests.e2e.browser import CHROMIUM, PATIENCE_MS, launch, open_app, serve_app


@pytest.fixture(scope="session")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    if not (find_bundle() / "bundle.json").is_file():
        pytest.skip("there is no model in models/songnet")
    cache = str(tmp_path_factory.mktemp("cache"))
    with serve_app(SONGNET_CACHE=cache, SONGNET_EXAMPLES_URL="http://127.0.0.1:9/") as address:
        yield address


@pytest.fixture(scope="session")
def playwright() -> Iterator[Playwright]:
    """One for all browsers: a thread can have no second."""
    if not (Path(CHROMIUM).is_file() or shutil.which(CHROMIUM)):
        pytest.skip(f"there is no browser at {CHROMIUM}; the variable CHROMIUM names another")
    with sync_playwright() as playwright:
        expect.set_options(timeout=PATIENCE_MS)
        yield playwright


@pytest.fixture(scope="session")
def browser(playwright: Playwright, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    heard = tmp_path_factory.mktemp("microphone") / "clip.wav"
    heard.write_bytes(clip(10))
    browser = launch(
        playwright,
        "--use-fake-ui-for-media-stream",
        "--use-fake-device-for-media-stream",
        f"--use-file-for-fake-audio-capture={heard}",
        "--autoplay-policy=no-user-gesture-required",
    )
    yield browser
    browser.close()


@pytest.fixture
def page(browser: Browser, address: str) -> Iterator[Page]:
    """A first visit in a light browser, with a clean end: no error in the console."""
    context = browser.new_context(viewport={"width": 1200, "height": 900}, color_scheme="light")
    page = context.new_page()
    faults: list[str] = []
    page.on("pageerror", lambda error: faults.append(str(error)))
    open_app(page, address)
    yield page
    context.close()
    assert faults == []


@pytest.fixture
def corpus_clip(corpus_root: Path) -> Path:
    """A track of the corpus."""
    return min((corpus_root / "originals").glob("*.mp3"))
