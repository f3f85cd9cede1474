"""Decoders: blocks of float32 samples out of an open file.

libsndfile reads WAV, FLAC, OGG Vorbis, Opus, MP3, AIFF and AU; FFmpeg's
libraries, through PyAV, read M4A, AAC, WebM, WMA, MP4 and what libsndfile
gives up on. Neither opens anything but the file it is given.
"""

from __future__ import annotations

import io
from abc import ABC, abstractmethod
from collections.abc import Iterator
from typing import Any, BinaryIO, NoReturn, Self, cast

import av
import av.stream
import numpy as np
import numpy.typing as npt
import soundfile as sf

from songnet.exceptions import AudioDecodeError
from songnet.signal.limits import MAX_CHANNELS, SAMPLE_RATES_HZ

__all__ = ["AUDIO_EXTENSIONS", "AudioStream", "PyAVStream", "SoundFileStream"]

AUDIO_EXTENSIONS = (
    "wav", "flac", "ogg", "oga", "opus", "mp3", "aiff", "aif", "au",
    "m4a", "aac", "webm", "wma", "mp4",
)  # fmt: skip

_Block = npt.NDArray[np.float32]
_BLOCK_SAMPLES = 1 << 17
_UNREAD_SHARE = 0.1
# Over all channels; files of 8 channels at 192 kHz have frames of at most 1.6 million (TTA).
# One that claims more would be decoded as a whole before any limit sees it.
_MAX_FRAME_SAMPLES = 1 << 22
# Packets that give no sound are given up; Matroska may unpack each from a thousandth of its size.
_MAX_SOUNDLESS_BYTES = 32 << 20
_MATROSKA, _EBML = "matroska,webm", b"\x1a\x45\xdf\xa3"
# libsndfile also takes scientific and raw formats for audio, on thin evidence.
_SOUNDFILE_FORMATS = {
    "WAV", "WAVEX", "RF64", "W64", "FLAC", "OGG", "MP3", "AIFF", "AU", "CAF",
}  # fmt: skip
# Containers that hold audio and open nothing else: playlists (HLS, concat)
# could make FFmpeg read other files or addresses.
_CONTAINERS = (
    "mov,mp4,m4a,3gp,3g2,mj2,matroska,webm,asf,aac,ogg,mp3,flac,wav,w64,aiff,au,caf,amr,ac3"
)


class AudioStream(ABC):
    """A decoder at work; a context manager.

    Attributes
    ----------
    sr, channels : int
        Rate in Hz and channels, as the file claims.
    codec : str
        Name of the codec, as the decoder gives it.
    is_damaged : bool
        Something could not be decoded; true from then on.
    is_partial : bool
        Much of the file was not read; known after the last block.
    """

    sr: int
    channels: int
    codec: str
    is_damaged: bool = False
    is_partial: bool = False

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @abstractmethod
    def close(self) -> None:
        """Release the decoder; the file stays open."""

    @abstractmethod
    def blocks(self) -> Iterator[_Block]:
        """Yield arrays of shape (n_samples, channels) until the end or a fault."""

    def _refuse_absurd_claims(self) -> None:
        low, high = SAMPLE_RATES_HZ
        if not (low <= self.sr <= high and 1 <= self.channels <= MAX_CHANNELS):
            self.close()
            raise AudioDecodeError(
                f"The file claims {self.sr} Hz and {self.channels} channels; expected {low}-{high} "
                f"Hz and 1-{MAX_CHANNELS} channels. Export it again from its source."
            )


