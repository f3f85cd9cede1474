"""Level, silence and clipping."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from songnet.signal.quality import LevelMeter, level_dbfs, measure_quality
from tests.encoders import noise, sine

SR = 16_000


@pytest.mark.parametrize(("level", "expected"), [(1.0, -3.01), (0.1, -23.01), (1e-3, -63.01)])
def test_level_of_a_sine(level: float, expected: float) -> None:
    y = sine(seconds=2, sr=SR, level=level)
    quality = measure_quality(y, sr=SR)
    assert level_dbfs(y) == pytest.approx(expected, abs=0.01)
    assert quality.level_dbfs == pytest.approx(expected, abs=0.01)
    assert quality.loudest_dbfs == pytest.approx(expected, abs=0.05)


@pytest.mark.parametrize("n", [0, 1, 100, SR])
def test_digital_silence(n: int) -> None:
    quality = measure_quality(np.zeros(n, np.float32), sr=SR)
    assert quality.is_silent
    assert quality.silent_share == 1
    assert quality.level_dbfs == quality.loudest_dbfs == -120
    assert level_dbfs(np.zeros(n, np.float32)) == -120
    assert not quality.is_clipped


def test_noise_below_the_threshold_is_silence_and_above_is_not() -> None:
    assert measure_quality(noise(seconds=2, level=5e-4), sr=SR).is_silent
    assert not measure_quality(noise(seconds=2, level=2e-3), sr=SR).is_silent


def test_one_short_sound_in_a_long_silence_is_sound() -> None:
    y = np.zeros(60 * SR, np.float32)
    y[30 * SR : 30 * SR + SR // 2] = sine(seconds=0.5, sr=SR, level=0.1)
    quality = measure_quality(y, sr=SR)
    assert not quality.is_silent
    assert 0.95 < quality.silent_share < 1


@pytest.mark.parametrize("n", [2, 2 * SR + 1, 9 * SR // 4])
def test_a_click_is_as_loud_at_the_end_as_elsewhere(n: int) -> None:
    first, last = np.zeros((2, n), np.float32)
    first[0] = last[-1] = 0.05
    loudest = [measure_quality(y, sr=SR).loudest_dbfs for y in (first, last)]
    assert loudest[1] == pytest.approx(loudest[0], abs=3.1)  # the last block may be twice as long


def test_a_meter_weighs_its_last_block_as_a_file_does() -> None:
    y = np.zeros(9 * SR // 10, np.float32)
    y[-1] = 0.1
    meter = LevelMeter(12)
    meter.push(y[:, None], sr=SR)
    expected = measure_quality(y, sr=SR)
    assert meter.quality(12).loudest_dbfs == pytest.approx(expected.loudest_dbfs, abs=1e-3)
    assert meter.quality(12).silent_share == expected.silent_share


def test_clipping_is_a_share_of_the_samples() -> None:
    y = np.zeros(1_000, np.float32)
    y[:10], y[10:20] = 1.0, -1.0
    quality = measure_quality(y, sr=SR)
    assert quality.clipped_share == pytest.approx(0.02)
    assert quality.is_clipped
    assert not measure_quality(0.99 * y, sr=SR).is_clipped


@settings(max_examples=30, deadline=None)
@given(n=st.integers(1, 20_000), gain_db=st.floats(-20, 0))
def test_level_follows_gain_at_any_length(n: int, gain_db: float) -> None:
    y = noise(seconds=n / SR)
    quieter = (y * 10 ** (gain_db / 20)).astype(np.float32)
    before, after = measure_quality(y, sr=SR), measure_quality(quieter, sr=SR)
    assert after.level_dbfs - before.level_dbfs == pytest.approx(gain_db, abs=1e-2)
    assert after.loudest_dbfs - before.loudest_dbfs == pytest.approx(gain_db, abs=1e-2)
    assert before.loudest_dbfs >= before.level_dbfs - 1e-6
