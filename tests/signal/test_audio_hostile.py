"""Decoding what is damaged, lies or is no audio."""

from __future__ import annotations

import io
import struct
import zipfile
import zlib
from pathlib import Path
from typing import Any, BinaryIO, cast

import av
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from songnet.exceptions import AudioDecodeError
from songnet.signal.audio import decode_audio, load_audio
from songnet.signal.decoders import PyAVStream
from tests.encoders import encode_pyav, encode_soundfile, noise, sine
from tests.matroska import write_matroska

SR = 16_000
RNG = np.random.default_rng(0)
DAMAGED = "The file is damaged: only part of it could be read."
WAV = encode_soundfile(sine(), sr=44_100, kind="WAV")


def zip_of_audio() -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("song.wav", WAV)
    return file.getvalue()


NOT_AUDIO = {
    "one byte": b"R",
    "text": b"All the songs I know\n" * 500,
    "UTF-16 text": ("All the songs I know\n" * 500).encode("utf-16"),
    "table": b"artist,title\nA,B\n" * 500,
    "random": RNG.bytes(20_000),
    "random after an MPEG header": b"\xff\xfb\x90\x64" + RNG.bytes(20_000),
    "random after an ID3 header": b"ID3\x03\0\0\0\0\0\x20" + RNG.bytes(20_000),
    "random after a RIFF header": b"RIFF\xff\xff\0\0WAVE" + RNG.bytes(20_000),
    "random after an OGG header": b"OggS\0\x02" + RNG.bytes(20_000),
    "random after a FLAC header": b"fLaC\0\0\0\x22" + RNG.bytes(20_000),
    "PNG": b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR" + RNG.bytes(5_000),
    "JPEG": b"\xff\xd8\xff\xe0\0\x10JFIF\0" + RNG.bytes(5_000),
    "PDF": b"%PDF-1.7\n" + RNG.bytes(5_000),
    "zip": zip_of_audio(),
    "header only": WAV[:20],
    "zeros": bytes(20_000),
}


@pytest.mark.parametrize("name", NOT_AUDIO)
def test_what_is_no_audio_is_refused(name: str) -> None:
    with pytest.raises(AudioDecodeError, match=r"expected one of wav, flac.*Choose another|Export"):
        load_audio(NOT_AUDIO[name], sr=SR)


@settings(max_examples=40, deadline=None)
@given(
    head=st.sampled_from([b"", b"\xff\xfb", b"RIFF", b"ID3\x04", b"OggS"]),
    data=st.binary(min_size=1),
)
def test_any_bytes_give_audio_or_a_decode_error(head: bytes, data: bytes) -> None:
    try:
        decoded = decode_audio(head + data, sr=SR)
    except AudioDecodeError:
        return
    assert np.isfinite(decoded.y).all()


def test_empty_file_is_refused() -> None:
    with pytest.raises(AudioDecodeError, match=r"empty \(0 bytes\); choose"):
        load_audio(b"", sr=SR)


def test_video_without_sound_is_refused() -> None:
    data = encode_pyav(sine(), sr=44_100, container="mp4", codec="aac", video=True, audio=False)
    with pytest.raises(AudioDecodeError, match=r"no audio stream.*choose one with sound"):
        load_audio(data, sr=SR)


@pytest.mark.parametrize("n_samples", [0, 1])
def test_audio_without_a_sample_is_refused(n_samples: int) -> None:
    data = encode_soundfile(np.zeros(n_samples, np.float32), sr=44_100, kind="WAV")
    with pytest.raises(AudioDecodeError, match=r"holds no sample. Export it again"):
        load_audio(data, sr=SR)


def test_path_that_is_no_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(AudioDecodeError, match=r"is a folder; expected an audio file. Check"):
        load_audio(tmp_path, sr=SR)
    with pytest.raises(AudioDecodeError, match=r"is missing; expected an audio file. Check"):
        load_audio(tmp_path / "none.mp3", sr=SR)
    with pytest.raises(AudioDecodeError, match=r"is missing|cannot be read"):
        load_audio("a\0b", sr=SR)
    with pytest.raises(AudioDecodeError, match=r"cannot be read \(.*\); check its name"):
        load_audio("a" * 5_000, sr=SR)


def test_unreadable_file_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "secret.wav"
    path.write_bytes(WAV)

    def refuse(*_: object) -> int:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("songnet.signal.audio.os.open", refuse)
    with pytest.raises(AudioDecodeError, match=r"secret.wav cannot be read \(Permission denied\)"):
        load_audio(path, sr=SR)


def wav_with(position: int, value: bytes) -> bytes:
    return WAV[:position] + value + WAV[position + len(value) :]


