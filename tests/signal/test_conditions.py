from __future__ import annotations

import numpy as np
import pytest

from songnet.exceptions import ParameterError
from songnet.signal.conditions import (
    CLEAN,
    CONDITION_SR,
    DEGRADED_CONDITIONS,
    SECONDS_CONDITIONS,
    Condition,
    apply_condition,
)


def tones(*hz: float, seconds: float = 2.0) -> np.ndarray:
    t = np.arange(int(seconds * CONDITION_SR)) / CONDITION_SR
    return (0.2 * sum(np.sin(2 * np.pi * f * t) for f in hz)).astype(np.float32)


def heard(y: np.ndarray, condition: Condition, key: str = "a") -> np.ndarray:
    return apply_condition(y, sr=CONDITION_SR, key=key, condition=condition)


def level_db(y: np.ndarray, hz: float) -> float:
    spectrum = np.abs(np.fft.rfft(y * np.hanning(y.size)))
    return 20 * np.log10(spectrum[round(hz * y.size / CONDITION_SR)])


def test_clean_is_untouched():
    y = tones(440)
    np.testing.assert_array_equal(heard(y, CLEAN), y)


@pytest.mark.parametrize("condition", DEGRADED_CONDITIONS, ids=lambda c: c.name)
def test_each_condition_changes_the_same_track_in_the_same_way(condition):
    y = tones(440, 6000)
    changed = heard(y, condition)
    assert changed.shape == y.shape
    assert changed.dtype == np.float32
    assert not np.allclose(changed, y, atol=1e-3)
    np.testing.assert_array_equal(changed, heard(y, condition))


@pytest.mark.parametrize("snr_db", [20.0, 10.0, 0.0])
def test_noise_is_as_loud_as_it_says(snr_db):
    y = tones(440)
    noise = heard(y, Condition("noise", snr_db=snr_db)) - y
    measured = 10 * np.log10(np.mean(y**2) / np.mean(noise**2))
    assert measured == pytest.approx(snr_db, abs=0.3)
    other = heard(y, Condition("noise", snr_db=snr_db), key="b") - y
    assert abs(np.corrcoef(noise, other)[0, 1]) < 0.1


def test_a_telephone_keeps_its_band_only():
    y = tones(60, 1000, 8000)
    lost = [level_db(y, hz) - level_db(heard(y, DEGRADED_CONDITIONS[2]), hz) for hz in (60, 8000)]
    assert min(lost) > 20
    assert level_db(heard(y, DEGRADED_CONDITIONS[2]), 1000) == pytest.approx(
        level_db(y, 1000), abs=0.5
    )


def test_seconds_are_the_first_ones():
    y = tones(440, seconds=6.0)
    np.testing.assert_array_equal(heard(y, SECONDS_CONDITIONS[2]), y[: 5 * CONDITION_SR])
    assert [c.seconds for c in SECONDS_CONDITIONS] == [1, 3, 5, 10, 20, 30]


@pytest.mark.parametrize(
    "values", [{"seconds": 0.0}, {"band_hz": (300.0,)}, {"codec": "libopus"}, {"bit_rate": 8000}]
)
def test_impossible_conditions_are_refused(values):
    with pytest.raises(ParameterError):
        Condition("x", **values)
