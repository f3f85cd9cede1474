"""The Classify page, driven without a browser."""

from __future__ import annotations

import ctypes
import json
from pathlib import Path

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from app import examples, live
from songnet.exceptions import BundleError
from songnet.signal.audio import AUDIO_EXTENSIONS
from songnet.signal.decoding_process import in_decoding_process
from tests.app.conftest import html_text, parse_html, use_stub
from tests.app.stub import SR, beat, clip
from tests.encoders import encode_pyav, encode_soundfile

PAGES = sorted((Path(__file__).parents[2] / "pages").glob("*.py"))


def upload(visit: AppTest, data: bytes, name: str = "song.wav") -> AppTest:
    visit.file_uploader[0].set_value((name, data, "application/octet-stream"))
    visit.run()
    assert not visit.exception
    return visit


def click(visit: AppTest, label: str) -> AppTest:
    next(button for button in visit.button if label in button.label).click()
    visit.run()
    assert not visit.exception
    return visit


def history(visit: AppTest) -> str:
    bodies = [element.proto.body for element in visit.get("html")]
    return next((body for body in bodies if 'data-testid="history"' in body), "")


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_every_page_launches(app: AppTest, page: Path, monkeypatch) -> None:
    # The component of WebRTC needs a browser.
    monkeypatch.setattr(live, "show_microphone", lambda *_, **__: None)
    monkeypatch.setattr(live, "watch_browser", lambda: "")
    app.switch_page(str(page)).run()
    assert not app.exception
    assert app.title


def test_empty_page_offers_upload_recording_and_examples(app: AppTest) -> None:
    assert app.file_uploader[0].allowed_type[: len(AUDIO_EXTENSIONS)] == [
        f".{extension}" for extension in AUDIO_EXTENSIONS
    ]
    assert app.audio_input
    assert len(app.button) == len(examples.load_examples())
    assert not app.get("audio")


def test_upload_shows_genre_player_charts_and_downloads(sure_model: None, app: AppTest) -> None:
    upload(app, clip(20))
    assert "confident" in html_text(app)
    assert len(app.get("audio")) == 1
    assert len(app.get("plotly_chart")) == 2
    assert {button.label for button in app.get("download_button")} == {
        "Report (HTML)",
        "Result (JSON)",
        "Timeline (CSV)",
    }
    assert any("Most probable genre" in text.value for text in app.markdown)


