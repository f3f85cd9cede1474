"""The main job in a real browser: give a song, see its genre, hear it, keep the result."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from songnet.inference.classifier import Classifier
from tests.app.stub import clip
from tests.e2e.browser import answer, open_app, settle, upload

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(300)]

NO_SCROLL = "e => e.scrollWidth <= e.clientWidth"


@pytest.fixture(scope="module")
def classifier() -> Classifier:
    return Classifier.load()


def shown_genre(classifier: Classifier, data: bytes) -> str:
    prediction = classifier.predict(data)
    return prediction.genre if prediction.status == "ok" else "Not sure"


def test_upload_shows_the_genre_of_the_library(page: Page, classifier: Classifier) -> None:
    data = clip(20)
    upload(page, name="song.wav", data=data)
    card = answer(page, "song.wav")
    expect(card.get_by_test_id("genre")).to_have_text(shown_genre(classifier, data))
    expect(page.locator(".nsewdrag")).to_have_count(3)
    expect(page.get_by_test_id("stException")).to_have_count(0)


@pytest.mark.corpus
def test_real_track_gets_the_genre_of_the_library(
    page: Page, classifier: Classifier, corpus_clip: Path
) -> None:
    data = corpus_clip.read_bytes()
    upload(page, name=corpus_clip.name, data=data)
    genre = answer(page, corpus_clip.name).get_by_test_id("genre")
    expect(genre).to_have_text(shown_genre(classifier, data))
    assert classifier.predict(corpus_clip).genre == classifier.predict(data).genre


@pytest.mark.parametrize(("kind", "name"), [("MP3", "a.mp3"), ("AIFF", "a.aiff")])
def test_sound_plays(page: Page, kind: str, name: str) -> None:
    upload(page, name=name, data=clip(6, kind=kind))
    answer(page, name)
    player = page.get_by_test_id("stAudio")
    seconds = player.evaluate("async e => { await e.play(); return e.duration }")
    assert seconds == pytest.approx(6, abs=0.2)
    page.wait_for_function("document.querySelector('[data-testid=stAudio]').currentTime > 0.2")


def test_click_on_the_timeline_plays_that_moment(page: Page) -> None:
    upload(page, name="song.wav", data=clip(40))
    answer(page, "song.wav")
    # The plots in the order of the page: probabilities, waveform, timeline.
    expect(page.locator(".nsewdrag")).to_have_count(3)
    timeline = page.locator(".nsewdrag").last
    timeline.scroll_into_view_if_needed()
    box = timeline.bounding_box()
    assert box is not None
    page.mouse.click(box["x"] + 0.9 * box["width"], box["y"] + 0.97 * box["height"])
    page.wait_for_function("document.querySelector('[data-testid=stAudio]').currentTime > 20")


def test_new_upload_replaces_the_result(page: Page) -> None:
    upload(page, name="first.wav", data=clip(4))
    answer(page, "first.wav")
    upload(page, name="second.wav", data=clip(4, hz=900))
    answer(page, "second.wav")
    expect(page.get_by_test_id("genre")).to_have_count(1)
    expect(page.get_by_test_id("stFileUploader")).to_contain_text("second.wav")
    expect(page.get_by_test_id("history").locator("li")).to_have_count(2)


def test_bad_file_gets_a_message_instead_of_the_old_result(page: Page) -> None:
    upload(page, name="good.wav", data=clip(4))
    answer(page, "good.wav")
    upload(page, name="bad.mp3", data=b"These are words, not music. " * 50)
    expect(page.get_by_test_id("stAlert")).to_contain_text("cannot be read")
    expect(page.get_by_test_id("genre")).to_have_count(0)
    expect(page.get_by_test_id("history")).to_contain_text("good.wav")


def test_removing_the_file_leads_back_to_the_empty_page(page: Page) -> None:
    upload(page, name="song.wav", data=clip(4))
    answer(page, "song.wav")
    page.get_by_test_id("stFileChipDeleteBtn").get_by_role("button").click()
    expect(page.get_by_text("No file at hand?")).to_be_visible()
    expect(page.get_by_test_id("genre")).to_have_count(0)


def test_result_and_timeline_can_be_kept(page: Page) -> None:
    upload(page, name="My song.wav", data=clip(20))
    genre = answer(page, "My song.wav").get_by_test_id("genre").inner_text()
    with page.expect_download() as download:
        page.get_by_role("button", name="Result (JSON)").click()
    assert download.value.suggested_filename == "My-song-genre.json"
    values = json.loads(download.value.path().read_text("utf-8"))
    assert genre in (values["genre"], "Not sure")
    with page.expect_download() as download:
        page.get_by_role("button", name="Timeline (CSV)").click()
    rows = list(csv.DictReader(io.StringIO(download.value.path().read_text("utf-8"))))
    assert float(rows[-1]["end_seconds"]) == pytest.approx(20, abs=0.1)


def test_recording_from_the_microphone_gets_a_genre(page: Page) -> None:
    page.get_by_role("tab", name="Record").click()
    recorder = page.get_by_test_id("stAudioInput")
    recorder.get_by_role("button", name="Record").click()
    expect(recorder.get_by_text("00:04")).to_be_visible()
    recorder.get_by_role("button", name="Stop recording").click()
    answer(page, "Recording 1")
    expect(page.get_by_test_id("stAudio")).to_have_count(1)


def test_unreachable_example_gets_a_message(page: Page) -> None:
    page.get_by_role("button", name="Vibe Ace").click()
    expect(page.get_by_test_id("stAlert")).to_contain_text("not reachable")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_nothing_is_cut_on_a_phone(browser: Browser, address: str, scheme: str) -> None:
    context = browser.new_context(viewport={"width": 380, "height": 800}, color_scheme=scheme)
    page = context.new_page()
    open_app(page, address)
    main = page.get_by_test_id("stMain")
    assert main.evaluate(NO_SCROLL)
    upload(page, name="a rather long name of a song, as phones give them.wav", data=clip(20))
    answer(page, "a rather long name")
    expect(page.locator(".nsewdrag")).to_have_count(3)
    assert main.evaluate(NO_SCROLL)
    assert page.locator(":root").evaluate(NO_SCROLL)
    background = page.get_by_test_id("stApp").evaluate("e => getComputedStyle(e).backgroundColor")
    assert background == {"light": "rgb(255, 255, 255)", "dark": "rgb(18, 23, 22)"}[scheme]
    context.close()


def test_deep_link_shows_the_page_in_its_frame(page: Page, address: str) -> None:
    page.goto(f"{address}/classify")
    expect(page.get_by_test_id("stFileUploader")).to_be_visible()
    settle(page)
    expect(page.get_by_test_id("stHeaderLogo")).to_be_visible()
