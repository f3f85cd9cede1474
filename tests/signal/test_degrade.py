"""Degradation: another sound of the same music, always the same one for a track."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from songnet.exceptions import DatasetError, ParameterError
from songnet.signal.degrade import (
    TEST_DEGRADATION,
    TRAINING_DEGRADATION,
    Degradation,
    degrade,
    find_rooms,
    recode,
)
from tests.encoders import encode_soundfile, noise, sine, strongest_hz

SR = 16_000
CLEAN = Degradation(
    room_share=0.0,
    low_hz=(1.0, 1.0),
    high_hz=(7900.0, 7900.0),
    snr_db=(80.0, 80.0),
    gain_db=(0.0, 0.0),
    codecs=("aac",),
    bit_rate=(128_000.0, 128_000.0),
)


def band_level(y: np.ndarray, low: float, high: float) -> float:
    power = np.abs(np.fft.rfft(y)) ** 2
    hz = np.fft.rfftfreq(y.size, 1 / SR)
    return float(10 * np.log10(power[(hz >= low) & (hz < high)].mean() + 1e-12))


def write_rooms(folder: Path, count: int) -> Path:
    rooms = folder / "rooms"
    rooms.mkdir()
    for index in range(count):
        data = encode_soundfile(noise(seconds=0.1, sr=SR, seed=index), sr=SR, kind="WAV")
        (rooms / f"room {index}.wav").write_bytes(data)
    return rooms


@pytest.mark.parametrize("codec", ["libopus", "libmp3lame", "aac"])
def test_a_codec_keeps_the_tone_and_the_length(codec):
    y = sine(seconds=2.0, sr=SR, hz=880.0)
    again = recode(y, sr=SR, codec=codec, bit_rate=32_000)
    assert again.shape == y.shape
    assert again.dtype == np.float32
    assert strongest_hz(again, SR) == pytest.approx(880.0, abs=2)
    assert not np.array_equal(again, y)


def test_the_same_track_sounds_the_same_and_another_one_different():
    y = noise(seconds=1.0, sr=SR)
    first = degrade(y, sr=SR, key="a", settings=TRAINING_DEGRADATION)
    np.testing.assert_array_equal(first, degrade(y, sr=SR, key="a", settings=TRAINING_DEGRADATION))
    assert not np.array_equal(first, degrade(y, sr=SR, key="b", settings=TRAINING_DEGRADATION))


def test_the_speaker_cuts_lows_and_highs():
    y = noise(seconds=2.0, sr=SR)
    settings = CLEAN.replace(low_hz=(400.0, 400.0), high_hz=(3000.0, 3000.0))
    heard = degrade(y, sr=SR, key="a", settings=settings)
    middle = band_level(heard, 800, 2000)
    assert band_level(heard, 20, 100) < middle - 15
    assert band_level(heard, 5500, 7000) < middle - 15


def test_noise_is_as_loud_as_the_ratio_says():
    y = sine(seconds=2.0, sr=SR, hz=1000.0, level=0.1)
    quiet = degrade(y, sr=SR, key="a", settings=CLEAN)
    loud = degrade(y, sr=SR, key="a", settings=CLEAN.replace(snr_db=(0.0, 0.0)))
    power = np.square(loud).mean() - np.square(quiet).mean()
    assert 10 * np.log10(np.square(quiet).mean() / power) == pytest.approx(0.0, abs=1.5)


def test_a_room_smears_what_was_short():
    y = np.zeros(SR, np.float32)
    y[SR // 4 : SR // 4 + 200] = 0.5
    settings = CLEAN.replace(room_share=1.0, wet=(0.8, 0.8), snr_db=(60.0, 60.0))
    dry = degrade(y, sr=SR, key="a", settings=CLEAN.replace(snr_db=(60.0, 60.0)))
    wet = degrade(y, sr=SR, key="a", settings=settings)
    after = slice(SR // 4 + 2000, SR // 4 + 4000)
    assert np.square(wet[after]).mean() > 10 * np.square(dry[after]).mean()


def test_silence_stays_finite():
    heard = degrade(np.zeros(SR, np.float32), sr=SR, key="a", settings=TEST_DEGRADATION)
    assert np.isfinite(heard).all()


def test_rooms_for_training_and_test_differ(tmp_path, monkeypatch):
    rooms = write_rooms(tmp_path, 6)
    read = []
    monkeypatch.setattr(
        "songnet.signal.degrade._read_room", lambda path, sr: read.append(path) or np.ones(1)
    )
    for settings in (TRAINING_DEGRADATION, TEST_DEGRADATION):
        degrade(noise(), sr=SR, key="a", settings=settings.replace(rooms_folder=str(rooms)))
    assert len(read) == len(set(read)) == 6


def test_the_hash_is_of_the_rooms_not_of_their_place(tmp_path):
    for name in ("a", "b", "c"):
        (tmp_path / name).mkdir()
    folders = [
        write_rooms(tmp_path / name, count) for name, count in zip("abc", (3, 3, 2), strict=True)
    ]
    hashes = [TRAINING_DEGRADATION.replace(rooms_folder=str(f)).hash for f in folders]
    assert hashes[0] == hashes[1] != hashes[2]
    described = TRAINING_DEGRADATION.replace(rooms_folder=str(folders[0])).describe()
    assert str(tmp_path) not in str(described)
    assert described["rooms"] == "measured"
    assert TRAINING_DEGRADATION.describe()["rooms"] == "synthetic"


def test_rooms_are_found_by_option_and_variable(tmp_path, monkeypatch):
    monkeypatch.delenv("SONGNET_SOUNDS", raising=False)
    assert find_rooms() == ""
    with pytest.raises(DatasetError, match="holds no impulse responses"):
        find_rooms(tmp_path)
    rooms = write_rooms(tmp_path, 2)
    monkeypatch.setenv("SONGNET_SOUNDS", str(tmp_path))
    assert find_rooms() == str(rooms)


def test_a_file_that_is_no_room_is_named(tmp_path):
    rooms = write_rooms(tmp_path, 2)
    (rooms / "room 0.wav").write_text("not audio")
    settings = TEST_DEGRADATION.replace(rooms_folder=str(rooms))
    with pytest.raises(DatasetError, match=r"room 0\.wav cannot be read"):
        degrade(noise(), sr=SR, key="a", settings=settings)


@pytest.mark.parametrize(
    ("change", "message"),
    [({"codecs": ("flac",)}, "codecs has"), ({"wet": (0.8, 0.2)}, "lower value first")],
)
def test_impossible_settings_are_refused(change, message):
    with pytest.raises(ParameterError, match=message):
        Degradation(**change)