@pytest.mark.parametrize("rate", [0, 1, 999, 800_000, 4_000_000_000])
def test_absurd_sample_rate_is_refused(rate: int) -> None:
    with pytest.raises(
        AudioDecodeError, match=r"claims .* Hz.*expected 1000-768000 Hz|expected one"
    ):
        load_audio(wav_with(24, struct.pack("<I", rate)), sr=SR)


@pytest.mark.parametrize("channels", [0, 65, 1000])
def test_absurd_channel_count_is_refused(channels: int) -> None:
    with pytest.raises(AudioDecodeError, match=r"channels; expected .*1-64 channels|expected one"):
        load_audio(wav_with(22, struct.pack("<H", channels)), sr=SR)


@pytest.mark.parametrize("claimed", [0, 2**31, 2**32 - 1])
def test_length_in_the_header_is_not_believed(claimed: int) -> None:
    y, _ = load_audio(wav_with(40, struct.pack("<I", claimed)), sr=SR)
    assert y.size == SR


@pytest.mark.parametrize("claimed", [0, 1 << 35])
def test_length_in_a_flac_header_is_not_believed(claimed: int) -> None:
    data = bytearray(encode_soundfile(noise(seconds=4.0), sr=SR, kind="FLAC"))
    data[21] = (data[21] & 0xF0) | (claimed >> 32)
    data[22:26] = struct.pack(">I", claimed & 0xFFFFFFFF)
    y, _ = load_audio(bytes(data), sr=SR)
    assert y.size / SR == pytest.approx(4.0, abs=0.1)


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("channels", [1, 2])
def test_samples_that_are_no_numbers_become_silence(bad: float, channels: int) -> None:
    y = sine(sr=SR, channels=channels)
    y[100:200] = bad
    decoded = decode_audio(encode_soundfile(y, sr=SR, kind="WAV", subtype="FLOAT"), sr=SR)
    assert (decoded.y[100:200] == 0).all()
    assert np.isfinite(decoded.y).all()
    assert decoded.y[:100] == pytest.approx(sine(sr=SR)[:100])
    assert decoded.clipped_share == 0
    assert decoded.warnings == (
        "The file holds samples that are not numbers; they were read as silence.",
    )


@pytest.mark.parametrize(("value", "expected"), [(1e30, 1.0), (-1e30, -1.0), (2.0, 1.0)])
def test_samples_beyond_full_scale_are_clipped(value: float, expected: float) -> None:
    y = np.full((SR, 2), value, np.float32)
    decoded = decode_audio(encode_soundfile(y, sr=SR, kind="WAV", subtype="FLOAT"), sr=SR)
    assert (decoded.y == expected).all()
    assert decoded.warnings == ()


def test_samples_whose_sum_overflows_become_silence() -> None:
    y = np.full((SR, 2), 3e38, np.float32)
    decoded = decode_audio(encode_soundfile(y, sr=SR, kind="WAV", subtype="FLOAT"), sr=SR)
    assert (decoded.y == 0).all()


def encoded_noise() -> dict[str, bytes]:
    y = noise(seconds=6.0, sr=44_100)
    return {
        "wav": encode_soundfile(y, sr=44_100, kind="WAV"),
        "flac": encode_soundfile(y, sr=44_100, kind="FLAC"),
        "mp3": encode_soundfile(y, sr=44_100, kind="MP3"),
        "ogg": encode_soundfile(y, sr=44_100, kind="OGG"),
        "aac": encode_pyav(y, sr=44_100, container="adts", codec="aac"),
        "wma": encode_pyav(y, sr=44_100, container="asf", codec="wmav2"),
        "m4a": encode_pyav(y, sr=44_100, container="ipod", codec="aac"),
    }


ENCODED = encoded_noise()


