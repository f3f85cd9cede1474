"""Decode any common audio file to one float32 channel at one rate.

libsndfile is tried first, then FFmpeg's libraries through PyAV, also where
libsndfile meets a fault or leaves part of a file unread. Both read from memory
or from an open file: no ffmpeg binary, no temporary file. Blocks are mixed to
mono and resampled as they are decoded, so memory holds the result and one
block, whatever the length, rate and channel count of the source. The limits
bound the work as well: the samples of all channels are counted.
"""

from __future__ import annotations

import io
import os
from dataclasses import dataclass, replace
from pathlib import Path
from typing import BinaryIO

import numpy as np
import numpy.typing as npt
import soxr

from songnet.exceptions import AudioDecodeError, AudioTooLongError, ParameterError
from songnet.signal.decoders import AUDIO_EXTENSIONS, AudioStream, PyAVStream, SoundFileStream
from songnet.signal.decoding_process import in_decoding_process
from songnet.signal.limits import DecodeLimits

__all__ = [
    "AUDIO_EXTENSIONS",
    "AudioSource",
    "DecodeLimits",
    "DecodedAudio",
    "Waveform",
    "at_full_scale",
    "decode_audio",
    "load_audio",
    "mix_to_mono",
]

AudioSource = bytes | bytearray | memoryview | str | os.PathLike[str] | BinaryIO
Waveform = npt.NDArray[np.float32]