class SoundFileStream(AudioStream):
    """libsndfile.

    Parameters
    ----------
    file : binary file

    Raises
    ------
    AudioDecodeError
        If libsndfile does not know the format, or its rate or channels are absurd.
    """

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        try:
            self._sound = sf.SoundFile(file)
        except sf.SoundFileError as error:
            raise _not_audio() from error
        if self._sound.format not in _SOUNDFILE_FORMATS:
            self._sound.close()
            raise _not_audio()
        self.sr = self._sound.samplerate
        self.channels = self._sound.channels
        is_ogg = self._sound.format == "OGG"
        self.codec = self._sound.subtype if is_ogg else self._sound.format
        self._refuse_absurd_claims()

    def close(self) -> None:
        """See `AudioStream.close`."""
        self._sound.close()

    def blocks(self) -> Iterator[_Block]:
        """See `AudioStream.blocks`."""
        n_wanted = max(1, _BLOCK_SAMPLES // self.channels)
        try:
            while True:
                block: _Block = self._sound.read(n_wanted, dtype="float32", always_2d=True)
                yield block
                if len(block) < n_wanted:
                    break
        except sf.SoundFileError:
            self.is_damaged = True
        # Lengths are estimated for MP3 without a Xing header, and a chained
        # OGG file ends for libsndfile with its first link.
        position = self._file.tell()
        n_bytes = self._file.seek(0, io.SEEK_END)
        self.is_partial = n_bytes - position > _UNREAD_SHARE * n_bytes


class PyAVStream(AudioStream):
    """FFmpeg's libraries.

    Parameters
    ----------
    file : binary file
        Or a stream that has only ``read``.

    Raises
    ------
    AudioDecodeError
        If FFmpeg does not know the format or codec, there is no audio stream, or
        its rate or channels are absurd.
    """

    def __init__(self, file: BinaryIO) -> None:
        options = {"format_whitelist": _CONTAINERS, "protocol_whitelist": ""}
        head, file = _peek(file, len(_EBML))
        if head == _EBML:
            # Its header says what its tracks are, and its blocks are whole packets. A parser would
            # join what it does not understand, and a block may unpack a thousandfold: a file of
            # 9 MB took minutes. Probing would unpack tracks that nobody hears, with their damage.
            options |= {"fflags": "+noparse", "probesize": "32"}
        try:
            self._container = av.open(
                file,
                mode="r",
                metadata_errors="ignore",
                options=options,
                io_open=_refuse_other_files,
            )
        except (av.FFmpegError, ValueError) as error:
            raise _not_audio() from error
        if not self._container.streams.audio:
            self._container.close()
            raise AudioDecodeError(
                "The file holds no audio stream, only pictures or text; choose one with sound."
            )
        self._stream = self._container.streams.audio[0]
        if self._stream.codec_context is None:
            self._container.close()
            raise _not_audio()
        for stream in self._container.streams:  # its damage and its cost are not the sound's
            if stream is not self._stream:
                stream.discard = av.stream.Discard.all
        self._stream.codec_context.options = {"max_samples": str(_MAX_FRAME_SAMPLES)}
        self.sr = self._stream.codec_context.sample_rate or 0
        self.channels = self._stream.codec_context.channels
        self.codec = self._stream.codec_context.name
        self._frame_kind: tuple[str, str, int] | None = None
        self._refuse_absurd_claims()

    def close(self) -> None:
        """See `AudioStream.close`."""
        self._container.close()

    def blocks(self) -> Iterator[_Block]:
        """See `AudioStream.blocks`."""
        n_read, n_soundless = 0, 0
        try:
            for packet in self._container.demux(self._stream):
                n_soundless += packet.size
                for block in self._decode_packet(packet):
                    n_read += len(block)
                    n_soundless = 0
                    yield block
                if n_soundless > _MAX_SOUNDLESS_BYTES:
                    self.is_damaged = True
                    return
        except av.FFmpegError:
            self.is_damaged = True
        if n_read < (1 - _UNREAD_SHARE) * self._stated_samples():
            self.is_damaged = True

    def _stated_samples(self) -> float:
        """Length that the header states for the sound; 0 where it states none."""
        # FFmpeg itself reports the end of a cut MP4, and guesses the length of other files, or of
        # Matroska without one; a guess is that of the stream too.
        is_stated = self._container.format.name == _MATROSKA and self._stream.duration is None
        is_alone = len(self._container.streams) == 1
        seconds = (self._container.duration or 0) / av.time_base
        return seconds * self.sr if is_stated and is_alone else 0.0

    def _decode_packet(self, packet: av.Packet[Any]) -> Iterator[_Block]:
        try:
            for frame in packet.decode():
                if isinstance(frame, av.AudioFrame):
                    yield from self._convert_frame(frame)
        except (av.FFmpegError, ValueError):
            self.is_damaged = True

    def _convert_frame(self, frame: av.AudioFrame) -> Iterator[_Block]:
        kind = (frame.format.name, frame.layout.name, frame.sample_rate)
        if kind != self._frame_kind:
            self._frame_kind = kind
            # Packed, in one plane: with eight planes and more PyAV reads beyond the last one.
            self._resampler = av.AudioResampler(format="flt", rate=self.sr)
        frame.pts = None
        for packed in self._resampler.resample(frame):
            n_channels = packed.layout.nb_channels
            yield packed.to_ndarray().astype(np.float32, copy=False).reshape(-1, n_channels)


class _Reread:
    """A stream that only reads, from before the bytes that were taken of it."""

    def __init__(self, head: bytes, rest: BinaryIO) -> None:
        self._head = head
        self._rest = rest

    def read(self, n: int) -> bytes:
        part, self._head = self._head[:n], self._head[n:]
        return part or self._rest.read(n)


def _peek(file: BinaryIO, n: int) -> tuple[bytes, BinaryIO]:
    """Return the first bytes of a file, and the file from its beginning."""
    head = b""
    while len(head) < n and (more := file.read(n - len(head))):  # a stream may give less
        head += more
    if not hasattr(file, "seek"):
        return head, cast("BinaryIO", _Reread(head, file))
    file.seek(-len(head), io.SEEK_CUR)
    return head, file


def _refuse_other_files(url: str, *_: object) -> NoReturn:
    raise ValueError(f"The file refers to {url!r}; nothing but the file itself is opened.")


def _not_audio() -> AudioDecodeError:
    return AudioDecodeError(
        "This is not audio that can be decoded; expected one of "
        f"{', '.join(AUDIO_EXTENSIONS)}. Choose another file or convert it."
    )
