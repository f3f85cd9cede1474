"""The page Understand in a real browser: zoom, listen to a moment, open each panel."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from tests.app.stub import clip
from tests.e2e.browser import answer, settle, upload

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(300)]


@pytest.fixture
def track(page: Page) -> Page:
    """A track of 40 seconds, given on Classify and opened on Understand."""
    upload(page, name="song.wav", data=clip(40))
    answer(page, "song.wav")
    page.get_by_role("link", name="See its sound").click()
    # The whole track, the waveform and the mel-spectrogram.
    expect(page.locator(".nsewdrag")).to_have_count(3)
    settle(page)
    return page


def point(page: Page, share: float, *, chart: int = 0) -> tuple[float, float]:
    """A place in the waveform of the whole track, or in another chart."""
    area = page.locator(".nsewdrag").nth(chart)
    area.scroll_into_view_if_needed()
    box = area.bounding_box()
    assert box is not None
    return box["x"] + share * box["width"], box["y"] + box["height"] / 2


def drag(page: Page, start: float, end: float, *, chart: int = 0) -> None:
    page.mouse.move(*point(page, start, chart=chart))
    page.mouse.down()
    page.mouse.move(*point(page, end, chart=chart), steps=8)
    page.mouse.up()


def wait_until_plays(page: Page, start: float, end: float) -> None:
    """Wait until the player plays and stands between two seconds."""
    page.wait_for_function(
        """([start, end]) => {
            const player = document.querySelector('[data-testid=stAudio]');
            return !player.paused && player.currentTime > start && player.currentTime < end;
        }""",
        arg=[start, end],
    )


def test_in_every_chart_a_click_plays_a_line_moves_and_a_drag_zooms(track: Page) -> None:
    track.mouse.click(*point(track, 0.75))
    wait_until_plays(track, 30, 40)
    expect(track.locator(".songnet-cursor")).to_have_count(2)
    track.mouse.click(*point(track, 0.25, chart=2))
    wait_until_plays(track, 10, 30)
    box, first = track.locator(".songnet-cursor").first.bounding_box(), point(track, 0)
    assert box is not None
    assert first[0] < box["x"] < point(track, 0.75)[0]

    drag(track, 0.25, 0.5)
    expect(track.get_by_text("0:10 to 0:20.")).to_be_visible()
    expect(track.get_by_role("button", name="Whole track")).to_be_enabled()
    settle(track)
    drag(track, 0.4, 0.6, chart=2)
    expect(track.get_by_text("0:14 to 0:16.")).to_be_visible()
    settle(track)
    track.mouse.click(*point(track, 0.5, chart=1))
    wait_until_plays(track, 14.9, 40)


def test_every_panel_opens_and_the_page_does_not_scroll_sideways(track: Page) -> None:
    track.set_viewport_size({"width": 380, "height": 800})
    for name, shown in (
        ("Over time", "Mean and spread over the windows"),
        ("Why", "In time and frequency"),
        ("What if", "Change something above"),
    ):
        track.get_by_role("radio", name=name).click()
        expect(track.get_by_text(shown)).to_be_visible()
        settle(track)
        assert track.get_by_test_id("stMain").evaluate("e => e.scrollWidth <= e.clientWidth")
        expect(track.get_by_test_id("stException")).to_have_count(0)
