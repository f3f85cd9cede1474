"""Decode any common audio file to one float32 channel at one rate.

libsndfile (WAV, FLAC, OGG Vorbis, Opus, MP3, AIFF) is tried first, then
FFmpeg's libraries through PyAV (M4A, AAC, WebM, WMA, MP4). Both read from
memory or from an open file: no ffmpeg binary, no temporary file. Blocks are
mixed to mono and resampled as they are decoded, so memory holds the result
and one block, whatever the length, rate and channel count of the source.
"""

from __future__ import annotations

import io
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import av
import numpy as np
import numpy.typing as npt
import soundfile as sf
import soxr

from songnet.exceptions import AudioDecodeError, AudioTooLongError

__all__ = [
    "AUDIO_EXTENSIONS",
    "AudioSource",
    "DecodeLimits",
    "DecodedAudio",
    "Waveform",
    "decode_audio",
    "load_audio",
]

AudioSource = bytes | bytearray | memoryview | str | os.PathLike[str] | BinaryIO
Waveform = npt.NDArray[np.float32]

AUDIO_EXTENSIONS = (
    "wav", "flac", "ogg", "oga", "opus", "mp3", "aiff", "aif", "au",
    "m4a", "aac", "webm", "wma", "mp4",
)  # fmt: skip

_BLOCK_FRAMES = 1 << 17
_SAMPLE_RATES_HZ = (1_000, 768_000)
_MAX_CHANNELS = 64
# Containers that hold audio and open nothing else: playlists (HLS, concat)
# could make FFmpeg read other files or addresses.
_CONTAINERS = "mov,mp4,m4a,3gp,3g2,mj2,matroska,webm,asf,aac,ogg,mp3,flac,wav,w64,aiff,au,caf,amr,ac3"


@dataclass(frozen=True)
class DecodeLimits:
    """What one file may cost; untrusted uploads never get more.

    Parameters
    ----------
    max_bytes : int
        Largest encoded size.
    max_seconds : float
        Longest duration, checked while decoding: headers are not believed.
    """

    max_bytes: int = 200 * 2**20
    max_seconds: float = 3600.0


@dataclass(frozen=True)
class DecodedAudio:
    """A decoded file: mono audio and what it was before.

    Parameters
    ----------
    y : np.ndarray [shape=(n,), dtype=float32]
        Mono audio in [-1, 1], apart from the resampler's overshoot.
    sr : int
        Its sample rate in Hz.
    source_sr, source_channels : int
        Rate in Hz and channels of the file.
    codec : str
        Name of the codec, as the decoder gives it.
    warnings : tuple of str
        What was doubtful, in sentences for a person.
    """

    y: Waveform
    sr: int
    source_sr: int
    source_channels: int
    codec: str
    warnings: tuple[str, ...] = ()

    @property
    def duration_seconds(self) -> float:
        """Length of the audio."""
        return self.y.size / self.sr


def load_audio(
    source: AudioSource, *, sr: int, limits: DecodeLimits | None = None
) -> tuple[Waveform, int]:
    """Decode a file to mono at one rate.

    Parameters
    ----------
    source : bytes, path or binary file
    sr : int
        Sample rate of the result in Hz.
    limits : DecodeLimits, optional

    Returns
    -------
    y : np.ndarray [shape=(n,), dtype=float32]
    sr : int

    Raises
    ------
    AudioDecodeError
        If the bytes are not audio, hold no audio stream or no sample.
    AudioTooLongError
        If the file is larger or longer than ``limits``.
    """
    decoded = decode_audio(source, sr=sr, limits=limits)
    return decoded.y, decoded.sr


def decode_audio(
    source: AudioSource, *, sr: int, limits: DecodeLimits | None = None
) -> DecodedAudio:
    """Decode a file to mono at one rate and report on what it was.

    Parameters, errors: see `load_audio`.

    Returns
    -------
    decoded : DecodedAudio
    """
    limits = limits or DecodeLimits()
    with _open_source(source, limits) as file:
        try:
            stream: _Stream = _SoundFileStream(file)
        except sf.LibsndfileError:
            file.seek(0)
            stream = _PyAVStream(file)
        with stream:
            return _read_mono(stream, sr=sr, limits=limits)


def _open_source(source: AudioSource, limits: DecodeLimits) -> BinaryIO:
    if isinstance(source, (str, os.PathLike)):
        path = Path(source)
        if not path.is_file():
            what = "a folder" if path.is_dir() else "missing"
            raise AudioDecodeError(f"{path} is {what}; expected an audio file.")
        try:
            file: BinaryIO = path.open("rb")
        except OSError as error:
            raise AudioDecodeError(f"{path} cannot be read ({error.strerror}).") from error
    elif isinstance(source, (bytes, bytearray, memoryview)):
        file = io.BytesIO(source)
    else:
        source.seek(0)
        file = io.BytesIO(source.read(limits.max_bytes + 1))
    n_bytes = file.seek(0, io.SEEK_END)
    file.seek(0)
    if n_bytes > limits.max_bytes:
        file.close()
        raise AudioTooLongError(
            f"The file is larger than the limit of {limits.max_bytes / 2**20:.0f} MB; "
            "cut it or convert it to MP3."
        )
    if n_bytes == 0:
        file.close()
        raise AudioDecodeError("The file is empty; expected audio.")
    return file


