"""Sections: they cover the track once, and stand where the genre changes."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from songnet.exceptions import ParameterError
from songnet.inference.prediction import Timeline
from songnet.inference.sections import MIN_SECTION_SECONDS, find_sections

GENRES = ("Blues", "Folk", "Jazz", "Rock")


def steps_of(tops: list[int], *, step_seconds: float = 2.0, sharpness: float = 0.85) -> Timeline:
    n = len(tops)
    probs = np.full((n, len(GENRES)), (1 - sharpness) / (len(GENRES) - 1))
    probs[np.arange(n), tops] = sharpness
    start = np.arange(n) * step_seconds
    return Timeline(start_seconds=start, end_seconds=start + step_seconds, probs=probs)


@settings(max_examples=60, deadline=None)
@given(
    n=st.integers(1, 60),
    step=st.floats(0.3, 12.0),
    min_seconds=st.sampled_from([0.0, 4.0, MIN_SECTION_SECONDS, 30.0]),
    penalty=st.sampled_from([0.0, 1.0, 4.0]),
    seed=st.integers(0, 1000),
)
def test_sections_cover_the_track_without_gaps_or_overlaps(
    n: int, step: float, min_seconds: float, penalty: float, seed: int
) -> None:
    start = np.arange(n) * step
    probs = np.random.default_rng(seed).dirichlet(np.full(len(GENRES), 0.3), n)
    steps = Timeline(start_seconds=start, end_seconds=np.append(start[1:], n * step), probs=probs)
    sections = find_sections(steps, genres=GENRES, min_seconds=min_seconds, penalty=penalty)
    assert sections[0].start_seconds == 0
    assert sections[-1].end_seconds == pytest.approx(n * step)
    for one, other in pairwise(sections):
        assert one.end_seconds == other.start_seconds
        assert one.genre != other.genre
    for section in sections:
        assert section.probs.sum() == pytest.approx(1)
        assert section.confidence == section.probs.max()
        assert section.genre == GENRES[int(section.probs.argmax())]
        if len(sections) > 1:
            assert section.end_seconds - section.start_seconds >= min_seconds - 1e-6


def test_a_change_is_found_where_it_is() -> None:
    sections = find_sections(steps_of([2] * 10 + [3] * 8), genres=GENRES)
    assert [(s.genre, s.start_seconds, s.end_seconds) for s in sections] == [
        ("Jazz", 0.0, 20.0),
        ("Rock", 20.0, 36.0),
    ]
    assert sections[0].confidence == pytest.approx(0.85)


def test_a_change_shorter_than_the_least_length_is_no_section() -> None:
    tops = [2] * 10 + [3] * 3 + [2] * 10
    assert len(find_sections(steps_of(tops), genres=GENRES)) == 1
    assert len(find_sections(steps_of(tops), genres=GENRES, min_seconds=6)) == 3


def test_a_wavering_track_is_one_section() -> None:
    tops = [2, 3] * 15
    assert len(find_sections(steps_of(tops, sharpness=0.3), genres=GENRES)) == 1


def test_impossible_settings_are_refused() -> None:
    with pytest.raises(ParameterError, match="min_seconds is -1"):
        find_sections(steps_of([0]), genres=GENRES, min_seconds=-1)
    with pytest.raises(ParameterError, match="2 genres are named, the steps have 4"):
        find_sections(steps_of([0]), genres=("A", "B"))
