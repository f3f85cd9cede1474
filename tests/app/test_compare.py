"""The Compare page, driven without a browser."""

from __future__ import annotations

import csv
import dataclasses
import io
import shutil
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from app import comparison, track_services
from app.messages import message_for
from app.session import Clip
from app.track_services import ModelChoice
from songnet.exceptions import BundleError, SongNetError
from songnet.inference.bundle import find_bundle
from songnet.signal.audio import DecodeLimits
from tests.app.conftest import html_text
from tests.app.stub import clip, stub_classifier
from tests.app.test_classify import upload

PAGE = Path(__file__).parents[2] / "pages" / "compare.py"

pytestmark = pytest.mark.skipif(
    not (find_bundle() / "bundle.json").is_file(), reason="there is no model in models/songnet"
)


@pytest.fixture
def page(app: AppTest) -> AppTest:
    app.switch_page(str(PAGE)).run()
    assert not app.exception
    return app


def test_two_models_on_one_track(page: AppTest) -> None:
    assert not page.metric
    upload(page, clip(6), "song.wav")
    first, second = page.selectbox
    assert first.value != second.value
    assert "int8" in second.value
    assert len(page.metric) == 2
    assert any("differ most" in caption.value for caption in page.caption)
    assert any("Upper bar: " in caption.value for caption in page.caption)
    assert not any(" ms " in caption.value for caption in page.caption)
    assert all("confident" in metric.delta or "closest" in metric.delta for metric in page.metric)
    assert len(page.get("plotly_chart")) == 2
    assert [item.label for item in page.get("download_button")] == ["Comparison (CSV)"]
    page.switch_page(str(PAGE.with_name("history.py"))).run()
    assert "song.wav" in html_text(page)


def test_the_comparison_has_a_row_a_side_and_every_genre() -> None:
    first, second = stub_classifier(0.0).predict(clip(6)), stub_classifier(1.1).predict(clip(4))
    second = dataclasses.replace(second, genres=(*second.genres[:-1], "Polka"))
    sides = comparison.Side("=one", (), first), comparison.Side("two", (), second)
    rows = list(csv.DictReader(io.StringIO(comparison.comparison_csv(*sides))))
    assert [row["name"] for row in rows] == ["'=one", "two"]
    assert [row["status"] for row in rows] == ["ok", "not_sure"]
    assert (float(rows[0]["Polka"]), float(rows[1][first.genres[-1]])) == (0, 0)
    assert float(rows[0][first.genre]) == pytest.approx(first.confidence, abs=1e-4)


def test_a_broken_file_is_said_once(page: AppTest) -> None:
    upload(page, b"no music" * 100, "broken.mp3")
    assert len(page.error) == 1
    assert not page.metric


def test_tab_models_and_tracks_stay_while_another_page_is_shown(page: AppTest) -> None:
    upload(page, clip(6), "one.wav")
    page.selectbox(key="compare-first").select_index(1).run()
    chosen = page.selectbox(key="compare-first").value
    what = next(group for group in page.get("button_group") if group.label == "Compare")
    what.set_value("Two tracks, one model").run()
    page.file_uploader[0].set_value(("two.wav", clip(6, hz=700), "audio/wav")).run()
    page.switch_page(str(PAGE.with_name("classify.py"))).run()
    assert "one.wav" in html_text(page)
    page.switch_page(str(PAGE)).run()
    assert not page.exception
    assert len(page.metric) == 2
    next(button for button in page.button if button.label == "Another").click().run()
    assert len(page.file_uploader) == 1
    what = next(group for group in page.get("button_group") if group.label == "Compare")
    what.set_value("Two models, one track").run()
    assert page.selectbox(key="compare-first").value == chosen


def test_two_tracks_under_one_model(page: AppTest) -> None:
    what = next(group for group in page.get("button_group") if group.label == "Compare")
    what.set_value("Two tracks, one model")
    page.run()
    upload(page, clip(6), "one.wav")
    assert not page.metric
    page.file_uploader[0].set_value(("two.wav", clip(6, hz=700), "audio/wav"))
    page.run()
    assert not page.exception
    assert len(page.metric) == 2
    assert {"two.wav"} <= {text.value for text in page.text}
    page.switch_page(str(PAGE.with_name("history.py"))).run()
    assert all(name in html_text(page) for name in ("one.wav", "two.wav"))
    next(button for button in page.button if button.help == r"Delete one\.wav").click().run()
    page.switch_page(str(PAGE)).run()
    page.switch_page(str(PAGE.with_name("history.py"))).run()
    assert "one.wav" not in html_text(page)


def test_names_of_files_are_no_markdown(page: AppTest) -> None:
    what = next(group for group in page.get("button_group") if group.label == "Compare")
    what.set_value("Two tracks, one model")
    page.run()
    upload(page, clip(6), "[one](mailto:a@b.example).wav")
    page.file_uploader[0].set_value(("[two](mailto:c).wav", clip(5), "audio/wav"))
    page.run()
    assert not page.exception
    said = next(caption.value for caption in page.caption if "differ" in caption.value)
    assert said.count("mailto") == 2
    assert "](" not in said


def test_a_broken_model_is_left_out_and_the_shipped_one_is_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shipped, broken = tmp_path / "songnet", tmp_path / "broken"
    shutil.copytree(find_bundle(), shipped)
    broken.mkdir()
    (broken / "bundle.json").write_text("{}")
    monkeypatch.setattr(track_services, "find_bundle", lambda: shipped)
    assert {model.folder for model in track_services.find_models()} == {shipped}
    (shipped / "bundle.json").write_text("{}")
    with pytest.raises(BundleError):
        track_services.find_models()


def test_a_model_that_does_not_run_is_named_and_not_the_shipped_one(tmp_path: Path) -> None:
    (tmp_path / "bundle.json").write_bytes((find_bundle() / "bundle.json").read_bytes())
    (tmp_path / "model.tflite").write_bytes(b"damaged")
    model = ModelChoice(tmp_path, "mine 1", "litert", 7)
    song = Clip(1, "song.wav", clip(3), "0" * 64, "upload")
    side = comparison._side_of_model(song, model, DecodeLimits())
    assert isinstance(side, SongNetError)
    assert "not installed" not in message_for(side).title
    assert "mine 1, litert" in str(side)


def test_a_bad_second_track_leaves_the_first_answer(page: AppTest) -> None:
    what = next(group for group in page.get("button_group") if group.label == "Compare")
    what.set_value("Two tracks, one model")
    page.run()
    upload(page, clip(6), "one.wav")
    page.file_uploader[0].set_value(("two.wav", b"no music" * 100, "audio/wav"))
    page.run()
    assert not page.exception
    assert len(page.metric) == 1
    assert page.error