class _Stream:
    """Blocks of samples from a decoder, channels last."""

    sr: int
    channels: int
    codec: str

    def __enter__(self) -> _Stream:
        return self

    def __exit__(self, *_: object) -> None:
        raise NotImplementedError

    def blocks(self) -> Iterator[npt.NDArray[np.float32]]:
        raise NotImplementedError


class _SoundFileStream(_Stream):
    def __init__(self, file: BinaryIO) -> None:
        self._file = sf.SoundFile(file)
        self.sr = self._file.samplerate
        self.channels = self._file.channels
        self.codec = self._file.subtype if self._file.format == "OGG" else self._file.format

    def __exit__(self, *_: object) -> None:
        self._file.close()

    def blocks(self) -> Iterator[npt.NDArray[np.float32]]:
        frames = max(1, _BLOCK_FRAMES // self.channels)
        while True:
            block = self._file.read(frames, dtype="float32", always_2d=True)
            yield block
            if len(block) < frames:
                return


class _PyAVStream(_Stream):
    def __init__(self, file: BinaryIO) -> None:
        try:
            self._container = av.open(
                file,
                mode="r",
                metadata_errors="ignore",
                options={"format_whitelist": _CONTAINERS, "protocol_whitelist": ""},
            )
        except (av.error.FFmpegError, ValueError, UnicodeDecodeError) as error:
            raise AudioDecodeError(
                "This is not audio that can be decoded; expected one of "
                f"{', '.join(AUDIO_EXTENSIONS)}."
            ) from error
        if not self._container.streams.audio:
            self._container.close()
            raise AudioDecodeError("The file holds no audio stream; expected sound.")
        self._stream = self._container.streams.audio[0]
        self.sr = self._stream.rate or 0
        self.channels = self._stream.channels
        self.codec = self._stream.codec_context.name

    def __exit__(self, *_: object) -> None:
        self._container.close()

    def blocks(self) -> Iterator[npt.NDArray[np.float32]]:
        resampler = av.AudioResampler(format="fltp", rate=self.sr)
        for frame in self._container.decode(self._stream):
            frame.pts = None
            for planar in resampler.resample(frame):
                yield planar.to_ndarray().T


def _read_mono(stream: _Stream, *, sr: int, limits: DecodeLimits) -> DecodedAudio:
    low, high = _SAMPLE_RATES_HZ
    if not (low <= stream.sr <= high and 1 <= stream.channels <= _MAX_CHANNELS):
        raise AudioDecodeError(
            f"The file claims {stream.sr} Hz and {stream.channels} channels; expected "
            f"{low}-{high} Hz and 1-{_MAX_CHANNELS} channels."
        )
    resampler = None if stream.sr == sr else soxr.ResampleStream(stream.sr, sr, 1, dtype="float32")
    parts: list[Waveform] = []
    warnings: list[str] = []
    n_source = 0
    try:
        for block in stream.blocks():
            n_source += len(block)
            if n_source > limits.max_seconds * stream.sr:
                raise AudioTooLongError(
                    f"The audio is longer than the limit of {limits.max_seconds / 60:g} minutes; "
                    "cut it into parts."
                )
            mono = _mix_to_mono(block, warnings)
            parts.append(mono if resampler is None else resampler.resample_chunk(mono))
    except (av.error.FFmpegError, sf.LibsndfileError) as error:
        if n_source == 0:
            raise AudioDecodeError(
                "The audio is damaged: no part of it could be decoded; export the file again."
            ) from error
        warnings.append("The file is damaged: only the part before the fault was read.")
    if n_source == 0:
        raise AudioDecodeError("The file holds no audio sample; expected sound.")
    if resampler is not None:
        parts.append(resampler.resample_chunk(np.zeros(0, np.float32), last=True))
    return DecodedAudio(
        y=np.concatenate(parts),
        sr=sr,
        source_sr=stream.sr,
        source_channels=stream.channels,
        codec=stream.codec,
        warnings=tuple(warnings),
    )


def _mix_to_mono(block: npt.NDArray[np.float32], warnings: list[str]) -> Waveform:
    mono = block[:, 0] if block.shape[1] == 1 else block.mean(axis=1, dtype=np.float32)
    if not np.isfinite(mono).all():
        message = "The file holds samples that are not numbers; they were read as silence."
        if message not in warnings:
            warnings.append(message)
        mono = np.nan_to_num(mono, nan=0.0, posinf=0.0, neginf=0.0)
    return np.clip(mono, -1.0, 1.0)
