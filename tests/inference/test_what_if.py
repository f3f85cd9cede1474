"""Edits do what their names say, and nothing else."""

from __future__ import annotations

import numpy as np
import pytest

from songnet.exceptions import ParameterError
from songnet.inference.what_if import Edits, apply_edits
from songnet.signal.audio import Waveform
from songnet.signal.quality import level_dbfs
from tests.encoders import noise, sine

SR = 16_000


def chord(seconds: float = 4.0) -> Waveform:
    """A tone of 400 Hz and one of 3 kHz, equally loud."""
    tones = [sine(seconds=seconds, sr=SR, hz=hz) for hz in (400, 3000)]
    return (0.2 * (tones[0] + tones[1]) / max(1.0, np.abs(tones[0]).max())).astype(np.float32)


def tone_level(y: Waveform, hz: float) -> float:
    t = np.arange(y.size) / SR
    return float(2 * np.abs(np.mean(y * np.exp(-2j * np.pi * hz * t))))


def test_no_edit_changes_nothing() -> None:
    y = chord()
    before = y.copy()
    assert np.array_equal(apply_edits(y, Edits(), sr=SR), before)
    assert Edits().is_none
    apply_edits(y, Edits(level_db=3, mute_to_seconds=1), sr=SR)
    assert np.array_equal(y, before)


def test_a_stretch_is_muted_and_the_rest_is_kept() -> None:
    y = chord()
    edited = apply_edits(y, Edits(mute_from_seconds=1, mute_to_seconds=2), sr=SR)
    assert not edited[SR : 2 * SR].any()
    assert np.array_equal(edited[: SR - 400], y[: SR - 400])
    assert np.array_equal(edited[2 * SR + 400 :], y[2 * SR + 400 :])


def test_quiet_parts_are_muted() -> None:
    y = chord()
    y[: 2 * SR] *= 0.01
    edited = apply_edits(y, Edits(mute_below_dbfs=-30), sr=SR)
    assert not edited[: SR * 19 // 10].any()
    assert np.array_equal(edited[2 * SR + 400 :], y[2 * SR + 400 :])


@pytest.mark.parametrize(
    ("low", "high", "gone", "kept"),
    [(200, 800, 400, 3000), (0, 1000, 400, 3000), (2000, 8000, 3000, 400)],
)
def test_a_band_is_muted(low: float, high: float, gone: float, kept: float) -> None:
    y = chord()
    edited = apply_edits(y, Edits(mute_from_hz=low, mute_to_hz=high), sr=SR)
    assert tone_level(edited, gone) < 0.02 * tone_level(y, gone)
    assert tone_level(edited, kept) == pytest.approx(tone_level(y, kept), rel=0.03)


def test_noise_has_the_level_asked_for() -> None:
    y = chord()
    added = apply_edits(y, Edits(noise_snr_db=10), sr=SR) - y
    assert level_dbfs(y) - level_dbfs(added) == pytest.approx(10, abs=0.3)


@pytest.mark.parametrize("tempo", [0.5, 0.9, 1.5, 2.0])
def test_tempo_changes_the_length_and_keeps_the_pitch(tempo: float) -> None:
    y = sine(seconds=6, sr=SR, hz=440)
    edited = apply_edits(y, Edits(tempo=tempo), sr=SR)
    assert edited.size / y.size == pytest.approx(1 / tempo, rel=0.02)
    spectrum = np.abs(np.fft.rfft(edited[SR : 2 * SR]))
    assert spectrum.argmax() == pytest.approx(440, abs=3)


def test_level_is_changed_and_clipped() -> None:
    y = chord()
    quiet = apply_edits(y, Edits(level_db=-20), sr=SR)
    assert level_dbfs(y) - level_dbfs(quiet) == pytest.approx(20, abs=0.01)
    loud = apply_edits(noise(seconds=1, sr=SR), Edits(level_db=60), sr=SR)
    assert np.abs(loud).max() == 1


@pytest.mark.parametrize(
    "values",
    [
        {"mute_from_seconds": 3.0, "mute_to_seconds": 1.0},
        {"mute_from_hz": -1.0, "mute_to_hz": 10.0},
        {"tempo": 3.0},
        {"level_db": float("nan")},
    ],
)
def test_impossible_edits_are_refused(values: dict[str, float]) -> None:
    with pytest.raises(ParameterError, match="expected"):
        Edits(**values)


def test_a_band_beyond_the_audio_is_refused() -> None:
    with pytest.raises(ParameterError, match="no more than 8000 Hz"):
        apply_edits(chord(), Edits(mute_from_hz=100, mute_to_hz=9000), sr=SR)
