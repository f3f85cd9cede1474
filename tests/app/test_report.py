"""The report: whole, on its own, small enough to send, and harmless."""

from __future__ import annotations

import dataclasses
import json
import re
from datetime import UTC, datetime
from html.parser import HTMLParser

import numpy as np
import pandas as pd
import pytest

from app.analysis import Analysis, analyse_audio
from app.report import (
    ReportTrack,
    attribution_figures,
    report_figures,
    report_html,
    what_if_figures,
)
from app.services import ModelFacts
from app.views import Span, draw_picture
from songnet.datasets.recognise import FoundBy, TrackInfo
from songnet.inference.evidence import evidence_for
from songnet.inference.explain import Attribution
from songnet.inference.what_if import Edits
from songnet.signal.audio import DecodeLimits, load_audio
from songnet.signal.features import log_mel
from tests.app.stub import GENRES, clip, stub_bundle, stub_classifier

FEATURES = stub_bundle(0.0).features
ATTACK = "\"'><script>alert(1)</script><img src=x onerror=alert(1)>{{ 7*7 }}</style>"
UNKNOWN = TrackInfo(FoundBy.UNKNOWN)
MEASURED = {
    "accuracy": {"value": 0.5893, "low": 0.542, "high": 0.637},
    "interval": {"confidence": 0.95},
    "n_tracks": 1237,
    "n_groups": 631,
    "protocol": {"name": "cross-validation", "folds": 5, "split": "artist-disjoint folds"},
}


@pytest.fixture(scope="module")
def analysis() -> Analysis:
    return analyse_audio(
        clip(20), digest="ab" * 32, classifier=stub_classifier(0.0), limits=DecodeLimits()
    )


def write(
    analysis: Analysis,
    *,
    name: str = "song.wav",
    report: object = None,
    info: TrackInfo = UNKNOWN,
    neighbours: pd.DataFrame | None = None,
) -> str:
    facts = ModelFacts("songnet", "1", GENRES, 0.3, MEASURED if report is None else {})
    return report_html(
        ReportTrack(name, analysis, info, neighbours),
        model=facts,
        figures=report_figures(analysis),
        created=datetime(2026, 11, 21, 8, 0, tzinfo=UTC),
    )


