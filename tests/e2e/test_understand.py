"""The page Understand in a real browser: zoom, listen to a moment, open each panel."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from tests.app.stub import clip
from tests.e2e.browser import PATIENCE_MS, answer, settle, upload

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(300)]


@pytest.fixture
def track(page: Page) -> Page:
    """A track of 40 seconds, given on Classify and opened on Understand."""
    upload(page, name="song.wav", data=clip(40))
    answer(page, "song.wav")
    page.get_by_role("link", name="See its sound").click()
    # The whole track, the waveform and the mel-spectrogram.
    expect(page.locator(".nsewdrag")).to_have_count(3, timeout=PATIENCE_MS)
    settle(page)
    return page


def point(page: Page, share: float) -> tuple[float, float]:
    """A place in the waveform of the whole track."""
    box = page.locator(".nsewdrag").first.bounding_box()
    assert box is not None
    return box["x"] + share * box["width"], box["y"] + box["height"] / 2


def test_a_click_plays_and_a_drag_zooms(track: Page) -> None:
    track.mouse.click(*point(track, 0.75))
    track.wait_for_function("document.querySelector('[data-testid=stAudio]').currentTime > 25")
    settle(track)
    track.mouse.move(*point(track, 0.25))
    track.mouse.down()
    track.mouse.move(*point(track, 0.5), steps=8)
    track.mouse.up()
    expect(track.get_by_role("button", name="Whole track")).to_be_enabled(timeout=PATIENCE_MS)
    expect(track.get_by_text("0:10 to 0:20.")).to_be_visible(timeout=PATIENCE_MS)


def test_every_panel_opens_and_the_page_does_not_scroll_sideways(track: Page) -> None:
    track.set_viewport_size({"width": 380, "height": 800})
    for name, shown in (
        ("Over time", "Mean and spread over the windows"),
        ("Why", "In time and frequency"),
        ("What if", "Change something above"),
    ):
        track.get_by_role("radio", name=name).click()
        expect(track.get_by_text(shown)).to_be_visible(timeout=PATIENCE_MS)
        settle(track)
        assert track.get_by_test_id("stMain").evaluate("e => e.scrollWidth <= e.clientWidth")
        expect(track.get_by_test_id("stException")).to_have_count(0)
