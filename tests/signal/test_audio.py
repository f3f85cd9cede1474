"""Decoding: every format from bytes, path and file object, and what it reports."""

from __future__ import annotations

import gc
import io
import struct
import tempfile
import tracemalloc
from pathlib import Path

import numpy as np
import pytest

from songnet.exceptions import AudioDecodeError, AudioTooLongError, ParameterError
from songnet.signal.audio import (
    AUDIO_EXTENSIONS,
    AudioSource,
    DecodeLimits,
    decode_audio,
    load_audio,
)
from tests.encoders import encode_pyav, encode_soundfile, noise, sine, strongest_hz

SR = 16_000
RMS = 0.5 / np.sqrt(2)
SOUNDFILE_KINDS = [
    ("wav", "WAV", "PCM_U8"),
    ("wav", "WAV", "PCM_16"),
    ("wav", "WAV", "PCM_24"),
    ("wav", "WAV", "PCM_32"),
    ("wav", "WAV", "FLOAT"),
    ("wav", "WAV", "DOUBLE"),
    ("wav", "WAV", "ULAW"),
    ("wav", "WAVEX", "PCM_16"),
    ("flac", "FLAC", "PCM_16"),
    ("flac", "FLAC", "PCM_24"),
    ("ogg", "OGG", "VORBIS"),
    ("opus", "OGG", "OPUS"),
    ("mp3", "MP3", None),
    ("aiff", "AIFF", "PCM_16"),
    ("au", "AU", "PCM_16"),
]
PYAV_KINDS = [
    ("m4a", "ipod", "aac"),
    ("mp4", "mp4", "aac"),
    ("m4a", "ipod", "alac"),
    ("aac", "adts", "aac"),
    ("webm", "webm", "libopus"),
    ("wma", "asf", "wmav2"),
]


