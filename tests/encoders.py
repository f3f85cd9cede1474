"""Signals and encoded files, made when a test asks for them: none is committed."""

from __future__ import annotations

import io
from fractions import Fraction

import av
import numpy as np
import numpy.typing as npt
import soundfile as sf

Samples = npt.NDArray[np.float32]
_LAYOUTS = {1: "mono", 2: "stereo"}


def sine(
    *,
    seconds: float = 1.0,
    sr: int = 44_100,
    hz: float = 440.0,
    level: float = 0.5,
    channels: int = 1,
) -> Samples:
    """A sine of one channel, or of several equal ones, channels last."""
    y = (level * np.sin(2 * np.pi * hz * np.arange(round(seconds * sr)) / sr)).astype(np.float32)
    return y if channels == 1 else np.repeat(y[:, None], channels, axis=1)


def noise(*, seconds: float = 1.0, sr: int = 16_000, level: float = 0.1, seed: int = 0) -> Samples:
    """White noise."""
    rng = np.random.default_rng(seed)
    return (level * rng.standard_normal(round(seconds * sr))).astype(np.float32)


def encode_soundfile(y: Samples, *, sr: int, kind: str, subtype: str | None = None) -> bytes:
    """Encode with libsndfile."""
    file = io.BytesIO()
    sf.write(file, y, sr, format=kind, subtype=subtype)
    return file.getvalue()


def encode_pyav(
    y: Samples,
    *,
    sr: int,
    container: str,
    codec: str,
    bit_rate: int = 128_000,
    tags: dict[str, str] | None = None,
    video: bool = False,
    audio: bool = True,
    options: dict[str, str] | None = None,
) -> bytes:
    """Encode with FFmpeg, beside a video stream or only that if asked for."""
    file = io.BytesIO()
    layout = _LAYOUTS[1 if y.ndim == 1 else y.shape[1]]
    with av.open(file, "w", format=container, options=options or {}) as output:
        output.metadata.update(tags or {})
        pictures = output.add_stream("mpeg4", rate=5) if video else None
        sound = output.add_stream(codec, rate=sr, layout=layout) if audio else None
        if pictures is not None:
            pictures.width = pictures.height = 32
            pictures.pix_fmt = "yuv420p"
            for index in range(5):
                frame = av.VideoFrame.from_ndarray(
                    np.full((32, 32, 3), 40 * index, np.uint8), format="rgb24"
                )
                frame.pts, frame.time_base = index, Fraction(1, 5)
                output.mux(pictures.encode(frame))
            output.mux(pictures.encode(None))
        if sound is not None:
            sound.bit_rate = bit_rate
            for part in _frames(y, sr, layout, sound):
                output.mux(sound.encode(part))
            output.mux(sound.encode(None))
    return file.getvalue()


def _frames(y: Samples, sr: int, layout: str, sound: av.AudioStream) -> list[av.AudioFrame]:
    planes = np.ascontiguousarray(y.reshape(len(y), -1).T)
    frame = av.AudioFrame.from_ndarray(planes, format="fltp", layout=layout)
    frame.sample_rate, frame.pts, frame.time_base = sr, 0, Fraction(1, sr)
    context = sound.codec_context
    resampler = av.AudioResampler(
        format=context.format, layout=layout, rate=sr, frame_size=context.frame_size
    )
    return [*resampler.resample(frame), *resampler.resample(None)]


def strongest_hz(y: Samples, sr: int) -> float:
    """Frequency of the highest peak of the spectrum of the middle half."""
    middle = y[len(y) // 4 : 3 * len(y) // 4]
    spectrum = np.abs(np.fft.rfft(middle * np.hanning(len(middle))))
    return float(spectrum.argmax() * sr / len(middle))
