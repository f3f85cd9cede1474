"""Several files at once in a real browser."""

from __future__ import annotations

import csv
import io
import json

import pytest
from playwright.sync_api import Page, expect

from tests.app.stub import clip
from tests.e2e.browser import answer, settle

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(300)]

NO_SCROLL = "e => e.scrollWidth <= e.clientWidth"


def test_several_files_are_classified_kept_removed_and_opened(page: Page) -> None:
    files = {"low.wav": clip(6), "bad.mp3": b"These are words. " * 50, "high.wav": clip(8, hz=900)}
    page.locator('[data-testid="stFileUploader"] input').set_input_files(
        [
            {"name": name, "mimeType": "application/octet-stream", "buffer": data}
            for name, data in files.items()
        ]
    )
    table = page.get_by_test_id("batch")
    expect(page.get_by_role("button", name="3 results (CSV)")).to_be_visible()
    settle(page)
    expect(table.locator("tbody tr")).to_have_count(3)
    expect(table).not_to_contain_text("waiting")
    expect(table.locator("tr", has_text="bad.mp3")).to_contain_text("not audio")
    expect(table.locator("tr", has_text="high.wav")).to_contain_text("0:08")

    with page.expect_download() as download:
        page.get_by_role("button", name="3 results (JSON)").click()
    results = json.loads(download.value.path().read_text("utf-8"))
    with page.expect_download() as download:
        page.get_by_role("button", name="3 results (CSV)").click()
    rows = list(csv.DictReader(io.StringIO(download.value.path().read_text("utf-8"))))
    assert [row["file"] for row in rows] == [row["file"] for row in results]
    assert {row["file"] for row in rows} == set(files)

    chip = page.get_by_test_id("stFileChip").filter(has_text="bad.mp3")
    chip.get_by_test_id("stFileChipDeleteBtn").get_by_role("button").click()
    expect(table.locator("tbody tr")).to_have_count(2)
    expect(table).not_to_contain_text("bad.mp3")
    settle(page)
    page.get_by_role("button", name="Open this file").click()
    answer(page, rows[0]["file"])
    page.get_by_role("button", name="All 2 files").click()
    expect(table.locator("tbody tr")).to_have_count(2)
    settle(page)
    page.set_viewport_size({"width": 380, "height": 800})
    assert page.get_by_test_id("stMain").evaluate(NO_SCROLL)
