from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from songnet.exceptions import AudioTooShortError
from songnet.signal.statistics import (
    StatisticsConfig,
    clip_statistics,
    frame_features,
    statistics_names,
)

pytestmark = pytest.mark.timeout(1800)  # numba, TensorFlow: slow on a busy machine

CONFIG = StatisticsConfig()


def noise(seconds: float = 3.0) -> np.ndarray:
    rng = np.random.default_rng(0)
    return (0.1 * rng.standard_normal(int(seconds * CONFIG.sr))).astype(np.float32)


@pytest.fixture(scope="module")
def statistics() -> np.ndarray:
    return clip_statistics(noise(), config=CONFIG)


def test_63_features_of_seven_statistics_and_the_tempo(statistics):
    names = statistics_names(CONFIG)
    assert len(set(names)) == len(names) == 63 * 7 + 1
    assert statistics.shape == (len(names),)
    assert np.isfinite(statistics).all()


def test_statistics_are_those_of_the_frames(statistics):
    rows = frame_features(noise(), config=CONFIG)
    values = dict(zip(statistics_names(CONFIG), statistics, strict=True))
    for name, row in (("mfcc_2", rows["mfcc"][2]), ("contrast_5", rows["contrast"][5])):
        expected = {
            "mean": row.mean(),
            "std": row.std(),
            "median": np.median(row),
            "min": row.min(),
            "max": row.max(),
            "skew": stats.skew(row),
            "kurtosis": stats.kurtosis(row),
        }
        for moment, value in expected.items():
            assert values[f"{name}_{moment}"] == pytest.approx(value, rel=1e-3, abs=1e-3)


def test_a_tone_has_its_centroid_and_crossings():
    t = np.arange(3 * CONFIG.sr) / CONFIG.sr
    y = (0.3 * np.sin(2 * np.pi * 1000 * t)).astype(np.float32)
    values = dict(zip(statistics_names(CONFIG), clip_statistics(y, config=CONFIG), strict=True))
    assert values["centroid_0_median"] == pytest.approx(1000, rel=0.02)
    assert values["zero_crossings_0_median"] == pytest.approx(2000 / CONFIG.sr, rel=0.02)
    assert values["rms_0_median"] == pytest.approx(0.3 / 2**0.5, rel=0.02)


def test_silence_has_finite_statistics():
    assert np.isfinite(clip_statistics(np.zeros(CONFIG.sr, np.float32), config=CONFIG)).all()


def test_too_little_audio():
    with pytest.raises(AudioTooShortError, match="need 4608"):
        clip_statistics(np.zeros(1000, np.float32), config=CONFIG)
