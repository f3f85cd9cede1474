"""Explore in a real browser: choose, filter, select, hear, keep."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

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


def test_search_select_play_and_download(visit: Page) -> None:
    search = visit.get_by_placeholder("Search title, artist and album")
    search.fill("number 77 Album 0")  # 177 and 277 are on other albums
    search.press("Enter")
    expect(visit.get_by_text("1 of 300 tracks")).to_be_visible()
    settle(visit)
    with visit.expect_download() as download:
        visit.get_by_role("button", name="1 track (CSV)").click()
    rows = list(csv.DictReader(io.StringIO(Path(download.value.path()).read_text("utf-8"))))
    assert [row["title"] for row in rows] == [NAME]
    box = visit.get_by_test_id("stDataFrame").bounding_box()
    assert box is not None
    visit.mouse.click(box["x"] + 12, box["y"] + 52)  # the mark at the start of the first row
    visit.get_by_role("heading", name=NAME).wait_for()
    player = visit.get_by_test_id("stAudio")
    player.wait_for()
    assert player.evaluate("async e => { await e.play(); return e.duration }") == pytest.approx(
        6, abs=0.2
    )
    expect(visit.get_by_test_id("neighbours")).to_be_visible()
    expect(visit.get_by_test_id("stException")).to_have_count(0)


def test_a_point_of_the_map_is_a_track(visit: Page) -> None:
    visit.get_by_text("Map", exact=True).click()
    charts = visit.locator(".js-plotly-plot .nsewdrag")
    expect(charts).to_have_count(3)  # genres, years, map
    settle(visit)
    chart = visit.locator(".js-plotly-plot").last
    # Where the first point of the first genre is drawn, and whose it is.
    place = chart.evaluate(
        """plot => {
          const {xaxis, yaxis, _size} = plot._fullLayout, trace = plot._fullData[0];
          const box = plot.getBoundingClientRect();
          return {row: trace.customdata[0],
                  x: box.x + _size.l + xaxis.c2p(trace.x[0]),
                  y: box.y + _size.t + yaxis.c2p(trace.y[0])};
        }"""
    )
    visit.mouse.move(place["x"] - 3, place["y"])
    visit.mouse.move(place["x"], place["y"])
    visit.mouse.click(place["x"], place["y"])
    expect(visit.get_by_role("button", name="Close")).to_be_visible()
    expect(visit.get_by_role("heading", level=3)).to_contain_text("Song number")


def test_narrow_page_does_not_scroll_sideways(visit: Page) -> None:
    visit.set_viewport_size({"width": 380, "height": 800})
    settle(visit)
    assert visit.get_by_test_id("stMain").evaluate("e => e.scrollWidth <= e.clientWidth")
