"""A finger on a phone: drags scroll the page, taps choose."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from app.explore import VIEWS
from tests.app.stub import clip
from tests.e2e.browser import PATIENCE_MS, answer, open_app, settle, upload

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(300)]

PHONE = "Mozilla/5.0 (Linux; Android 16) AppleWebKit/537.36 Chrome/156.0 Mobile Safari/537.36"
# Of all that scrolls: which element does is Streamlit's choice.
SCROLLED = "() => [...document.querySelectorAll('*')].reduce((sum, e) => sum + e.scrollTop, 0)"


@pytest.fixture
def phone(browser: Browser, address: str) -> Iterator[Page]:
    context = browser.new_context(
        viewport={"width": 380, "height": 800}, has_touch=True, is_mobile=True, user_agent=PHONE
    )
    page = context.new_page()
    page.set_default_timeout(PATIENCE_MS)
    open_app(page, address)
    yield page
    context.close()


def drag_up(page: Page, x: float, y: float) -> None:
    session = page.context.new_cdp_session(page)
    touch = "Input.dispatchTouchEvent"
    session.send(touch, {"type": "touchStart", "touchPoints": [{"x": x, "y": y}]})
    for step in range(1, 16):
        session.send(touch, {"type": "touchMove", "touchPoints": [{"x": x, "y": y - 12 * step}]})
    session.send(touch, {"type": "touchEnd", "touchPoints": []})


def test_a_drag_over_the_charts_scrolls_the_page(phone: Page) -> None:
    upload(phone, name="song.wav", data=clip(20))
    answer(phone, "song.wav")
    settle(phone)
    charts = phone.locator(".js-plotly-plot")
    expect(charts).to_have_count(2)
    for chart in charts.all():
        chart.evaluate("e => e.scrollIntoView({block: 'center'})")
        box = chart.bounding_box()
        assert box is not None
        before = phone.evaluate(SCROLLED)
        drag_up(phone, box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
        phone.wait_for_function(f"({SCROLLED})() > {before + 50}")


def test_a_chosen_track_is_announced_where_it_is_out_of_sight(phone: Page, address: str) -> None:
    phone.goto(f"{address}/explore")
    table = phone.get_by_test_id("stDataFrame")
    table.wait_for()
    settle(phone)
    table.scroll_into_view_if_needed()
    box = table.bounding_box()
    assert box is not None
    phone.touchscreen.tap(box["x"] + 12, box["y"] + 52)  # the mark at the start of the first row
    expect(phone.get_by_text("The track is below the list.")).to_be_visible()


def test_no_view_is_cut_off(phone: Page, address: str) -> None:
    phone.goto(f"{address}/explore")
    views = phone.get_by_role("radiogroup", name="View")
    views.evaluate("e => e.scrollIntoView({block: 'center'})")
    for view in VIEWS:
        expect(views.get_by_role("radio", name=view)).to_be_in_viewport(ratio=0.99)
