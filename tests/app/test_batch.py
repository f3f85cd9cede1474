"""Several files at once on the Classify page, driven without a browser."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path
from uuid import uuid4

import pytest
from streamlit.testing.v1 import AppTest

from app import batch, services
from app.session import Clip
from songnet.exceptions import AudioDecodeError
from songnet.inference.batch import FileResult, file_result, predict_files
from songnet.signal.audio import DecodeLimits
from tests.app.conftest import html_text, parse_html
from tests.app.stub import clip, stub_classifier
from tests.app.test_classify import click, history

UNDERSTAND = Path(__file__).parents[2] / "pages" / "understand.py"
SONGS = {"low.wav": clip(4), "high.wav": clip(5, hz=900)}


def give(visit: AppTest, files: dict[str, bytes], *, without: tuple[str, ...] = ()) -> AppTest:
    """Add files to those in the uploader, or remove some by name, as the browser does."""
    uploader = visit.file_uploader[0]
    kept = [file for file in uploader._get_files_to_register() if file[1] not in without]
    added = [(uuid4().hex, name, data, "audio/wav") for name, data in files.items()]
    uploader._files = [*kept, *added]
    visit.run()
    assert not visit.exception
    return visit


def table(visit: AppTest) -> str:
    bodies = [element.proto.body for element in visit.get("html")]
    return next((body for body in bodies if 'data-testid="batch"' in body), "")


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The names of the files that were classified."""
    names: list[str] = []
    analyse = services.analyse

    def note(song: Clip, *, limits: DecodeLimits) -> object:
        names.append(song.name)
        return analyse(song, limits=limits)

    monkeypatch.setattr(services, "analyse", note)
    return names


def test_each_file_has_a_row_and_a_bad_one_costs_nothing_of_the_others(
    sure_model: None, app: AppTest
) -> None:
    classifier = stub_classifier(0.0)
    give(app, {"bad.mp3": b"no music" * 100, **SONGS})
    text = html_text(app)
    for data in SONGS.values():
        prediction = classifier.predict(data)
        assert f"{prediction.genre} {prediction.confidence:.0%}" in text
    assert table(app).count("<tr") == 4
    assert "0:05" in table(app)
    assert "waiting" not in table(app)
    assert "not audio that can be decoded" in table(app)
    assert all(name in history(app) for name in SONGS)
    assert "bad.mp3" not in history(app)
    labels = [button.label for button in app.get("download_button")]
    assert labels == ["3 results (CSV)", "3 results (JSON)"]
    assert not app.get("audio")


def test_only_new_files_are_classified_and_a_removed_one_loses_its_row(
    sure_model: None, app: AppTest, asked: list[str]
) -> None:
    give(app, {"bad.mp3": b"no music" * 100, **SONGS})
    assert asked == ["bad.mp3", *SONGS]
    app.run()
    give(app, {"more.wav": clip(3, hz=500)})
    assert asked == ["bad.mp3", *SONGS, "more.wav"]
    give(app, {}, without=("bad.mp3",))
    assert asked == ["bad.mp3", *SONGS, "more.wav"]
    assert "bad.mp3" not in table(app)
    assert "more.wav" in table(app)
    give(app, {}, without=("more.wav", "low.wav"))
    assert not table(app)
    assert "high.wav" in html_text(app)
    assert app.get("audio")


def test_a_file_is_opened_as_if_it_were_alone(sure_model: None, app: AppTest) -> None:
    give(app, SONGS)
    app.selectbox(key="batch-choice").select_index(1).run()
    click(app, "Open")
    assert "confident" in html_text(app)
    assert len(app.get("audio")) == 1
    assert not table(app)
    app.switch_page(str(UNDERSTAND)).run()
    assert not app.exception
    assert any("high.wav" in text.value for text in app.text)
    app.switch_page(str(UNDERSTAND.with_name("classify.py"))).run()
    click(app, "All 2 files")
    assert table(app).count("<tr") == 3
    click(app, "Start over")
    assert not table(app)
    assert not app.file_uploader[0].value


def test_files_stay_while_another_page_is_shown(
    sure_model: None, app: AppTest, asked: list[str]
) -> None:
    give(app, SONGS)
    app.switch_page(str(UNDERSTAND)).run()
    app.switch_page(str(UNDERSTAND.with_name("classify.py"))).run()
    assert not app.exception
    assert table(app).count("<tr") == 3
    assert asked == list(SONGS)


def test_one_more_file_after_one_is_shown_as_ever(sure_model: None, app: AppTest) -> None:
    give(app, {"low.wav": SONGS["low.wav"]})
    give(app, {"high.wav": SONGS["high.wav"]})
    answers = [e.proto.body for e in app.get("html") if 'data-testid="genre"' in e.proto.body]
    assert len(answers) == 1
    assert "high.wav" in answers[0]
    assert any(button.label == "All 2 files" for button in app.button)


def test_files_beyond_the_most_are_left_out_and_named(
    sure_model: None, app: AppTest, monkeypatch: pytest.MonkeyPatch, asked: list[str]
) -> None:
    monkeypatch.setattr("app.session.MAX_FILES", 2)
    app.run()
    assert "up to 2 at once" in app.file_uploader[0].label
    give(app, {**SONGS, "third.wav": clip(3)})
    assert asked == list(SONGS)
    assert "third\\.wav" in app.warning[0].value
    give(app, {}, without=("low.wav",))
    assert asked == [*SONGS, "third.wav"]
    assert not app.warning


def test_names_of_files_are_escaped(sure_model: None, app: AppTest) -> None:
    give(app, {"<img src=x>.wav": SONGS["low.wav"], "b.wav": SONGS["high.wav"]})
    assert "img" not in parse_html(app).tags
    assert "<img src=x>.wav" in html_text(app)


def test_downloads_are_those_of_the_command_line_and_run_nothing(tmp_path: Path) -> None:
    path = tmp_path / "song.wav"
    path.write_bytes(SONGS["low.wav"])
    (by_command,) = predict_files(stub_classifier(0.0), [path])
    assert by_command.prediction is not None
    results = [
        file_result(path, by_command.prediction),
        file_result(Path("=cmd()"), AudioDecodeError("No audio.")),
    ]
    assert json.loads(batch.batch_json(results)) == [
        by_command.to_dict(),
        FileResult(Path("=cmd()"), "error", error="No audio.").to_dict(),
    ]
    rows = list(csv.DictReader(io.StringIO(batch.batch_csv(results))))
    assert rows[0]["genre"] == by_command.prediction.genre
    assert (rows[1]["file"], rows[1]["error"]) == ("'=cmd()", "No audio.")
