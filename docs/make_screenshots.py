"""Make the pictures of the app in docs/images.

Starts the app, gives it a song and photographs the result: light, dark and as
narrow as a phone. The song is a generated one, or the track that
SONGNET_SCREENSHOT_TRACK names.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from playwright.sync_api import Browser, Page, sync_playwright

from tests.app.stub import clip
from tests.e2e.browser import answer, launch, open_app, serve_app, settle, upload

IMAGES = Path(__file__).parent / "images"


@dataclass(frozen=True)
class View:
    """How one picture is taken."""

    name: str
    width: int
    color_scheme: str


VIEWS = (
    View("classify-light", 1100, "light"),
    View("classify-dark", 1100, "dark"),
    View("classify-narrow", 380, "light"),
)


def find_song() -> tuple[str, bytes]:
    """Return the name and the bytes of the song in the pictures."""
    track = os.environ.get("SONGNET_SCREENSHOT_TRACK")
    return ("song.mp3", Path(track).read_bytes()) if track else ("song.wav", clip(60))


def show_all(page: Page, width: int) -> None:
    """Make the window as high as the page, so that one picture holds it."""
    height = page.get_by_test_id("stMain").evaluate("e => e.scrollHeight")
    page.set_viewport_size({"width": width, "height": height})
    settle(page)
    # Charts are drawn again after a change of size: two frames, then all is still.
    page.evaluate("() => new Promise(r => requestAnimationFrame(() => requestAnimationFrame(r)))")


def photograph(browser: Browser, address: str, view: View, song: tuple[str, bytes]) -> Path:
    """Take one picture of the result of the song."""
    context = browser.new_context(
        viewport={"width": view.width, "height": 900},
        color_scheme=view.color_scheme,
        device_scale_factor=1.5,
    )
    page = context.new_page()
    open_app(page, address)
    name, data = song
    upload(page, name=name, data=data)
    answer(page, name)
    page.wait_for_function("document.querySelectorAll('.nsewdrag').length === 3")
    page.wait_for_function("document.querySelector('[data-testid=stAudio]')?.readyState > 0")
    show_all(page, view.width)
    path = IMAGES / f"{view.name}.png"
    page.screenshot(path=path)
    context.close()
    return path


def main() -> None:
    """Take all pictures."""
    IMAGES.mkdir(exist_ok=True)
    song = find_song()
    with serve_app() as address, sync_playwright() as playwright:
        browser = launch(playwright)
        for view in VIEWS:
            print(photograph(browser, address, view, song))
        browser.close()


if __name__ == "__main__":
    main()
