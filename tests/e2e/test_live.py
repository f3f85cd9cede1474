"""Live in a real browser: sound of a fake microphone, over WebRTC, to the genre on the page."""

from __future__ import annotations

import csv
import io
import json
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import soundfile as sf
from playwright.sync_api import Browser, BrowserContext, FrameLocator, Page, Playwright, expect

from songnet.datasets.synthetic import generate_synthetic
from songnet.inference.classifier import Classifier
from songnet.signal.audio import load_audio
from tests.e2e.browser import PATIENCE_MS, free_port, launch, serve_app, settle
from tests.radio import serve_radio

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(600)]

TITLES = {"not_sure": "Not sure", "not_music": "No music"}
MICROPHONE_SR = 48_000
THREADS_OF_A_SESSION = ("live-", "audio-decoder", "process_offer")


class Observed:
    """A server whose threads can be seen."""

    def __init__(self, address: str, observer: str) -> None:
        self.address, self.observer = address, observer

    def threads(self) -> list[str]:
        with urllib.request.urlopen(self.observer, timeout=60) as answer:
            names: list[str] = json.load(answer)
        return sorted(name for name in names if name.startswith(THREADS_OF_A_SESSION))

    def miscount_runs(self) -> None:
        """Let the server count a run too many, as it does for a moment when it is busy."""
        urllib.request.urlopen(self.observer, data=b"", timeout=60).close()

    def wait_for_threads(self, page: Page, *, n_listeners: int) -> None:
        """Wait until so many sessions listen; with none, nothing of theirs may be left."""
        for _ in range(PATIENCE_MS // 200):
            threads = self.threads()
            n_found = sum(name.startswith("live-") for name in threads)
            if n_found == n_listeners and (n_listeners or not threads):
                return
            page.wait_for_timeout(200)
        raise AssertionError(f"{n_listeners} sessions expected; the threads are {threads}")


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Observed]:
    port = free_port()
    with serve_app(
        module="tests.e2e.observed_server",
        SONGNET_CACHE=str(tmp_path_factory.mktemp("cache")),
        SONGNET_ALLOW_PRIVATE_URLS="1",
        OBSERVER_PORT=str(port),
    ) as address:
        yield Observed(address, f"http://127.0.0.1:{port}/")


@pytest.fixture(scope="module")
def classifier() -> Classifier:
    return Classifier.load()


