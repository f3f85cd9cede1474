"""Figures: what they hold, how large they are, whether their colours can be seen."""

from __future__ import annotations

import tomllib
from pathlib import Path

import numpy as np
import pytest

from app.charts import (
    GENRE_COLORS,
    OTHER_COLOR,
    genre_colors,
    probabilities_figure,
    song_figure,
)
from songnet.inference.timeline import genre_steps
from songnet.signal.views import min_max_envelope
from tests.app.test_analysis import timeline_of

GENRES = tuple(f"Genre {i}" for i in range(10))


def luminance(color: str) -> float:
    rgb = np.array([int(color[i : i + 2], 16) for i in (1, 3, 5)]) / 255
    linear = np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)
    return float(linear @ [0.2126, 0.7152, 0.0722])


def contrast(one: str, other: str) -> float:
    dark, light = sorted((luminance(one), luminance(other)))
    return (light + 0.05) / (dark + 0.05)


@pytest.fixture(scope="module")
def themes() -> dict[str, dict[str, str]]:
    path = Path(__file__).parents[2] / ".streamlit" / "config.toml"
    theme = tomllib.loads(path.read_text(encoding="utf-8"))["theme"]
    return {name: theme[name] for name in ("light", "dark")}


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("color", [*GENRE_COLORS, OTHER_COLOR])
def test_colours_stand_out_in_both_themes(
    color: str, theme: str, themes: dict[str, dict[str, str]]
) -> None:
    assert contrast(color, themes[theme]["backgroundColor"]) >= 3


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_text_is_readable_in_both_themes(theme: str, themes: dict[str, dict[str, str]]) -> None:
    colors = themes[theme]
    for text in ("textColor", "primaryColor", "linkColor"):
        assert contrast(colors[text], colors["backgroundColor"]) >= 4.5
        assert contrast(colors[text], colors["secondaryBackgroundColor"]) >= 4.5


def test_each_genre_has_its_own_colour() -> None:
    colors = genre_colors(GENRES)
    assert len(set(colors.values())) == len(GENRES)
    assert OTHER_COLOR not in colors.values()


def test_probabilities_stand_in_order() -> None:
    probs = np.random.default_rng(0).dirichlet(np.ones(10))
    bars = probabilities_figure(GENRES, probs).data[0]
    assert list(bars.x) == sorted(probs)
    assert bars.y[-1] == GENRES[int(probs.argmax())]
    assert bars.marker.color[-1] == genre_colors(GENRES)[bars.y[-1]]


@pytest.mark.parametrize("duration", [1.0, 30.0, 3600.0])
def test_song_figure_is_small_and_complete(duration: float) -> None:
    y = np.random.default_rng(0).uniform(-1, 1, 200_000).astype(np.float32)
    steps = genre_steps(timeline_of(duration), duration_seconds=duration)
    figure = song_figure(min_max_envelope(y), steps, genres=GENRES, duration_seconds=duration)
    assert len(figure.to_json()) < 1_000_000
    bars = [trace for trace in figure.data if trace.type == "bar"]
    assert sum(np.array(trace.y) for trace in bars) == pytest.approx(1, abs=1e-3)
    assert [row[0] for row in bars[0].customdata] == pytest.approx(steps.start_seconds)


def test_waveform_is_coloured_by_the_genre_of_the_moment() -> None:
    steps = genre_steps(timeline_of(30.0), duration_seconds=30.0)
    y = np.ones(1600, np.float32)
    figure = song_figure(min_max_envelope(y), steps, genres=GENRES, duration_seconds=30.0)
    colors = {trace.fillcolor for trace in figure.data if trace.type == "scatter"}
    tops = {GENRES[i] for i in steps.probs.argmax(axis=1)}
    assert colors == {genre_colors(GENRES)[genre] for genre in tops}