class Parsed(HTMLParser):
    def __init__(self, html: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self._within = ""
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        self._within = tag

    def handle_data(self, data: str) -> None:
        if self._within not in ("script", "style"):
            self.text += data

    def handle_endtag(self, tag: str) -> None:
        self._within = ""


def test_it_holds_what_the_app_shows(analysis: Analysis) -> None:
    info = TrackInfo(FoundBy.TAGS, "Ella", "Album", "Blue Skies", "Swing", 1958)
    text = Parsed(write(analysis, info=info)).text
    for said in (
        "song.wav", analysis.prediction.genre, "confident", *GENRES, "Ella", "Blue Skies", "1958",
        "Swing", "Sections", "0:20", "58.9%", "95% interval 54.2% to 63.7%", "1,237 tracks",
        "631 artists", "cross-validation, 5 folds, artist-disjoint folds", "songnet 1",
        "21 November 2026, 08:00 UTC", "ab" * 32,
    ):  # fmt: skip
        assert said in text


def test_not_sure_names_no_genre_and_warnings_are_there(analysis: Analysis) -> None:
    probs = np.array([0.29, 0.2, 0.19, 0.17, 0.15])
    prediction = dataclasses.replace(
        analysis.prediction, status="not_sure", probs=probs, warnings=("It is very quiet.",)
    )
    text = Parsed(write(dataclasses.replace(analysis, prediction=prediction))).text
    assert "Not sure" in text
    assert "from 30% upwards" in text
    assert "It is very quiet." in text
    assert "confident" not in text.replace("A confidence", "")


def test_a_confident_answer_to_doubtful_music_says_what_is_doubted(analysis: Analysis) -> None:
    prediction = dataclasses.replace(analysis.prediction, status="not_sure")
    assert prediction.confidence > 0.3
    text = Parsed(write(dataclasses.replace(analysis, prediction=prediction))).text
    assert "But it may not be music at all." in text
    assert "upwards" not in text


def test_a_recognised_track_is_named_with_its_licence(analysis: Analysis) -> None:
    info = TrackInfo(
        FoundBy.SHA1, "Ella", title="Blue", licence="CC BY 4.0", source="fma", track_id="7"
    )
    text = Parsed(write(analysis, info=info)).text
    for said in ("Ella", "CC BY 4.0", "fma 7", "byte for byte"):
        assert said in text
    assert "not in the file" not in text


def test_a_model_without_a_report_claims_no_accuracy(analysis: Analysis) -> None:
    assert "songs rightly" not in Parsed(write(analysis, report={})).text


def test_figures_are_those_of_the_app(analysis: Analysis) -> None:
    html = write(analysis)
    found = re.findall(r'<script type="application/json"[^>]*>(.*?)</script>', html, re.DOTALL)
    wanted = [json.loads(item.figure.to_json()) for item in report_figures(analysis)]
    written = [json.loads(text) for text in found]
    assert [figure["data"] for figure in written] == [figure["data"] for figure in wanted]
    assert all(figure["layout"]["yaxis"]["automargin"] for figure in written)
    assert {figure["layout"]["paper_bgcolor"] for figure in written} == {"rgba(0,0,0,0)"}


def test_it_holds_the_evidence_as_the_app_sums_it(analysis: Analysis) -> None:
    figures = {item.title: item for item in report_figures(analysis)}
    prediction = analysis.prediction
    found = figures[f"What spoke for {prediction.genre}"]
    said = evidence_for(prediction, prediction.genre).sum()
    assert sum(found.figure.data[0].y) == pytest.approx(said, abs=0.01)
    assert f"Together {said:+.2f}" in found.note
    assert "Mean and spread over the windows" in figures


def test_it_holds_the_views_and_gradients_that_it_is_given(analysis: Analysis) -> None:
    y = load_audio(clip(20), sr=FEATURES.sr)[0]
    span = Span(0.0, 20.0)
    views = [draw_picture(name, y, config=FEATURES, span=span) for name in ("Waveform", "MFCC")]
    sound = report_figures(analysis, views=views)[-1]
    assert sound.title == "The sound"
    assert sound.alt == "Waveform, MFCC over time"
    S_db = log_mel(y, config=FEATURES)
    seconds = np.arange(S_db.shape[1]) * FEATURES.frame_seconds
    attribution = Attribution(seconds, S_db, S_db, "Jazz", 0.0)
    bands = [str(i) for i in range(FEATURES.n_mels)]
    (found,) = attribution_figures(attribution, "SmoothGrad", bands=bands, start=0.0)
    assert found.title == "SmoothGrad: Jazz in time and frequency"
    assert "Smilkov" in found.note


def test_it_holds_the_answer_to_the_changed_track(analysis: Analysis) -> None:
    before = analysis.prediction
    after = dataclasses.replace(before, probs=before.probs[::-1])
    edits = Edits(
        mute_to_seconds=8.0, mute_below_dbfs=-40.0, mute_from_hz=100.0, mute_to_hz=400.0,
        noise_snr_db=20.0, tempo=0.85, level_db=-6.0,
    )  # fmt: skip
    (found,) = what_if_figures(before, after, edits)
    assert found.title == (
        "What if: 0:00 to 0:08 muted, what is quieter than -40 dBFS muted, 100 to 400 Hz muted, "
        "noise 20 dB below the music, tempo times 0.85, level -6 dB"
    )
    probs = {bar.name: dict(zip(bar.y, bar.x, strict=True)) for bar in found.figure.data}
    assert probs["after"][GENRES[0]] == probs["before"][GENRES[-1]]
    (simple,) = what_if_figures(before, after, Edits(tempo=2.0))
    assert simple.title == "What if: tempo times 2"


def test_what_is_not_music_is_not_called_not_sure(analysis: Analysis) -> None:
    prediction = dataclasses.replace(analysis.prediction, status="not_music")
    text = Parsed(write(dataclasses.replace(analysis, prediction=prediction))).text
    assert "Not music" in text
    assert "Not sure" not in text


def test_neighbours_are_named_and_escaped(analysis: Analysis) -> None:
    near = pd.DataFrame(
        [
            {
                "artist": ATTACK, "title": "Blue", "year": 1999, "genre": "", "predicted": "Jazz",
                "similarity": 0.912, "track_id": "1",
            }
        ]
    )  # fmt: skip
    parsed = Parsed(write(analysis, neighbours=near))
    assert f"{ATTACK}: Blue (1999)" in parsed.text
    assert "0.91" in parsed.text
    assert "img" not in {tag for tag, _ in parsed.elements}


def test_it_needs_nothing_else_and_can_be_sent(analysis: Analysis) -> None:
    html = write(analysis)
    elements = Parsed(html).elements
    assert not {"link", "iframe", "object", "embed", "base"} & {tag for tag, _ in elements}
    assert not [attrs for _, attrs in elements if {"src", "href"} & set(attrs)]
    assert "default-src 'none'" in html
    assert len(html) < 3_000_000


def test_hostile_names_and_tags_stay_text(analysis: Analysis) -> None:
    info = TrackInfo(FoundBy.TAGS, ATTACK, ATTACK, ATTACK, ATTACK)
    parsed = Parsed(write(analysis, info=info, name=ATTACK))
    assert parsed.text.count(ATTACK) == 6  # title, heading, four tags
    assert "img" not in {tag for tag, _ in parsed.elements}
    scripts = [attrs for tag, attrs in parsed.elements if tag == "script"]
    assert len({attrs.get("nonce") for attrs in scripts}) == 1
    assert all(attrs.get("nonce") for attrs in scripts)


def test_a_hostile_genre_does_not_end_the_figure(analysis: Analysis) -> None:
    genres = ("</script><script>alert(1)</script>", *GENRES[1:])
    prediction = dataclasses.replace(analysis.prediction, genres=genres)
    hostile = dataclasses.replace(analysis, prediction=prediction)
    assert "<script>alert" not in write(hostile)
