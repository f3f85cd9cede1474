"""Views of a sound: right where it can be told, small whatever the length."""

from __future__ import annotations

import numpy as np
import pytest

from songnet.config import FeatureConfig
from songnet.exceptions import AudioDecodeError, AudioTooLongError
from songnet.signal.audio import DecodeLimits
from songnet.signal.loudness import measure_loudness
from songnet.signal.rhythm import find_beats
from songnet.signal.views import (
    MAX_COLUMNS,
    PITCH_CLASSES,
    draw_chroma,
    draw_mel,
    draw_mfcc,
    draw_spectrogram,
    min_max_envelope,
)
from tests.encoders import encode_soundfile, noise, sine
from tests.matroska import write_matroska

CONFIG = FeatureConfig()
SR = CONFIG.sr


@pytest.mark.parametrize("seconds", [0.02, 3.0, 90.0])
def test_every_view_fits_a_screen_and_the_sound(seconds: float) -> None:
    y = noise(seconds=seconds, sr=SR)
    for picture in (
        draw_spectrogram(y, sr=SR),
        draw_mel(y, config=CONFIG),
        draw_mfcc(y, config=CONFIG),
    ):
        n_rows, n_columns = picture.values.shape
        assert n_columns == picture.seconds.size <= MAX_COLUMNS
        assert n_rows == picture.rows.size
        assert np.isfinite(picture.values).all()
        assert picture.seconds[0] >= 0
        assert picture.seconds[-1] <= max(seconds, CONFIG.n_fft / SR)
        assert (np.diff(picture.seconds) > 0).all()


def test_a_full_scale_sine_is_at_zero_db_at_its_frequency() -> None:
    t = np.arange(4 * SR) / SR
    picture = draw_spectrogram(np.sin(2 * np.pi * 1000 * t).astype(np.float32), sr=SR)
    middle = picture.values[:, picture.values.shape[1] // 2]
    assert middle.max() == pytest.approx(0, abs=0.5)
    assert picture.rows[middle.argmax()] == pytest.approx(1000, abs=40)


def test_a_moment_stands_where_it_is() -> None:
    y = np.zeros(100 * SR, np.float32)
    y[70 * SR : 70 * SR + 800] = noise(seconds=1, sr=SR)[:800]
    for picture in (draw_spectrogram(y, sr=SR), draw_mel(y, config=CONFIG)):
        loudest = picture.seconds[picture.values.mean(axis=0).argmax()]
        assert loudest == pytest.approx(70, abs=0.2)


def test_mfcc_is_librosas() -> None:
    librosa = pytest.importorskip("librosa")
    y = noise(seconds=3, sr=SR)
    expected = librosa.feature.mfcc(S=draw_mel(y, config=CONFIG).values, n_mfcc=21)[1:]
    np.testing.assert_allclose(draw_mfcc(y, config=CONFIG).values, expected, atol=1e-3)


def test_chroma_names_the_note() -> None:
    picture = draw_chroma(sine(seconds=2, sr=SR, hz=440), sr=SR)
    assert PITCH_CLASSES[int(picture.values.mean(axis=1).argmax())] == "A"
    assert picture.values.max() == pytest.approx(1)


def test_beats_of_a_metronome() -> None:
    y = 0.001 * noise(seconds=20, sr=SR)
    for beat in range(1, 40):
        y[beat * SR // 2 : beat * SR // 2 + 400] += noise(seconds=1, sr=SR)[:400]
    rhythm = find_beats(y, sr=SR)
    assert rhythm.tempo_bpm == pytest.approx(120, rel=0.05)
    distances = np.abs(rhythm.beat_seconds - np.round(rhythm.beat_seconds * 2) / 2)
    assert np.median(distances) < 0.06
    assert find_beats(np.zeros(2 * SR, np.float32), sr=SR).beat_seconds.size == 0


def test_envelope_of_a_zoom_shows_what_the_whole_hides() -> None:
    y = noise(seconds=10, sr=SR)
    part = min_max_envelope(y[:1200], n_bins=1200)
    assert np.array_equal(part.low, y[:1200])


@pytest.mark.parametrize(("sr", "channels", "lufs"), [(48_000, 2, -20.0), (44_100, 1, -23.0)])
def test_loudness_of_the_reference_tone(sr: int, channels: int, lufs: float) -> None:
    """EBU Tech 3341: 1 kHz at -20 dBFS on both channels is -20 LUFS."""
    t = np.arange(6 * sr) / sr
    tone = (0.1 * np.sin(2 * np.pi * 1000 * t)).astype(np.float32)
    data = encode_soundfile(np.stack([tone] * channels, axis=1), sr=sr, kind="WAV")
    loudness = measure_loudness(data)
    assert loudness.integrated_lufs == pytest.approx(lufs, abs=0.1)
    assert loudness.momentary_lufs[-1] == pytest.approx(lufs, abs=0.1)
    assert loudness.seconds[-1] == pytest.approx(6.0, abs=0.11)


def test_loudness_refuses_what_the_decoder_refuses() -> None:
    with pytest.raises(AudioDecodeError):
        measure_loudness(b"no music" * 100)
    data = encode_soundfile(noise(seconds=3, sr=SR), sr=SR, kind="WAV")
    with pytest.raises(AudioTooLongError, match="longer than the limit"):
        measure_loudness(data, limits=DecodeLimits(max_seconds=2))
    wide = encode_soundfile(np.zeros((SR, 64), np.float32), sr=SR, kind="WAV")
    with pytest.raises(AudioTooLongError, match=r"64 channels at .* more samples"):
        measure_loudness(wide, limits=DecodeLimits(max_seconds=2))


def test_loudness_of_more_channels_than_a_layout_names_is_that_of_their_mean() -> None:
    t = np.arange(8_000) / 8_000
    tone = (3_276.7 * np.sin(2 * np.pi * 1000 * t)).astype("<i2")
    data = write_matroska([(1, np.repeat(tone, 12).tobytes())] * 4, channels=12)
    assert measure_loudness(data).integrated_lufs == pytest.approx(-23.0, abs=0.1)


def test_loudness_at_no_rate_is_refused_in_words() -> None:
    with pytest.raises(AudioDecodeError, match="claims 0 Hz and 0 channels"):
        measure_loudness(write_matroska([(1, bytes(1600))] * 20, sr=0))