def test_footer_gives_the_measured_accuracy_with_its_interval(
    repo_root: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    report = {
        "accuracy": {"value": 0.654, "low": 0.611, "high": 0.688},
        "ece": {"value": 0.031, "low": 0.02, "high": 0.05},
    }
    (tmp_path / "report.json").write_text(json.dumps(report), encoding="utf-8")
    use_stub(monkeypatch, not_sure_below=0.0, folder=tmp_path)
    visit = AppTest.from_file(repo_root / "app" / "main.py", default_timeout=300).run()
    footer = visit.caption[-1].value
    assert all(figure in footer for figure in ("65.4%", "61.1%", "68.8%", "3.1%"))


def test_not_sure_names_no_genre(unsure_model: None, app: AppTest) -> None:
    text = html_text(upload(app, clip()))
    assert "Not sure" in text
    assert "Closest:" in text
    assert "confident" not in text


def test_new_file_replaces_the_old_result(app: AppTest) -> None:
    upload(app, clip(), "first.wav")
    upload(app, clip(hz=700), "second.wav")
    answers = [e.proto.body for e in app.get("html") if 'data-testid="genre"' in e.proto.body]
    assert len(answers) == 1
    assert "second.wav" in answers[0]
    assert "first.wav" not in answers[0]


def test_bad_file_after_a_good_one_shows_no_result_but_keeps_the_history(app: AppTest) -> None:
    upload(app, clip(), "good.wav")
    upload(app, b"no music" * 100, "bad.mp3")
    assert app.error
    assert not app.get("audio")
    assert 'data-testid="genre"' not in "".join(e.proto.body for e in app.get("html"))
    assert "good.wav" in history(app)
    assert "bad.mp3" not in history(app)


def test_removing_the_file_leads_back_to_the_empty_page(app: AppTest) -> None:
    upload(app, clip())
    app.file_uploader[0].set_value(None)
    app.run()
    assert not app.get("audio")
    assert not app.get("plotly_chart")
    assert "song.wav" in history(app)


def test_start_over_leads_back_to_the_empty_page(app: AppTest) -> None:
    click(upload(app, clip()), "Start over")
    assert not app.get("audio")
    assert not app.file_uploader[0].value


def test_recording_replaces_the_upload(app: AppTest) -> None:
    upload(app, clip())
    app.audio_input[0].set_value(("audio.wav", clip(hz=500), "audio/wav"))
    app.run()
    answer = next(e.proto.body for e in app.get("html") if 'data-testid="genre"' in e.proto.body)
    assert "Recording 1" in answer
    assert not app.file_uploader[0].value


def test_upload_after_a_recording_empties_the_recorder(app: AppTest) -> None:
    app.audio_input[0].set_value(("audio.wav", clip(hz=500), "audio/wav"))
    app.run()
    upload(app, clip())
    assert app.audio_input[0].value is None
    assert "song.wav" in html_text(app)


ERRORS = {
    "not audio": (lambda: b"These are words, not music. " * 50, "cannot be read"),
    "empty": (lambda: b"", "cannot be read"),
    "corrupt": (lambda: clip(kind="FLAC")[:60], "cannot be read"),
    "no audio stream": (
        lambda: encode_pyav(beat(2), sr=SR, container="mp4", codec="aac", video=True, audio=False),
        "cannot be read",
    ),
    "too short": (lambda: clip(0.5), "too short"),
    "silent": (lambda: encode_soundfile(np.zeros(3 * SR, np.float32), sr=SR, kind="WAV"), "hear"),
    "too long": (lambda: clip(61), "over the limit"),
    "too large": (
        lambda: encode_soundfile(np.tile(beat(30), 1), sr=SR, kind="WAV", subtype="DOUBLE"),
        "over the limit",
    ),
}


@pytest.mark.parametrize("case", ERRORS)
def test_each_error_has_a_message_and_leaves_no_result(
    case: str, app: AppTest, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SONGNET_MAX_MINUTES", "1")
    monkeypatch.setenv("SONGNET_MAX_UPLOAD_MB", "4")
    make_data, title = ERRORS[case]
    app.run()
    upload(app, make_data(), "file.mp4")
    assert len(app.error) == 1
    assert title in app.error[0].proto.title
    assert app.error[0].value.endswith(".")
    assert not app.get("audio")


def test_a_decoder_that_crashes_leaves_the_app_alive(
    app: AppTest, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(
            "songnet.signal.audio.in_decoding_process",
            lambda *_, **__: in_decoding_process(ctypes.string_at, 0),
        )
        upload(app, clip(3))
        assert "cannot be read" in app.error[0].proto.title
        assert "broke down" in app.error[0].value
    for data in (clip(3), clip(4)):  # the fault was not of the file
        click(app, "Start over")
        upload(app, data)
        assert not app.error
        assert app.get("audio")


def test_missing_model_has_a_message(
    repo_root: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.undo()
    monkeypatch.setenv("SONGNET_MODELS", str(tmp_path))
    visit = AppTest.from_file(repo_root / "app" / "main.py", default_timeout=300).run()
    assert not visit.exception
    assert "model is not installed" in visit.error[0].proto.title
    assert str(tmp_path) not in visit.error[0].value


def test_names_and_tags_of_files_are_escaped(app: AppTest) -> None:
    attack = "<img src=x onerror=alert(1)>"
    data = encode_pyav(
        beat(2), sr=SR, container="mp4", codec="aac", tags={"artist": attack, "title": "<script>"}
    )
    upload(app, data, f"{attack}.m4a")
    parsed = parse_html(app)
    assert attack in " ".join(parsed.text)
    assert "script" not in parsed.tags
    assert "img" not in parsed.tags


def test_tags_are_shown_and_missing_ones_are_called_so(app: AppTest) -> None:
    tags = {"artist": "Ella", "title": "Blue Skies", "date": "1958"}
    upload(app, encode_pyav(beat(2), sr=SR, container="mp4", codec="aac", tags=tags), "a.m4a")
    text = html_text(app)
    assert all(value in text for value in tags.values())
    assert text.count("not in the file") == 2  # album, genre


def test_warnings_of_the_prediction_are_shown(app: AppTest) -> None:
    upload(app, clip(2, level=0.02))
    assert any("2.0 seconds" in warning.value for warning in app.warning)
    assert any("quiet" in warning.value for warning in app.warning)


def test_a_format_that_browsers_do_not_play_is_said_to_be_a_copy(app: AppTest) -> None:
    upload(app, clip(kind="AIFF"), "song.aiff")
    assert any("mono copy" in caption.value for caption in app.caption)
    assert len(app.get("audio")) == 1


def test_the_same_file_stands_once_in_the_history(app: AppTest) -> None:
    for name in ("one.wav", "other.wav", "one again.wav"):
        upload(app, clip(hz=900 if "other" in name else 300), name)
    assert history(app).count("<li") == 2
    assert "one again.wav" in history(app)


@pytest.mark.parametrize("found", [True, False], ids=["found", "unreachable"])
def test_example_is_fetched_on_click(
    found: bool, app: AppTest, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fetch(example: examples.Example, **_: object) -> bytes:
        if not found:
            raise examples.ExampleError(f"{example.title} is not reachable.")
        return clip()

    monkeypatch.setattr("app.components.fetch_example", fetch)
    click(app, "Vibe Ace")
    assert bool(app.get("audio")) is found
    assert bool(app.error) is not found
    assert ("Vibe Ace" in html_text(app)) is found


def test_wrong_setting_is_named(repo_root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SONGNET_MAX_MINUTES", "many")
    visit = AppTest.from_file(repo_root / "app" / "main.py", default_timeout=300).run()
    assert "setting" in visit.error[0].proto.title
    assert "SONGNET_MAX_MINUTES" in visit.error[0].value


def test_model_error_is_not_cached(app: AppTest, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail() -> None:
        raise BundleError("gone")

    with monkeypatch.context() as patch:
        patch.setattr("app.services.load_classifier", fail)
        upload(app, clip())
        assert "model is not installed" in app.error[0].proto.title
    app.run()
    assert not app.error
    assert app.get("audio")
