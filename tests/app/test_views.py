"""Views and figures of a track: what they hold, and how large they are."""

from __future__ import annotations

import csv
import io
import re
from pathlib import Path

import numpy as np
import pytest

from app.charts import GENRE_COLORS
from app.charts_change import attribution_figure, change_figure, timelines_figure
from app.charts_explanation import (
    evidence_figure,
    group_moments,
    sections_figure,
    spread_figure,
)
from app.charts_views import navigator_figure, views_figure
from app.downloads import sections_csv
from app.track_state import TrackState
from app.views import (
    PICTURES,
    Span,
    ViewData,
    draw_picture,
    loudness_view,
    rhythm_view,
    to_csv,
)
from songnet.config import FeatureConfig
from songnet.inference.explain import Attribution
from songnet.inference.sections import find_sections
from songnet.inference.timeline import genre_steps, window_spread
from songnet.signal.loudness import Loudness
from songnet.signal.rhythm import Rhythm
from songnet.signal.views import min_max_envelope
from tests.app.test_analysis import timeline_of
from tests.app.test_charts import GENRES, contrast
from tests.encoders import noise

CONFIG = FeatureConfig()
MEGABYTE = 1_000_000
# Chroma needs librosa, which takes long to import: its figure is like that of MFCC.
DRAWN = [name for name in PICTURES if name != "Chroma"]


def views_of(duration: float, span: Span) -> list[ViewData]:
    y = noise(seconds=duration, sr=CONFIG.sr)
    views = [draw_picture(name, y, config=CONFIG, span=span) for name in DRAWN]
    rng = np.random.default_rng(0)
    tenths = np.arange(1, round(duration * 10) + 1) / 10
    levels = rng.normal(-20, 5, tenths.size)
    views.append(loudness_view(Loudness(tenths, levels, levels, -20.0, 8.0), span=span))
    frames = np.arange(0, duration, 0.032)
    rhythm = Rhythm(120.0, np.arange(0, duration, 0.5), frames, rng.random(frames.size))
    return [*views, rhythm_view(rhythm, span=span)]


@pytest.mark.parametrize("span", [Span(0, 600), Span(300, 302), Span(0, 120)])
def test_all_views_of_ten_minutes_stay_below_a_megabyte(span: Span) -> None:
    views = views_of(600.0, span)
    figure = views_figure(views, span=span)
    assert len(figure.to_json()) < MEGABYTE
    for view in views:
        assert view.values.shape == (len(view.columns), view.seconds.size)
        assert view.seconds.min() >= span.start_seconds - 0.05
        assert view.seconds.max() <= span.end_seconds + 0.15


def test_resolution_follows_the_zoom() -> None:
    y = noise(seconds=60, sr=CONFIG.sr)
    whole, part = (
        draw_picture("Waveform", y, config=CONFIG, span=span).seconds
        for span in (Span(0, 60), Span(10, 11))
    )
    assert whole.size == part.size
    assert np.diff(part)[0] == pytest.approx(np.diff(whole)[0] / 60)


def test_pictures_are_sent_as_whole_numbers_of_a_byte() -> None:
    y = noise(seconds=5, sr=CONFIG.sr)
    view = draw_picture("Mel-spectrogram", y, config=CONFIG, span=Span(0, 5))
    trace = views_figure([view], span=Span(0, 5)).data[0]
    assert trace.z.dtype == np.int8
    np.testing.assert_allclose(trace.z, view.values, atol=0.5)
    assert len(set(view.columns)) == CONFIG.n_mels


def test_csv_holds_every_moment_with_units() -> None:
    views = views_of(20.0, Span(5, 9))
    for view in views:
        rows = list(csv.reader(io.StringIO(to_csv(view))))
        assert rows[0][0] == "seconds"
        assert all(f"[{view.unit}]" in name for name in rows[0][1:])
        assert len(rows[1]) == 1 + len(view.columns)
        assert float(rows[1][0]) == pytest.approx(view.seconds[0], abs=1e-3)
        n_beats = view.marks.size + 1 if view.marks.size else 0
        assert len(rows) == 1 + view.seconds.size + n_beats


def test_beats_too_close_to_tell_apart_are_not_drawn() -> None:
    assert views_of(600.0, Span(0, 600))[-1].marks.size == 0
    assert views_of(600.0, Span(0, 20))[-1].marks.size == 41


def test_navigator_bars_cover_the_track_and_frame_the_span() -> None:
    envelope = min_max_envelope(noise(seconds=30, sr=CONFIG.sr))
    figure = navigator_figure(envelope, duration_seconds=30.0, span=Span(3, 6))
    starts = [row[0] for row in figure.data[0].customdata]
    assert starts[0] == 0
    assert np.diff(starts) == pytest.approx(30 / len(starts))
    assert len(figure.layout.shapes) == 1
    whole = navigator_figure(envelope, duration_seconds=30.0, span=Span(0, 30))
    assert not whole.layout.shapes


