"""Explore in a real browser: choose, filter, select, hear, keep."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page

from songnet.inference.bundle import find_bundle
from songnet.inference.collection import write_collection
from tests.app.stub import clip
from tests.e2e.browser import PATIENCE_MS, serve_app, settle
from tests.inference.collections_stub import generated_collection

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(600)]
NAME = "Song number 77"


@pytest.fixture(scope="module")
def explored(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The app with one collection, whose track 77 can be heard."""
    if not (find_bundle() / "bundle.json").is_file():
        pytest.skip("there is no model in models/songnet")
    folder = tmp_path_factory.mktemp("explore")
    (folder / "seventy-seven.wav").write_bytes(clip(6))
    collection = generated_collection(300, root=folder)
    collection.frame.loc[77, "path"] = "seventy-seven.wav"
    write_collection(collection, folder / "built" / "mine" / "collection.parquet")
    with serve_app(
        SONGNET_COLLECTIONS=str(folder / "built"), SONGNET_CACHE=str(folder / "cache")
    ) as address:
        yield address


@pytest.fixture
def visit(browser: Browser, explored: str) -> Iterator[Page]:
    context = browser.new_context(viewport={"width": 1200, "height": 1000})
    page = context.new_page()
    page.set_default_timeout(PATIENCE_MS)
    page.goto(f"{explored}/explore")
    page.get_by_test_id("stDataFrame").wait_for()
    settle(page)
    yield page
    context.close()


def test_narrow_page_does_not_scroll_sideways(visit: Page) -> None:
    visit.set_viewport_size({"width": 380, "height": 800})
    settle(visit)
    assert visit.locator("html").evaluate("e => e.scrollWidth <= e.clientWidth")
