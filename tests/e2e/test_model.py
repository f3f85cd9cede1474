"""The Model page in a real browser: narrow, through its views."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page

from tests.e2e.browser import PATIENCE_MS, settle

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(600)]


def test_the_model_can_be_read_on_a_telephone(page: Page, address: str) -> None:
    page.set_default_timeout(PATIENCE_MS)
    page.set_viewport_size({"width": 380, "height": 800})
    page.goto(f"{address}/model")
    page.get_by_role("heading", name="How good it is").wait_for()
    main = page.get_by_test_id("stMain")
    assert main.evaluate("e => e.scrollWidth <= e.clientWidth")
    for view, heading in (("Results", "Classification report"), ("Calibration", "as it is right")):
        page.get_by_role("radio", name=view).click()
        page.get_by_role("heading", name=heading).wait_for()
        page.locator(".js-plotly-plot").first.wait_for()
        settle(page)
        assert main.evaluate("e => e.scrollWidth <= e.clientWidth")
