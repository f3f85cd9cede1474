"""The Understand page, driven without a browser."""

from __future__ import annotations

import threading
from concurrent.futures import CancelledError
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from app import track_services, why_panel
from app.jobs import Job
from app.track_state import TrackState
from app.views import Span
from songnet.inference.classifier import Classifier
from songnet.inference.what_if import Edits
from tests.app.stub import clip, stub_classifier
from tests.app.test_classify import click, upload

PAGE = Path(__file__).parents[2] / "pages" / "understand.py"


@pytest.fixture
def page(sure_model: None, app: AppTest) -> AppTest:
    """The page with a track of 20 seconds."""
    track_services._predict_edited.clear()
    app.switch_page(str(PAGE)).run()
    assert not app.exception
    return upload(app, clip(20), "song.wav")


@pytest.fixture
def classifier() -> Classifier:
    return stub_classifier(0.0)


def panel(visit: AppTest, name: str) -> AppTest:
    next(group for group in visit.get("button_group") if group.label == "Panel").set_value(name)
    visit.run()
    assert not visit.exception
    return visit


def state_of(visit: AppTest) -> TrackState:
    state = visit.session_state["songnet_track"]
    assert isinstance(state, TrackState)
    return state


def csv_files(visit: AppTest) -> list[str]:
    return [button.label for button in visit.get("download_button") if "CSV" in button.label]


def test_without_a_track_the_page_asks_for_one(sure_model: None, app: AppTest) -> None:
    app.switch_page(str(PAGE)).run()
    assert not app.exception
    assert app.file_uploader
    assert not app.get("audio")


def test_a_track_from_classify_is_there(sure_model: None, app: AppTest) -> None:
    upload(app, clip(5), "mine.wav")
    app.switch_page(str(PAGE)).run()
    assert not app.exception
    assert any("mine.wav" in text.value for text in app.text)
    assert len(app.get("audio")) == 1


def test_sound_shows_what_is_chosen_and_offers_it_as_csv(page: AppTest) -> None:
    assert len(page.get("plotly_chart")) == 2
    assert csv_files(page) == ["Waveform (CSV)", "Mel-spectrogram (CSV)"]
    views = next(group for group in page.get("button_group") if group.label == "Views")
    views.set_value(["Spectrogram", "MFCC", "Loudness"])
    page.run()
    assert not page.exception
    assert csv_files(page) == ["Spectrogram (CSV)", "MFCC (CSV)", "Loudness (CSV)"]
    assert any("LUFS" in text.value for text in page.markdown)


def test_choices_stay_over_panels_pages_and_tracks(page: AppTest) -> None:
    views = next(group for group in page.get("button_group") if group.label == "Views")
    views.set_value(["MFCC", "Loudness"]).run()
    panel(page, "Over time")
    page.switch_page(str(PAGE.with_name("classify.py"))).run()
    upload(page, clip(6), "next.wav")
    page.switch_page(str(PAGE)).run()
    assert not page.exception
    assert csv_files(page) == ["Sections (CSV)", "Timeline (CSV)"]
    panel(page, "Sound")
    assert csv_files(page) == ["MFCC (CSV)", "Loudness (CSV)"]
    note = next(text.value for text in page.markdown if "LUFS" in text.value)
    assert "teal line is momentary" in note


def test_zoom_and_back(page: AppTest) -> None:
    whole = state_of(page).span
    page.button(key="zoom-zoom_in").click().run()
    assert state_of(page).span == Span(5.0, 15.0)
    page.button(key="zoom-arrow_forward").click().run()
    assert state_of(page).span == Span(10.0, 20.0)
    assert page.button(key="zoom-arrow_forward").disabled
    click(page, "Whole track")
    assert state_of(page).span == whole


def test_over_time_offers_sections_and_their_csv(page: AppTest) -> None:
    panel(page, "Over time")
    assert csv_files(page) == ["Sections (CSV)", "Timeline (CSV)"]
    assert any("of the time" in text.value for text in page.markdown)


def test_why_sums_up_to_the_ratio_of_the_probabilities(
    page: AppTest, classifier: Classifier
) -> None:
    panel(page, "Why")
    prediction = classifier.predict(clip(20))
    first, second = (item.probability for item in prediction.top(2))
    page.selectbox[1].set_value(prediction.top(2)[1].genre).run()
    assert not page.exception
    ratio = first / second
    expected = f"{ratio:.1f} times" if ratio < 10 else f"{ratio:.0f} times"
    assert any(expected in text.value for text in page.markdown) or ratio < 1.05


def test_without_tensorflow_why_says_what_is_missing(
    page: AppTest, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(track_services, "can_explain", lambda: False)
    panel(page, "Why")
    assert any("TensorFlow" in text.value for text in page.info)


def test_an_explanation_that_waits_for_another_says_so_and_ends_with_its_track(
    page: AppTest, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(track_services, "can_explain", lambda: True)
    monkeypatch.setattr(why_panel, "explain_in_process", lambda *_, **__: begun.append(1))
    begun: list[int] = []
    may_end = threading.Event()
    other = Job(lambda _: may_end.wait(60))
    panel(page, "Why")
    page.button(key="explain").click().run()
    assert not page.exception
    assert "Waiting for another explanation" in page.get("progress")[0].proto.text
    job = state_of(page).job
    assert job is not None
    click(page, "Another track")
    may_end.set()
    assert other.result()
    with pytest.raises(CancelledError):
        job.result()
    assert begun == []


def test_what_if_can_be_undone_and_reset(page: AppTest) -> None:
    panel(page, "What if")
    assert len(page.get("audio")) == 1
    page.selectbox[1].set_value("0 dB").run()
    assert not page.exception
    assert state_of(page).edits[-1] == Edits(noise_snr_db=0.0)
    assert len(page.get("audio")) == 2
    assert any("→" in text.value for text in page.markdown)
    assert any("Upper bar: before; lower bar: after" in text.value for text in page.caption)
    page.slider[2].set_value(-20.0).run()
    assert state_of(page).edits[-1] == Edits(noise_snr_db=0.0, level_db=-20.0)
    click(page, "Undo")
    assert state_of(page).edits[-1] == Edits(noise_snr_db=0.0)
    assert page.slider[2].value == 0.0
    click(page, "Reset")
    assert state_of(page).edits[-1].is_none
    assert page.selectbox[1].value == "off"
    click(page, "Undo")
    assert page.selectbox[1].value == "0 dB"


def test_muting_everything_is_explained_and_can_be_undone(page: AppTest) -> None:
    panel(page, "What if")
    page.slider[0].set_value((0.0, 20.0)).run()
    assert not page.exception
    assert "nothing to hear" in page.error[0].proto.title
    click(page, "Undo")
    assert not page.error