def check_sine(
    y: np.ndarray, *, sr: int = SR, seconds: float = 1.0, padding: float = 0.001
) -> None:
    """440 Hz at -6 dBFS, as long as it was apart from the codec's padding."""
    middle = y[len(y) // 4 : 3 * len(y) // 4]
    assert y.dtype == np.float32
    assert y.ndim == 1
    assert y.size / sr == pytest.approx(seconds, abs=padding)
    assert strongest_hz(y, sr) == pytest.approx(440, abs=4 / seconds)
    assert np.sqrt(np.mean(middle**2)) == pytest.approx(RMS, rel=0.06)


@pytest.mark.parametrize(("extension", "kind", "subtype"), SOUNDFILE_KINDS)
@pytest.mark.parametrize("channels", [1, 2])
def test_libsndfile_formats(extension: str, kind: str, subtype: str | None, channels: int) -> None:
    sr = 48_000 if subtype == "OPUS" else 44_100
    data = encode_soundfile(sine(sr=sr, channels=channels), sr=sr, kind=kind, subtype=subtype)
    decoded = decode_audio(data, sr=SR)
    check_sine(decoded.y)
    assert (decoded.sr, decoded.source_sr, decoded.source_channels) == (SR, sr, channels)
    assert decoded.duration_seconds == decoded.y.size / SR
    assert decoded.warnings == ()
    assert extension in AUDIO_EXTENSIONS


@pytest.mark.parametrize(("extension", "container", "codec"), PYAV_KINDS)
@pytest.mark.parametrize("channels", [1, 2])
def test_ffmpeg_formats(extension: str, container: str, codec: str, channels: int) -> None:
    y = sine(sr=48_000, channels=channels)
    data = encode_pyav(y, sr=48_000, container=container, codec=codec)
    decoded = decode_audio(data, sr=SR)
    # A frame of padding at either end: AAC has 1024 samples, WMA 2048.
    check_sine(decoded.y, padding=2 * 1024 / 48_000)
    assert (decoded.source_sr, decoded.source_channels) == (48_000, channels)
    assert decoded.codec == codec.removeprefix("lib")
    assert decoded.warnings == ()
    assert extension in AUDIO_EXTENSIONS


def test_sound_of_a_video_is_read() -> None:
    data = encode_pyav(sine(), sr=44_100, container="mp4", codec="aac", video=True)
    check_sine(load_audio(data, sr=SR)[0], padding=0.05)


@pytest.mark.parametrize("sr", [8_000, 11_025, 16_000, 22_050, 32_000, 48_000, 96_000, 192_000])
def test_every_sample_rate(sr: int) -> None:
    y, _ = load_audio(encode_soundfile(sine(sr=sr), sr=sr, kind="WAV"), sr=SR)
    check_sine(y)


@pytest.mark.parametrize("target", [8_000, 16_000, 22_050, 44_100, 48_000])
def test_any_rate_is_given(target: int) -> None:
    y, sr = load_audio(encode_soundfile(sine(), sr=44_100, kind="FLAC"), sr=target)
    assert sr == target
    check_sine(y, sr=target)


def test_audio_at_its_own_rate_is_unchanged() -> None:
    expected = noise(seconds=2.0, sr=SR)
    y, _ = load_audio(encode_soundfile(expected, sr=SR, kind="WAV", subtype="FLOAT"), sr=SR)
    np.testing.assert_array_equal(y, expected)


def test_channels_are_averaged() -> None:
    channels = np.zeros((SR, 6), np.float32)
    channels[:, 4] = 0.6
    y, _ = load_audio(encode_soundfile(channels, sr=SR, kind="WAV", subtype="FLOAT"), sr=SR)
    np.testing.assert_allclose(y, 0.1, rtol=1e-6)


@pytest.mark.parametrize(("kind", "sr"), [("MP3", 44_100), ("OGG", 48_000)])
def test_encoder_delay_is_removed(kind: str, sr: int) -> None:
    burst = np.zeros(sr, np.float32)
    burst[sr // 2 : sr // 2 + sr // 10] = sine(seconds=0.1, sr=sr, hz=1000)
    subtype = "OPUS" if kind == "OGG" else None
    y, _ = load_audio(encode_soundfile(burst, sr=sr, kind=kind, subtype=subtype), sr=SR)
    loud = np.flatnonzero(np.abs(y) > 0.1)
    assert loud[0] / SR == pytest.approx(0.5, abs=0.005)
    assert loud[-1] / SR == pytest.approx(0.6, abs=0.005)


@pytest.mark.parametrize("header", [b"Xing", b"none"])
def test_whole_mp3_is_read_with_and_without_its_length(header: bytes) -> None:
    quiet_then_loud = np.concatenate([1e-3 * sine(seconds=6), sine(seconds=6)])
    data = encode_soundfile(quiet_then_loud, sr=44_100, kind="MP3")
    assert b"Xing" in data
    y, _ = load_audio(data.replace(b"Xing", header), sr=SR)
    assert y.size / SR == pytest.approx(12, abs=0.08)


def test_chained_ogg_is_read_whole() -> None:
    first = encode_soundfile(noise(seconds=1.0), sr=SR, kind="OGG", subtype="VORBIS")
    second = encode_soundfile(noise(seconds=2.0, seed=1), sr=SR, kind="OGG", subtype="VORBIS")
    assert load_audio(first + second, sr=SR)[0].size / SR == pytest.approx(3.0, abs=0.05)


@pytest.mark.parametrize(
    ("kind", "container"), [("WAV", None), ("MP3", None), (None, "ipod"), (None, "webm")]
)
def test_bytes_path_and_file_give_the_same(
    kind: str | None, container: str | None, tmp_path: Path
) -> None:
    codec = "aac" if container == "ipod" else "libopus"
    if kind:
        data = encode_soundfile(sine(), sr=44_100, kind=kind)
    else:
        data = encode_pyav(sine(sr=48_000), sr=48_000, container=str(container), codec=codec)
    path = tmp_path / "a file with no extension"
    path.write_bytes(data)
    expected = decode_audio(data, sr=SR)
    with path.open("rb") as file:
        sources: list[AudioSource] = [bytearray(data), memoryview(data), path, str(path), file]
        for source in sources:
            np.testing.assert_array_equal(decode_audio(source, sr=SR).y, expected.y)


def test_extension_is_no_evidence(tmp_path: Path) -> None:
    path = tmp_path / "song.raw"
    path.write_bytes(encode_soundfile(sine(), sr=44_100, kind="WAV"))
    check_sine(load_audio(path, sr=SR)[0])


def test_file_of_the_caller_is_read_from_its_start_and_left_open() -> None:
    file = io.BytesIO(encode_soundfile(sine(), sr=44_100, kind="FLAC"))
    file.seek(1000)
    check_sine(load_audio(file, sr=SR)[0])
    assert not file.closed


class Pipe(io.RawIOBase):
    """Bytes that cannot be rewound, as from a socket."""

    def __init__(self, data: bytes) -> None:
        self._data = io.BytesIO(data)

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        return self._data.readinto(buffer)


def test_file_that_cannot_seek_is_read() -> None:
    pipe = io.BufferedReader(Pipe(encode_soundfile(sine(), sr=44_100, kind="FLAC")))
    check_sine(load_audio(pipe, sr=SR)[0])


def count_open_files() -> int:
    """Descriptors of this process; always 0 where the system does not tell."""
    folder = Path("/proc/self/fd")
    return len(list(folder.iterdir())) if folder.is_dir() else 0


def test_nothing_is_left_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(temporary))
    good = tmp_path / "good.m4a"
    good.write_bytes(encode_pyav(sine(), sr=44_100, container="ipod", codec="aac"))
    bad = tmp_path / "bad.wav"
    bad.write_bytes(b"no audio at all")
    load_audio(good, sr=SR)
    gc.collect()
    n_open = count_open_files()
    for _ in range(3):
        load_audio(good, sr=SR)
        for path, limits in [(bad, None), (good, DecodeLimits(max_seconds=0.1))]:
            with pytest.raises((AudioDecodeError, AudioTooLongError)):
                load_audio(path, sr=SR, limits=limits)
    gc.collect()
    assert count_open_files() == n_open
    assert list(temporary.iterdir()) == []


def test_long_audio_is_decoded_block_by_block(tmp_path: Path) -> None:
    path = tmp_path / "long.wav"
    with path.open("wb") as file:
        header = encode_soundfile(np.zeros((0, 2), np.float32), sr=48_000, kind="WAV")
        n_bytes = 150 * 48_000 * 4
        file.write(header[:40] + struct.pack("<I", n_bytes))
        file.truncate(44 + n_bytes)
    tracemalloc.start()
    y, _ = load_audio(path, sr=8_000)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert y.size == 150 * 8_000
    assert peak < 2.5 * y.nbytes  # the file is 29 MB, its samples 58 MB, the result 5 MB


def test_longer_than_the_limit_is_refused() -> None:
    data = encode_soundfile(sine(seconds=3), sr=44_100, kind="MP3")
    assert load_audio(data, sr=SR, limits=DecodeLimits(max_seconds=3.1))[0].size
    with pytest.raises(AudioTooLongError, match=r"limit of 0\.0333 minutes; cut it"):
        load_audio(data, sr=SR, limits=DecodeLimits(max_seconds=2))


def test_limit_of_length_holds_for_ffmpeg() -> None:
    data = encode_pyav(sine(seconds=3), sr=44_100, container="ipod", codec="aac")
    with pytest.raises(AudioTooLongError, match="cut it"):
        load_audio(data, sr=SR, limits=DecodeLimits(max_seconds=2))


@pytest.mark.parametrize(("sr", "channels"), [(192_000, 2), (48_000, 8)])
def test_limit_of_samples_allows_what_real_music_has(sr: int, channels: int) -> None:
    data = encode_soundfile(np.zeros((sr, channels), np.float32), sr=sr, kind="FLAC")
    assert load_audio(data, sr=SR, limits=DecodeLimits(max_seconds=1))[0].size == SR


@pytest.mark.parametrize(("kind", "sr"), [("FLAC", 192_000), ("WAV", 384_000)])
def test_rate_and_channels_count_towards_the_limit(kind: str, sr: int) -> None:
    data = encode_soundfile(np.zeros((sr // 2, 8), np.float32), sr=sr, kind=kind)
    with pytest.raises(AudioTooLongError, match=rf"8 channels at {sr} Hz: more samples .* Export"):
        load_audio(data, sr=SR, limits=DecodeLimits(max_seconds=1))


@pytest.mark.parametrize("as_file", [False, True])
def test_larger_than_the_limit_is_refused(as_file: bool) -> None:
    data = encode_soundfile(sine(seconds=30), sr=44_100, kind="WAV")
    source = io.BytesIO(data) if as_file else data
    with pytest.raises(AudioTooLongError, match="limit of 1 MB; cut it or convert"):
        load_audio(source, sr=SR, limits=DecodeLimits(max_bytes=2**20))


@pytest.mark.parametrize("kind", ["FLAC", "AIFF"])
def test_clipping_is_that_of_the_file_in_any_channel(kind: str) -> None:
    y = sine(channels=2, level=0.1)
    y[::4, 1] = 1.0
    y[1::8, 0] = -1.0
    decoded = decode_audio(encode_soundfile(y, sr=44_100, kind=kind), sr=SR)
    assert decoded.clipped_share == pytest.approx(3 / 8, abs=1e-3)
    assert np.abs(decoded.y).max() < 0.9


@pytest.mark.parametrize("source", [None, 3, io.StringIO("text"), ["a.wav"]])
def test_what_is_no_source_is_a_mistake_of_the_caller(source: object) -> None:
    with pytest.raises(ParameterError, match=r"bytes, a path or|mode 'rb'"):
        load_audio(source, sr=SR)  # type: ignore[arg-type]


def test_closed_file_is_a_mistake_of_the_caller() -> None:
    file = io.BytesIO(b"RIFF")
    file.close()
    with pytest.raises(ParameterError, match="open binary file"):
        load_audio(file, sr=SR)