@pytest.fixture(scope="module")
def music(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Generated music, as loud as a microphone near a speaker hears it."""
    folder = tmp_path_factory.mktemp("music")
    tracks = generate_synthetic(folder / "tracks", tracks_per_genre=5, seconds=20.0)
    # The surest answer of the generated music: what WebRTC does to it must not change the genre.
    drone = next(track for track in tracks if track.genre == "Drone")
    y, sr = load_audio(drone.path, sr=MICROPHONE_SR)
    sf.write(folder / "music.wav", y, sr, subtype="PCM_16")
    return folder / "music.wav"


def launch_with_microphone(playwright: Playwright, heard: Path) -> Browser:
    return launch(
        playwright,
        "--use-fake-ui-for-media-stream",
        "--use-fake-device-for-media-stream",
        f"--use-file-for-fake-audio-capture={heard}",
    )


@pytest.fixture(scope="module")
def browser(playwright: Playwright, music: Path) -> Iterator[Browser]:
    browser = launch_with_microphone(playwright, music)
    yield browser
    browser.close()


@pytest.fixture
def context(browser: Browser) -> Iterator[BrowserContext]:
    context = browser.new_context(viewport={"width": 1200, "height": 1100})
    yield context
    context.close()


def open_live(context: BrowserContext, server: Observed) -> Page:
    page = context.new_page()
    page.set_default_timeout(PATIENCE_MS)
    page.goto(f"{server.address}/live")
    page.get_by_test_id("genre").wait_for()
    settle(page)
    return page


def component(page: Page) -> FrameLocator:
    return page.frame_locator('iframe[title*="webrtc"]')


def press_start(page: Page) -> None:
    component(page).get_by_role("button", name="Start").click()


def press_stop(page: Page) -> None:
    component(page).get_by_role("button", name="Stop").click()
    expect(page.get_by_test_id("genre")).to_have_text("Stopped")


def expected_title(classifier: Classifier, path: Path) -> str:
    prediction = classifier.predict(path)
    return TITLES.get(prediction.status, prediction.genre)


def expect_title(page: Page, title: str) -> None:
    expect(page.get_by_test_id("genre")).to_have_text(title)


def seen_levels(page: Page, n_levels: int) -> set[str]:
    """Wait until the meter has shown so many levels."""
    seen: set[str] = set()
    for _ in range(PATIENCE_MS // 200):
        seen.add(page.get_by_test_id("level").inner_text())
        if len({text for text in seen if "dBFS" in text}) >= n_levels:
            return seen
        page.wait_for_timeout(200)
    title = page.get_by_test_id("genre").inner_text()
    buttons = component(page).get_by_role("button").all_inner_texts()
    raise AssertionError(f"The level does not move: {seen}, {title!r}, {buttons}")


def test_music_in_the_microphone_gets_the_genre_of_the_file_path(
    context: BrowserContext, server: Observed, classifier: Classifier, music: Path
) -> None:
    page = open_live(context, server)
    press_start(page)
    seen_levels(page, 3)
    expect_title(page, expected_title(classifier, music))
    server.wait_for_threads(page, n_listeners=1)
    expect(page.get_by_text("The last minutes")).to_be_visible()
    press_stop(page)
    server.wait_for_threads(page, n_listeners=0)

    with page.expect_download() as download:
        page.get_by_role("button", name="Keep this recording").click()
    kept, sr = sf.read(download.value.path(), dtype="float32")
    assert sr == MICROPHONE_SR
    assert np.sqrt(np.mean(kept**2)) > 0.01
    with page.expect_download() as download:
        page.get_by_role("button", name="Session log (CSV)").click()
    rows = list(csv.DictReader(io.StringIO(download.value.path().read_text("utf-8"))))
    seconds = [float(row["seconds"]) for row in rows]
    assert np.median(np.diff(seconds)) <= 0.55  # at least two updates a second of sound
    assert seconds[-1] == pytest.approx(kept.size / sr, abs=1.5)
    page.get_by_role("button", name="Open it on the Classify page").click()
    expect(page.get_by_text("Live recording 1.wav").first).to_be_visible()


def test_pause_reset_and_undo(context: BrowserContext, server: Observed) -> None:
    page = open_live(context, server)
    press_start(page)
    seen_levels(page, 2)
    page.get_by_role("button", name="Pause").click()
    expect_title(page, "Paused")
    page.get_by_role("button", name="Resume").click()
    seen_levels(page, 2)
    page.get_by_role("button", name="Reset", exact=True).click()
    page.get_by_role("button", name="Undo reset").click()
    expect(page.get_by_role("button", name="Undo reset")).to_have_count(0)
    seen_levels(page, 2)
    press_stop(page)
    server.wait_for_threads(page, n_listeners=0)


def test_busy_server_does_not_cut_the_connection(context: BrowserContext, server: Observed) -> None:
    page = open_live(context, server)
    press_start(page)
    seen_levels(page, 2)
    server.miscount_runs()
    page.get_by_role("button", name="Reset", exact=True).click()  # runs the whole page again
    page.get_by_role("button", name="Undo reset").wait_for()
    expect(page.get_by_text("0:08 heard")).to_be_visible()
    press_stop(page)
    server.wait_for_threads(page, n_listeners=0)


@pytest.mark.parametrize("way", ["page", "reload", "tab"])
def test_leaving_frees_the_session(context: BrowserContext, server: Observed, way: str) -> None:
    page = open_live(context, server)
    press_start(page)
    seen_levels(page, 2)
    server.wait_for_threads(page, n_listeners=1)
    other = context.new_page()
    if way == "page":
        page.get_by_role("link", name="Classify").first.click()
        page.get_by_test_id("stFileUploader").wait_for()
    elif way == "reload":
        page.reload()
        expect_title(page, "Ready")
    else:
        page.close()
    server.wait_for_threads(other, n_listeners=0)
    if way == "page":  # and back again
        page.get_by_role("link", name="Live").first.click()
        expect_title(page, "Stopped")
        settle(page)
        press_start(page)
        seen_levels(page, 2)
        press_stop(page)
        server.wait_for_threads(page, n_listeners=0)


def test_two_sessions_side_by_side(browser: Browser, server: Observed) -> None:
    contexts = [browser.new_context(), browser.new_context()]
    first, second = (open_live(context, server) for context in contexts)
    press_start(first)
    press_start(second)
    seen_levels(first, 2)
    seen_levels(second, 2)
    server.wait_for_threads(first, n_listeners=2)
    press_stop(first)
    server.wait_for_threads(first, n_listeners=1)
    seen_levels(second, 2)
    press_stop(second)
    server.wait_for_threads(second, n_listeners=0)
    for context in contexts:
        context.close()


def test_denied_microphone_gets_a_sentence(playwright: Playwright, server: Observed) -> None:
    """A browser without a window answers its question about the microphone with no."""
    with launch(playwright, "--use-fake-device-for-media-stream") as browser:
        page = open_live(browser.new_context(), server)
        expect(page.get_by_test_id("stAlert")).to_have_count(0)
        press_start(page)
        alert = page.get_by_test_id("stAlert")
        expect(alert).to_contain_text("Choose the lock beside the address")
        expect_title(page, "Ready")
        expect(page.get_by_test_id("stAudioInput")).to_be_visible()
        expect(page.get_by_test_id("stFileUploader")).to_be_visible()
        assert server.threads() == []


def test_station_is_heard_and_stopped_on_a_phone(
    browser: Browser, server: Observed, classifier: Classifier, music: Path
) -> None:
    context = browser.new_context(viewport={"width": 380, "height": 800}, color_scheme="dark")
    page = open_live(context, server)
    with serve_radio() as radio:
        url = radio.put("/music.wav", music.read_bytes(), kind="audio/wav", stall=True)
        page.get_by_text("Radio or link").click()
        page.get_by_role("textbox", name="Address of a radio stream").fill(url)
        page.get_by_role("button", name="Listen").click()
        expect_title(page, expected_title(classifier, music))
        expect(page.get_by_text("The last minutes")).to_be_visible()
        assert page.get_by_test_id("stMain").evaluate("e => e.scrollWidth <= e.clientWidth")
        page.get_by_test_id("stMain").get_by_role("button", name="Stop").click()
        expect_title(page, "Stopped")
        server.wait_for_threads(page, n_listeners=0)
        assert radio.wait_until_idle()
    context.close()


@pytest.mark.corpus
def test_real_music_gets_the_genre_of_the_file_path(
    playwright: Playwright,
    server: Observed,
    classifier: Classifier,
    corpus_root: Path,
    tmp_path: Path,
) -> None:
    paths = sorted((corpus_root / "originals").glob("*.mp3"))[:8]
    surest = max(paths, key=lambda path: classifier.predict(path).confidence)
    y, sr = load_audio(surest, sr=MICROPHONE_SR)
    sf.write(tmp_path / "clip.wav", y, sr, subtype="PCM_16")
    browser = launch_with_microphone(playwright, tmp_path / "clip.wav")
    page = open_live(browser.new_context(), server)
    press_start(page)
    expect_title(page, expected_title(classifier, surest))
    press_stop(page)
    server.wait_for_threads(page, n_listeners=0)
    browser.close()