@pytest.mark.parametrize("duration", [1.0, 30.0, 3600.0])
def test_figures_of_the_answer_are_small(duration: float) -> None:
    timeline = timeline_of(duration)
    steps = genre_steps(timeline, duration_seconds=duration)
    sections = find_sections(steps, genres=GENRES)
    figure = sections_figure(steps, sections, genres=GENRES, duration_seconds=duration)
    assert len(figure.to_json()) < MEGABYTE
    assert [row[0] for row in figure.data[0].customdata] == [s.start_seconds for s in sections]
    assert len(spread_figure(window_spread(timeline), genres=GENRES).to_json()) < MEGABYTE
    rows = list(csv.reader(io.StringIO(sections_csv(sections, genres=GENRES))))
    assert rows[0] == ["start_seconds", "end_seconds", "genre", "confidence", *GENRES]
    assert len(rows) == len(sections) + 1


def test_the_genre_in_a_section_can_be_read(repo_root: Path) -> None:
    """Dark on every colour, on dark pages too: style.css must not give it the page's colour."""
    timeline = timeline_of(30.0)
    sections = find_sections(genre_steps(timeline, duration_seconds=30.0), genres=GENRES)
    figure = sections_figure(timeline, sections, genres=GENRES, duration_seconds=30.0)
    text = figure.data[0].textfont.color
    assert min(contrast(text, color) for color in GENRE_COLORS) > 4.3
    style = (repo_root / "app" / "assets" / "style.css").read_text("utf-8")
    assert not re.search(r"\.bartext(-inside)?\b(?!-)", style)


@pytest.mark.parametrize("n_moments", [1, 12, 5000])
def test_grouped_evidence_keeps_its_sum(n_moments: int) -> None:
    duration = 0.2 * n_moments
    seconds = (np.arange(n_moments) + 0.5) * 0.2
    values = np.random.default_rng(0).normal(size=n_moments)
    edges, sums = group_moments(seconds, values, duration_seconds=duration)
    assert sums.sum() == pytest.approx(values.sum())
    assert edges[-1] == pytest.approx(duration)
    figure = evidence_figure(edges, sums, genre="Jazz", against="Rock", color="#3b82d6")
    colors = np.array(figure.data[0].marker.color)
    assert ((colors == "#3b82d6") == (sums >= 0)).all()
    assert len(figure.to_json()) < MEGABYTE


def test_attribution_keeps_its_place_and_sign() -> None:
    values = np.zeros((CONFIG.n_mels, 1500), np.float32)
    values[10:12, 700:760] = 1
    values[40:42, 200:260] = -1
    seconds = np.arange(1500) * CONFIG.frame_seconds
    attribution = Attribution(seconds, values * 0 - 30, values, "Jazz", 1.0)
    bands = [f"{i} Hz" for i in range(CONFIG.n_mels)]
    figure = attribution_figure(attribution, bands=bands, start=12.0)
    assert len(figure.to_json()) < MEGABYTE
    share = np.asarray(figure.data[1].z)
    assert share[11].max() > 0 > share[41].min()
    assert share[11].argmax() / share.shape[1] == pytest.approx(700 / 1500, abs=0.05)


def test_two_answers_stand_in_one_order() -> None:
    first, second = np.random.default_rng(0).dirichlet(np.ones(10), 2)
    figure = change_figure(GENRES, first, second, names=("before", "after"))
    hostile = change_figure(GENRES, first, second, names=("%{x}<b>", "after"))
    assert hostile.data[1].name == "%{x}&lt;b&gt;"
    assert {trace.hovertemplate for trace in hostile.data} == {
        trace.hovertemplate for trace in figure.data
    }
    by_name = {trace.name: trace for trace in figure.data}
    assert list(by_name["before"].x) == sorted(first)
    assert [second[GENRES.index(genre)] for genre in by_name["after"].y] == list(by_name["after"].x)


def test_two_timelines_share_their_axis_and_legend() -> None:
    short, long = (
        genre_steps(timeline_of(seconds, seed=int(seconds)), duration_seconds=seconds)
        for seconds in (30.0, 90.0)
    )
    figure = timelines_figure(GENRES, short, long, names=("<b>one</b>", "two"))
    assert figure.layout.xaxis.range == figure.layout.xaxis2.range
    assert [a.text for a in figure.layout.annotations] == ["&lt;b&gt;one&lt;/b&gt;", "two"]
    shown = [trace.name for trace in figure.data if trace.showlegend]
    assert len(shown) == len(set(shown))
    assert set(shown) == {trace.name for trace in figure.data}


def test_the_shown_stretch_stays_within_the_track() -> None:
    state = TrackState(clip_number=1, duration_seconds=20.0, span=Span(0, 20))
    state.zoom(2)
    assert state.span == Span(0, 20)
    for _ in range(12):
        state.zoom(0.5)
    assert state.span.seconds == 0.5
    state.move(-1000)
    assert state.span.start_seconds == 0
    state.show(18, 40)
    assert state.span == Span(0, 20)
