"""The history and the report in a real browser, with a database behind them."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from songnet.inference.bundle import find_bundle
from tests.app.stub import clip
from tests.e2e.browser import answer, open_app, serve_app, settle, upload

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(600)]
NO_SCROLL = "e => e.scrollWidth <= e.clientWidth"


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    if not (find_bundle() / "bundle.json").is_file():
        pytest.skip("there is no model in models/songnet")
    folder = tmp_path_factory.mktemp("history")
    with serve_app(
        SONGNET_CACHE=str(folder), SONGNET_HISTORY=f"sqlite:///{folder}/history.db"
    ) as address:
        yield address


def open_history(page: Page, address: str) -> None:
    page.goto(f"{address}/history")
    page.get_by_label("Search in names, tags and genres").wait_for()
    settle(page)


def choose_genre(page: Page, genre: str) -> None:
    box = page.get_by_test_id("stSelectbox").first.get_by_role("combobox")
    box.click()
    box.fill(genre)
    box.press("Enter")


def test_classify_correct_search_delete_undo_and_export(page: Page, address: str) -> None:
    for name, hz in (("first.wav", 300), ("second.wav", 900)):
        upload(page, name=name, data=clip(4, hz=hz))
        answer(page, name)
    choose_genre(page, "Jazz")
    expect(page.get_by_test_id("history")).to_contain_text("you")

    # A reload ends the session; the database and the cookie remain.
    open_history(page, address)
    expect(page.get_by_text("second.wav", exact=True)).to_be_visible()
    search = page.get_by_label("Search in names, tags and genres")
    search.fill("FIRST")
    search.press("Enter")
    expect(page.get_by_text("second.wav", exact=True)).to_have_count(0)
    entry = page.locator("[class*=st-key-record-]").filter(has_text="first.wav")
    entry.get_by_role("button", name="Delete").click()
    expect(page.get_by_text("Nothing matches")).to_be_visible()
    page.get_by_role("button", name="Undo").click()
    expect(page.get_by_text("first.wav", exact=True)).to_be_visible()
    search.fill("")
    search.press("Enter")
    expect(page.get_by_text("second.wav", exact=True)).to_be_visible()
    settle(page)
    with page.expect_download() as download:
        page.get_by_role("button", name="(CSV)").click()
    rows = list(csv.DictReader(io.StringIO(download.value.path().read_text("utf-8"))))
    assert [(row["name"], row["corrected_genre"]) for row in rows] == [
        ("second.wav", "Jazz"),
        ("first.wav", ""),
    ]


def test_another_browser_sees_nothing_of_it(page: Page, browser: Browser, address: str) -> None:
    upload(page, name="private.wav", data=clip(4, hz=500))
    answer(page, "private.wav")
    open_history(page, address)
    expect(page.get_by_text("private.wav", exact=True)).to_be_visible()
    other = browser.new_context()
    stranger = other.new_page()
    open_app(stranger, address)
    open_history(stranger, address)
    expect(stranger.get_by_text("Nothing here yet")).to_be_visible()
    other.close()


@pytest.mark.parametrize(("scheme", "width"), [("light", 1100), ("dark", 380)])
def test_report_opens_by_itself(
    page: Page, browser: Browser, tmp_path: Path, scheme: str, width: int
) -> None:
    upload(page, name="My song.wav", data=clip(30))
    genre = answer(page, "My song.wav").get_by_test_id("genre").inner_text()
    with page.expect_download() as download:
        page.get_by_role("button", name="Report (HTML)").click()
    assert download.value.suggested_filename == "My-song-report.html"
    file = tmp_path / "report.html"
    download.value.save_as(file)

    context = browser.new_context(
        offline=True,
        color_scheme="dark" if scheme == "dark" else "light",
        viewport={"width": width, "height": 900},
    )
    report = context.new_page()
    faults: list[str] = []
    report.on("pageerror", lambda error: faults.append(str(error)))
    report.on("console", lambda said: faults.append(said.text) if said.type == "error" else None)
    report.goto(file.as_uri())
    expect(report.get_by_text(genre).first).to_be_visible()
    expect(report.locator(".main-svg").first).to_be_visible()
    assert report.locator(":root").evaluate(NO_SCROLL)
    assert faults == []
    context.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_nothing_is_cut_on_a_phone(browser: Browser, address: str, scheme: str) -> None:
    context = browser.new_context(
        viewport={"width": 380, "height": 800},
        color_scheme="dark" if scheme == "dark" else "light",
    )
    page = context.new_page()
    open_app(page, address)
    upload(page, name="a rather long name of a song, as phones give them.wav", data=clip(4))
    answer(page, "a rather long name")
    open_history(page, address)
    expect(page.get_by_text("a rather long name").first).to_be_visible()
    assert page.get_by_test_id("stMain").evaluate(NO_SCROLL)
    context.close()