@pytest.mark.parametrize("extension", ["wav", "flac", "mp3", "ogg", "aac", "wma"])
def test_what_a_cut_file_still_holds_is_read(extension: str) -> None:
    data = ENCODED[extension]
    y, _ = load_audio(data[: len(data) // 2], sr=SR)
    assert 1.5 < y.size / SR < 3.5


@pytest.mark.parametrize("extension", ["flac", "mp3", "ogg", "aac", "m4a"])
def test_what_surrounds_a_fault_is_read(extension: str) -> None:
    data = bytearray(ENCODED[extension])
    middle = len(data) // 2
    data[middle : middle + 1500] = RNG.bytes(1500)
    y, _ = load_audio(bytes(data), sr=SR)
    assert 4.0 < y.size / SR < 6.2


@pytest.mark.parametrize("extension", ["aac", "m4a"])
def test_a_fault_is_told(extension: str) -> None:
    data = bytearray(ENCODED[extension])
    middle = len(data) // 2
    data[middle : middle + 1500] = RNG.bytes(1500)
    assert decode_audio(bytes(data), sr=SR).warnings == (DAMAGED,)


def in_one_frame(n_samples: int) -> bytes:
    silence = np.zeros(n_samples, np.float32)
    return encode_pyav(silence, sr=48_000, container="matroska", codec="pcm_u8")


def test_a_frame_that_no_real_file_has_is_not_decoded() -> None:
    assert load_audio(in_one_frame(1 << 22), sr=SR)[0].size == pytest.approx((1 << 22) / 3, abs=1)
    with pytest.raises(AudioDecodeError, match="no part of it could be decoded"):
        load_audio(in_one_frame((1 << 22) + 1), sr=SR)


class Drops:
    """A stream that gives a byte at a time, as a server may."""

    def __init__(self, data: bytes) -> None:
        self._file = io.BytesIO(data)

    def read(self, n: int = -1) -> bytes:
        return self._file.read(min(n, 1))


def test_a_container_is_known_however_its_bytes_come(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[dict[str, str]] = []
    opened = av.open

    def watch(*args: Any, options: dict[str, str], **rest: Any) -> Any:
        seen.append(options)
        return opened(*args, options=options, **rest)

    monkeypatch.setattr(av, "open", watch)
    data = write_matroska([(1, PCM)] * 20)
    PyAVStream(io.BytesIO(data)).close()
    PyAVStream(cast("BinaryIO", Drops(data))).close()
    assert seen[0] == seen[1]
    assert "noparse" in seen[0]["fflags"]


PCM = (sine(seconds=0.1, sr=8_000) * 32_767).astype("<i2").tobytes()


@pytest.mark.parametrize(
    "text", [b"no zlib", zlib.compress(bytes(50_000_000))], ids=["broken", "a bomb"]
)
def test_a_track_that_nobody_hears_does_not_end_the_sound(text: bytes) -> None:
    data = write_matroska([(1, PCM), (2, text)] * 20, zlib_track=2)
    decoded = decode_audio(data, sr=SR)
    assert decoded.duration_seconds == pytest.approx(2.0)
    assert decoded.warnings == ()


@pytest.mark.parametrize("channels", [6, 8, 9, 52])
def test_each_of_many_channels_is_its_own(channels: int) -> None:
    levels = (np.arange(1, channels + 1) * 500).astype("<i2")
    file = io.BytesIO(write_matroska([(1, levels.tobytes() * 800)], channels=channels))
    with PyAVStream(file) as stream:
        y = np.concatenate(list(stream.blocks()))
    np.testing.assert_allclose(y, np.tile(levels / 2**15, (800, 1)), atol=1e-6)


def test_a_codec_that_nobody_knows_is_refused() -> None:
    with pytest.raises(AudioDecodeError, match="not audio that can be decoded"):
        load_audio(write_matroska([(1, PCM)] * 20, codec="A_NOBODY"), sr=SR)


def test_blocks_that_unpack_to_no_sound_are_given_up() -> None:
    nothing = zlib.compress(bytes(9_000_000), 9)
    file = io.BytesIO(write_matroska([(1, nothing)] * 100, codec="A_MPEG/L3", zlib_track=1))
    with PyAVStream(file) as stream:
        assert list(stream.blocks()) == []
        assert stream.is_damaged
        assert file.tell() < 20 * len(nothing), "the rest is not unpacked"


def test_less_sound_than_the_header_states_is_told() -> None:
    y = noise(seconds=5.0, sr=48_000)
    data = encode_pyav(y, sr=48_000, container="webm", codec="libopus")
    assert decode_audio(data, sr=SR).warnings == ()
    half = decode_audio(data[: len(data) // 2], sr=SR)
    assert 1.5 < half.duration_seconds < 3.5
    assert half.warnings == (DAMAGED,)


def test_without_a_stated_length_nothing_is_missing() -> None:
    y = noise(seconds=5.0, sr=48_000)
    for container, codec in (("webm", "libopus"), ("matroska", "pcm_s16le")):
        live = {"live": "1"}  # as a browser records
        data = encode_pyav(y, sr=48_000, container=container, codec=codec, options=live)
        assert decode_audio(data, sr=SR).warnings == ()


def test_m4a_cut_before_its_index_is_refused() -> None:
    data = ENCODED["m4a"]
    with pytest.raises(AudioDecodeError, match="Choose another file"):
        load_audio(data[: len(data) // 2], sr=SR)
