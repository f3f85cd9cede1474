"""Sound that a browser can play: the file itself, or a copy of what was decoded."""

from __future__ import annotations

import io
from dataclasses import dataclass

import soundfile as sf

from songnet.signal.audio import DecodeLimits, Waveform, load_audio

__all__ = ["Playback", "browser_mime", "transcode_to_wav", "waveform_to_wav"]

_COPY_SR = 22_050
# Containers that Chrome, Firefox and Safari know, by how their bytes begin.
_CONTAINERS = (
    (0, b"RIFF", "audio/wav"),
    (0, b"fLaC", "audio/flac"),
    (0, b"OggS", "audio/ogg"),
    (0, b"\x1aE\xdf\xa3", "audio/webm"),
    (4, b"ftyp", "audio/mp4"),
)
_PLAYED_CODECS = ("WAV", "FLAC", "VORBIS", "OPUS", "MP3", "AAC")


@dataclass(frozen=True)
class Playback:
    """Bytes for the player.

    Parameters
    ----------
    data : bytes
    mime : str
    is_copy : bool
        True where the browser cannot play the file itself.
    """

    data: bytes
    mime: str
    is_copy: bool


def browser_mime(data: bytes, *, codec: str) -> str | None:
    """Name the type under which browsers play a file.

    Decided by the contents: names of files are not believed.

    Parameters
    ----------
    data : bytes
    codec : str
        As the decoder names it.

    Returns
    -------
    mime : str or None
        None if browsers do not play it (AIFF, AU, WMA, Apple Lossless).
    """
    family = next((name for name in _PLAYED_CODECS if codec.upper().startswith(name)), None)
    if family is None:
        return None
    for offset, magic, mime in _CONTAINERS:
        if data[offset : offset + len(magic)] == magic:
            return mime
    return {"MP3": "audio/mpeg", "AAC": "audio/aac", "FLAC": "audio/flac"}.get(family)


def transcode_to_wav(data: bytes, *, limits: DecodeLimits) -> bytes:
    """Decode a file to a mono 16-bit WAV that every browser plays.

    Parameters
    ----------
    data : bytes
    limits : DecodeLimits

    Returns
    -------
    wav : bytes

    Raises
    ------
    AudioDecodeError, AudioTooLongError
    """
    y, sr = load_audio(data, sr=_COPY_SR, limits=limits)
    return waveform_to_wav(y, sr=sr)


def waveform_to_wav(y: Waveform, *, sr: int) -> bytes:
    """Write a waveform as 16-bit WAV.

    Parameters
    ----------
    y : np.ndarray [shape=(n,), dtype=float32]
        Mono audio in [-1, 1].
    sr : int
        Sample rate in Hz.

    Returns
    -------
    wav : bytes
    """
    buffer = io.BytesIO()
    sf.write(buffer, y, sr, format="WAV", subtype="PCM_16")
    return buffer.getvalue()
