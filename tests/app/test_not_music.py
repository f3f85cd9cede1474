"""What a visitor sees whose file does not sound like music."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace

import pytest
from streamlit.testing.v1 import AppTest

from app import services
from app.analysis import analyse_audio
from app.downloads import result_json
from songnet.inference.classifier import Classifier
from songnet.signal.music import MusicDetector
from tests.app.conftest import html_text, use_stub
from tests.app.stub import GENRES, StubRuntime, clip, stub_bundle
from tests.detectors import linear_network

HISTORY = Path(__file__).parents[2] / "pages" / "history.py"


class Doubter(MusicDetector):
    """Says the same of everything."""

    def logit(self, *_: object, **__: object) -> float:
        return self.network.bias


def use_detector(monkeypatch: pytest.MonkeyPatch, *, log_odds: float) -> None:
    use_stub(monkeypatch, not_sure_below=0.0)
    bundle = stub_bundle(0.0)
    network = linear_network([], bias=log_odds)
    detector = Doubter(bundle.features.hash, network, 0.3, 0.6, {})
    classifier = Classifier(bundle, StubRuntime(), detector)
    monkeypatch.setattr(
        "songnet.inference.classifier.Classifier", SimpleNamespace(load=lambda: classifier)
    )


def upload(visit: AppTest) -> str:
    visit.file_uploader[0].set_value(("talk.wav", clip(8), "audio/wav")).run()
    assert not visit.exception
    return html_text(visit)


def test_not_music_is_said_and_the_details_stay(
    app: AppTest, monkeypatch: pytest.MonkeyPatch
) -> None:
    use_detector(monkeypatch, log_odds=-3.0)
    text = upload(app)
    assert "Not music" in text
    assert "does not sound like music" in text
    assert "confident" not in text
    assert [expander.label for expander in app.expander][:1] == ["If it is music all the same"]
    assert len(app.get("plotly_chart")) == 1
    assert len(app.get("audio")) == 1
    assert not any("Most probable genre" in markdown.value for markdown in app.markdown)
    assert next(link.proto.label for link in app.get("page_link")) == "See its sound"


def test_what_is_no_music_is_compared_with_no_track(
    app: AppTest, monkeypatch: pytest.MonkeyPatch
) -> None:
    shown: list[str] = []
    monkeypatch.setattr("app.result.show_neighbours", lambda *_, **__: shown.append("neighbours"))
    monkeypatch.setattr("app.result.is_known_track", lambda *_, **__: True)
    use_detector(monkeypatch, log_odds=-3.0)
    upload(app)
    assert not shown
    assert not app.info


def test_a_track_that_the_model_learned_from_gets_its_confidence_with_a_warning(
    sure_model: None, app: AppTest, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.result.is_known_track", lambda *_, **__: True)
    assert "confident" in upload(app)
    assert "The model learned from this track" in app.info[0].value


def test_a_doubt_whether_it_is_music_is_the_reason_given(
    app: AppTest, monkeypatch: pytest.MonkeyPatch
) -> None:
    use_detector(monkeypatch, log_odds=0.0)
    text = upload(app)
    assert "Not sure" in text
    assert "it may not be music at all" in text
    assert any(genre in text for genre in GENRES)


def test_the_download_names_no_genre(monkeypatch: pytest.MonkeyPatch) -> None:
    use_detector(monkeypatch, log_odds=-3.0)
    analysis = analyse_audio(
        clip(8),
        digest="0",
        classifier=services.load_classifier(),
        limits=services.DecodeLimits(),
    )
    values = json.loads(result_json(analysis, name="talk.wav", model="stub 0"))
    assert values["status"] == "not_music"
    assert values["genre"] is None


def test_the_history_says_not_music(app: AppTest, monkeypatch: pytest.MonkeyPatch) -> None:
    use_detector(monkeypatch, log_odds=-3.0)
    upload(app)
    app.switch_page(str(HISTORY)).run()
    assert not app.exception
    text = html_text(app)
    assert "Not music" in text
    assert "closest:" in text
    assert "Not sure" not in text