_FULL_SCALE = 0.999
# Decoders differ by encoder padding: a second opinion counts if it reads more than that.
_SAME_LENGTH_SECONDS = 0.1
_DAMAGED = "The file is damaged: only part of it could be read."
_NOT_FINITE = "The file holds samples that are not numbers; they were read as silence."


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
    clipped_share : float
        Share of the file's samples at full scale in any channel; mixing and
        resampling would hide them.
    warnings : tuple of str
        What was doubtful, in sentences for a person.
    """

    y: Waveform
    sr: int
    source_sr: int
    source_channels: int
    codec: str
    clipped_share: float = 0.0
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
        A file is read from its start and left open.
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
        If the bytes are not audio, hold no audio stream or no sample, or the
        path cannot be read.
    AudioTooLongError
        If the file is larger or longer than ``limits``, or holds more samples.
    ParameterError
        If ``source`` is none of the three.
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
    if limits.own_process:
        here = replace(limits, own_process=False)
        return in_decoding_process(decode_audio, _as_bytes(source, limits), sr=sr, limits=here)
    with _open_source(source, limits) as file:
        first, is_whole = _try_soundfile(file, sr=sr, limits=limits)
        if first is not None and is_whole:
            return first
        file.seek(0)
        try:
            with PyAVStream(file) as stream:
                second = _read_mono(stream, sr=sr, limits=limits)
        except AudioDecodeError:
            if first is None:
                raise
            return first
    if first is None or second.y.size > first.y.size + _SAME_LENGTH_SECONDS * sr:
        return second
    return first


def _try_soundfile(
    file: BinaryIO, *, sr: int, limits: DecodeLimits
) -> tuple[DecodedAudio | None, bool]:
    """Return the audio, if there is any, and whether that is all of it."""
    try:
        with SoundFileStream(file) as stream:
            decoded = _read_mono(stream, sr=sr, limits=limits)
            return decoded, not (stream.is_damaged or stream.is_partial)
    except AudioDecodeError:
        return None, False


def _as_bytes(source: AudioSource, limits: DecodeLimits) -> bytes | str | os.PathLike[str]:
    """Return what another process can be given: a path, or the bytes of a file."""
    if isinstance(source, (bytes, str, os.PathLike)):
        return source
    if isinstance(source, (bytearray, memoryview)):
        return bytes(source)
    return _read_file(source, limits.max_bytes + 1)


def _open_source(source: AudioSource, limits: DecodeLimits) -> BinaryIO:
    if isinstance(source, (str, os.PathLike)):
        file = _open_path(Path(source))
    elif isinstance(source, (bytes, bytearray, memoryview)):
        file = io.BytesIO(source)
    else:
        file = io.BytesIO(_read_file(source, limits.max_bytes + 1))
    n_bytes = file.seek(0, io.SEEK_END)
    file.seek(0)
    if 0 < n_bytes <= limits.max_bytes:
        return file
    file.close()
    if n_bytes == 0:
        raise AudioDecodeError("The file is empty (0 bytes); choose a file with sound.")
    raise AudioTooLongError(
        f"The file is larger than the limit of {limits.max_bytes / 2**20:.3g} MB; "
        "cut it or convert it to MP3."
    )


def _open_path(path: Path) -> BinaryIO:
    try:
        if not path.is_file():
            what = "a folder" if path.is_dir() else "not a file" if path.exists() else "missing"
            raise AudioDecodeError(f"{path} is {what}; expected an audio file. Check the path.")
        # Opened by descriptor, the file has no name: extensions are no evidence of a format.
        descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_BINARY", 0))
    except OSError as error:
        raise AudioDecodeError(
            f"{path} cannot be read ({error.strerror}); check its name and permissions."
        ) from error
    return os.fdopen(descriptor, "rb")


def _read_file(source: BinaryIO, n_bytes: int) -> bytes:
    try:
        if source.seekable():
            source.seek(0)
        data = source.read(n_bytes)
    except (AttributeError, ValueError) as error:
        raise ParameterError(
            f"source is {source!r}; expected bytes, a path or an open binary file."
        ) from error
    if not isinstance(data, bytes):
        raise ParameterError(f"source gives {type(data).__name__}; open the file in mode 'rb'.")
    return data


def _read_mono(stream: AudioStream, *, sr: int, limits: DecodeLimits) -> DecodedAudio:
    resampler = None if stream.sr == sr else soxr.ResampleStream(stream.sr, sr, 1, dtype="float32")
    parts: list[Waveform] = []
    n_source, n_clipped, all_finite = 0, 0, True
    for block in stream.blocks():
        n_source += len(block)
        limits.check(n_source, sr=stream.sr, channels=block.shape[1])
        n_clipped += int(np.count_nonzero(at_full_scale(block)))
        mono, is_finite = mix_to_mono(block)
        all_finite &= is_finite
        parts.append(mono if resampler is None else resampler.resample_chunk(mono))
    if resampler is not None:
        parts.append(resampler.resample_chunk(np.zeros(0, np.float32), last=True))
    y = _join(parts)
    if y.size == 0:
        why = "no part of it could be decoded" if stream.is_damaged else "it holds no sample"
        raise AudioDecodeError(f"There is no sound in the file: {why}. Export it again.")
    return DecodedAudio(
        y=y,
        sr=sr,
        source_sr=stream.sr,
        source_channels=stream.channels,
        codec=stream.codec,
        clipped_share=n_clipped / n_source,
        warnings=(_DAMAGED,) * stream.is_damaged + (_NOT_FINITE,) * (not all_finite),
    )


def mix_to_mono(block: npt.NDArray[np.float32]) -> tuple[Waveform, bool]:
    """Return the mean of the channels in [-1, 1] and whether all of it was finite.

    Parameters
    ----------
    block : np.ndarray [shape=(n, n_channels), dtype=float32]

    Returns
    -------
    mono : np.ndarray [shape=(n,), dtype=float32]
        What was not finite is 0.
    is_finite : bool
    """
    with np.errstate(over="ignore", invalid="ignore"):
        mono = block[:, 0] if block.shape[1] == 1 else block.mean(axis=1, dtype=np.float32)
    is_finite = bool(np.isfinite(mono).all())
    if not is_finite:
        mono = np.nan_to_num(mono, nan=0.0, posinf=0.0, neginf=0.0)
    return np.clip(mono, -1.0, 1.0), is_finite


def at_full_scale(block: npt.NDArray[np.float32]) -> npt.NDArray[np.bool_]:
    """Return at which moments any channel is at full scale.

    Parameters
    ----------
    block : np.ndarray [shape=(n, n_channels), dtype=float32]

    Returns
    -------
    is_clipped : np.ndarray [shape=(n,), dtype=bool]
        What is not finite is read as silence, so it does not count.
    """
    level = np.abs(block)
    is_clipped = (level >= _FULL_SCALE) & (level < np.inf)
    return np.asarray(is_clipped.any(axis=1), np.bool_)


def _join(parts: list[Waveform]) -> Waveform:
    """Concatenate, freeing each part as it is copied: half the memory at the peak."""
    y = np.empty(sum(part.size for part in parts), np.float32)
    parts.reverse()
    start = 0
    while parts:
        part = parts.pop()
        y[start : start + part.size] = part
        start += part.size
    return y
