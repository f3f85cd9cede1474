"""Loudness as EBU R128 measures it, on the channels and the rate of the file."""

from __future__ import annotations

import io
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import av
import numpy as np
import numpy.typing as npt
from av.filter import Graph

from songnet.exceptions import AudioDecodeError
from songnet.signal.decoders import AudioStream, PyAVStream, SoundFileStream
from songnet.signal.decoding_process import in_decoding_process
from songnet.signal.limits import DecodeLimits

__all__ = ["MIN_RANGE_SECONDS", "Loudness", "measure_loudness"]

# A loudness range of less than a minute says little (EBU Tech 3342).
MIN_RANGE_SECONDS = 60.0
_LOWEST_LUFS = -70.0
_BLOCK_SECONDS = 0.1
# By number of channels; with others, the mean of the channels is measured.
_LAYOUTS = {1: "mono", 2: "stereo", 3: "3.0", 4: "quad", 5: "5.0", 6: "5.1", 7: "6.1", 8: "7.1"}
FloatArray = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Loudness:
    """How loud a track is, ten times a second and as a whole.

    Parameters
    ----------
    seconds : np.ndarray [shape=(n,), dtype=float64]
        End of each block.
    momentary_lufs, short_term_lufs : np.ndarray [shape=(n,), dtype=float64]
        Over the last 0.4 and 3 seconds, at least -70 LUFS.
    integrated_lufs : float
        Of the whole track, gated.
    range_lu : float
        Loudness range; of little meaning below `MIN_RANGE_SECONDS`.
    """

    seconds: FloatArray
    momentary_lufs: FloatArray
    short_term_lufs: FloatArray
    integrated_lufs: float
    range_lu: float


def measure_loudness(data: bytes, *, limits: DecodeLimits | None = None) -> Loudness:
    """Measure the loudness of a file with FFmpeg's ``ebur128`` filter.

    Parameters
    ----------
    data : bytes
        A file in any format that `songnet.signal.audio.decode_audio` reads.
    limits : DecodeLimits, optional

    Returns
    -------
    loudness : Loudness

    Raises
    ------
    AudioDecodeError
        If it is not audio, or less than a tenth of a second of it.
    AudioTooLongError
        If it is longer than ``limits``, or holds more samples.

    References
    ----------
    .. [1] EBU R 128, "Loudness normalisation and permitted maximum level of
       audio signals", and ITU-R BS.1770.
    """
    limits = limits or DecodeLimits()
    if limits.own_process:
        here = replace(limits, own_process=False)
        return in_decoding_process(measure_loudness, data, limits=here)
    try:
        with SoundFileStream(io.BytesIO(data)) as stream:
            rows = _measure(stream, limits)
            is_whole = not (stream.is_damaged or stream.is_partial)
    except AudioDecodeError:
        rows, is_whole = [], False
    if not is_whole:
        with PyAVStream(io.BytesIO(data)) as stream:
            rows = max(rows, _measure(stream, limits), key=len)
    if not rows:
        raise AudioDecodeError(
            f"The file holds less than {_BLOCK_SECONDS:g} seconds of sound; loudness needs more."
        )
    table = np.array(rows)  # (n, 4)
    return Loudness(
        seconds=np.arange(1, len(table) + 1, dtype=np.float64) * _BLOCK_SECONDS,
        momentary_lufs=np.maximum(table[:, 0], _LOWEST_LUFS),
        short_term_lufs=np.maximum(table[:, 1], _LOWEST_LUFS),
        integrated_lufs=float(table[-1, 2]),
        range_lu=float(table[-1, 3]),
    )


class _Meter:
    """FFmpeg's filter at work; the graph has to live as long as its ends."""

    def __init__(self, sr: int, layout: str) -> None:
        self._graph: Any = Graph()
        self._source = self._graph.add(
            "abuffer",
            sample_rate=str(sr),
            sample_fmt="flt",
            channel_layout=layout,
            time_base=f"1/{sr}",
        )
        meter, self._sink = (
            self._graph.add("ebur128", "metadata=1"),
            self._graph.add("abuffersink"),
        )
        self._source.link_to(meter)
        meter.link_to(self._sink)
        self._graph.configure()

    def push(self, frame: av.AudioFrame) -> Iterator[tuple[float, ...]]:
        """Take a block and yield M, S, I and LRA of each tenth of a second it completes."""
        self._source.push(frame)
        while True:
            try:
                said = self._sink.pull().metadata
            except (av.BlockingIOError, av.EOFError):
                return
            yield tuple(float(said[f"lavfi.r128.{name}"]) for name in ("M", "S", "I", "LRA"))


def _measure(stream: AudioStream, limits: DecodeLimits) -> list[tuple[float, ...]]:
    layout = _LAYOUTS.get(stream.channels, "mono")
    n_channels = av.AudioLayout(layout).nb_channels
    meter = _Meter(stream.sr, layout)
    rows: list[tuple[float, ...]] = []
    n_samples = 0
    for block in stream.blocks():
        limits.check(n_samples + len(block), sr=stream.sr, channels=block.shape[1])
        if block.shape[1] != n_channels:
            mono = block.mean(axis=1, keepdims=True)
            block = np.repeat(mono, n_channels, axis=1)  # noqa: PLW2901 - one name for one thing
        samples = np.nan_to_num(np.clip(block, -1, 1), nan=0.0).astype(np.float32)
        frame = av.AudioFrame.from_ndarray(samples.reshape(1, -1), format="flt", layout=layout)
        frame.sample_rate, frame.pts = stream.sr, n_samples
        n_samples += len(samples)
        rows += meter.push(frame)
    return rows
