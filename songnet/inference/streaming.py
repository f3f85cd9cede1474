"""`StreamingClassifier`: sound that arrives in pieces in, rolling predictions out."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import numpy.typing as npt
import soxr

from songnet.exceptions import ParameterError
from songnet.inference.classifier import Classifier
from songnet.inference.prediction import Evidence, Prediction, Timeline
from songnet.inference.trust import judge
from songnet.signal.audio import Waveform, mix_to_mono
from songnet.signal.features import LogMel, LogMelStream
from songnet.signal.limits import MAX_CHANNELS, SAMPLE_RATES_HZ
from songnet.signal.music import music_probability
from songnet.signal.quality import LevelMeter, LevelReading

__all__ = ["FIRST_SECONDS", "SMOOTHING_SECONDS", "Chunk", "LevelReading", "StreamingClassifier"]

Chunk = npt.NDArray[np.int16] | npt.NDArray[np.float32]
FIRST_SECONDS = 2.0
SMOOTHING_SECONDS = 2.0
_PAUSE_SECONDS = 2.0
_SMALLEST = 1e-15


class StreamingClassifier:
    """Names the genre of sound while it arrives.

    Each frame of the log-mel is computed once. An update reads the frames of
    one window of the bundle, as the file path reads the same samples: its
    ``timeline`` and ``evidence`` are of this window alone, its ``probs`` are
    smoothed. Before there is a whole window, what is there is read as a short
    file is. Of a piece longer than the hop only the last window is read, so a
    stream that fell behind catches up.

    Parameters
    ----------
    classifier : Classifier
        May be shared by many streams; a stream belongs to one thread.
    smoothing_seconds : float
        Time constant of the exponential average of the logarithms of the
        probabilities, and of the log-odds of music, in seconds of sound; 0 for
        none. It stands still while there is silence. Two seconds take away
        two of three changes of the name; longer ones answer later and gain
        little. A hidden Markov filter can be steadier, but then answers later
        or is surer than it is right (benchmarks/results/live_smoothing.json).

    Examples
    --------
    >>> stream = StreamingClassifier(Classifier.load())
    >>> for chunk in microphone:
    ...     if prediction := stream.push(chunk, 48_000):
    ...         print(prediction.status, prediction.genre)
    """

    def __init__(
        self, classifier: Classifier, *, smoothing_seconds: float = SMOOTHING_SECONDS
    ) -> None:
        if not smoothing_seconds >= 0:
            raise ParameterError(
                f"smoothing_seconds is {smoothing_seconds}; it must be 0 or more seconds."
            )
        self.classifier = classifier
        self.smoothing_seconds = smoothing_seconds
        self.reset()

    def reset(self) -> None:
        """Forget everything that was heard."""
        features = self.classifier.bundle.features
        self.seconds_heard = 0.0
        self.latest: Prediction | None = None
        self._resampler = _Resampler(features.sr)
        self._log_mel = LogMelStream(features)
        self._meter = LevelMeter(features.patch_seconds)
        self._window: LogMel = np.zeros((features.n_mels, 0), np.float32)
        self._n_frames = 0
        self._updated_at = 0
        self._due_at = max(1, features.n_frames(round(FIRST_SECONDS * features.sr)))
        self._smoothed = _Average(self.smoothing_seconds)

    @property
    def level(self) -> LevelReading:
        """Level of the last 0.3 s, whether anything is named or not."""
        return self._meter.reading

    def push(self, chunk: Chunk, sr: int) -> Prediction | None:
        """Take the next piece of sound.

        Parameters
        ----------
        chunk : np.ndarray [shape=(n,) or (n, n_channels), dtype=float32 or int16]
            Any number of samples; floats in [-1, 1].
        sr : int
            Its sample rate in Hz. When it differs from the one before, what
            the resampler holds is finished and the stream goes on.

        Returns
        -------
        prediction : Prediction or None
            None while no update is due.

        Raises
        ------
        ParameterError
            If ``chunk`` has another shape or dtype, or ``sr`` is impossible.
        """
        samples = _to_float(chunk, sr)
        mono, is_finite = mix_to_mono(samples)
        if not is_finite:
            samples = np.nan_to_num(samples, nan=0.0, posinf=0.0, neginf=0.0)
        self._meter.push(np.clip(samples, -1.0, 1.0), sr=sr)
        self.seconds_heard += len(samples) / sr
        new = self._log_mel.push(self._resampler.push(mono, sr))
        self._n_frames += new.shape[1]
        patch_frames = self.classifier.bundle.features.patch_frames
        self._window = np.concatenate([self._window, new], axis=1)[:, -patch_frames:]
        if self._n_frames < self._due_at:
            return None
        hop = self.classifier.bundle.live_hop_frames
        self._due_at += hop * (1 + (self._n_frames - self._due_at) // hop)
        self.latest = self._predict()
        return self.latest

    def _predict(self) -> Prediction:
        features = self.classifier.bundle.features
        n_frames = self._window.shape[1]
        duration = ((n_frames - 1) * features.hop_length + features.n_fft) / features.sr
        start = (self._n_frames - n_frames) * features.frame_seconds
        quality = self._meter.quality(duration)
        recent = self._meter.quality(min(duration, _PAUSE_SECONDS))
        prediction = self.classifier.predict_log_mel(
            self._window, duration_seconds=duration, quality=quality
        )
        logs = _to_logs(prediction)
        if quality.is_silent:
            self._smoothed = _Average(self.smoothing_seconds)
        if not recent.is_silent:
            elapsed = (self._n_frames - self._updated_at) * features.frame_seconds
            self._smoothed.push(logs, elapsed_seconds=elapsed)
        self._updated_at = self._n_frames
        probs, music = _from_logs(
            logs if self._smoothed.value is None else self._smoothed.value,
            has_detector=prediction.music_probability is not None,
        )
        return replace(
            prediction,
            probs=probs,
            music_probability=music,
            status=judge(
                recent,
                confidence=float(probs.max()),
                music_probability=music,
                thresholds=self.classifier.thresholds,
            ),
            timeline=_shift_timeline(prediction.timeline, start),
            evidence=_shift_evidence(prediction.evidence, start),
        )


class _Resampler:
    """To one rate, as the file path resamples, from a rate that may change on the way."""

    def __init__(self, target_sr: int) -> None:
        self._target_sr = target_sr
        self._sr = target_sr
        self._stream: soxr.ResampleStream | None = None

    def push(self, mono: Waveform, sr: int) -> Waveform:
        parts: list[Waveform] = []
        if sr != self._sr:
            if self._stream is not None:
                parts.append(self._stream.resample_chunk(np.zeros(0, np.float32), last=True))
            self._sr, self._stream = sr, None
            if sr != self._target_sr:
                self._stream = soxr.ResampleStream(sr, self._target_sr, 1, dtype="float32")
        parts.append(mono if self._stream is None else self._stream.resample_chunk(mono))
        return np.concatenate(parts)


class _Average:
    """Exponential average of what comes at uneven times; no value before the first."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self.value: npt.NDArray[np.float64] | None = None

    def push(self, new: npt.NDArray[np.float64], *, elapsed_seconds: float) -> None:
        if self.value is None or self._seconds == 0:
            self.value = new
            return
        weight = -np.expm1(-elapsed_seconds / self._seconds)
        self.value = self.value + weight * (new - self.value)


def _to_logs(prediction: Prediction) -> npt.NDArray[np.float64]:
    """Logarithms of the probabilities, then the log-odds of music; shape (n_genres + 1,)."""
    music = 1.0 if prediction.music_probability is None else prediction.music_probability
    odds = [np.maximum(p, _SMALLEST) for p in (music, 1 - music)]
    return np.append(np.log(np.maximum(prediction.probs, _SMALLEST)), np.log(odds[0] / odds[1]))


def _from_logs(
    logs: npt.NDArray[np.float64], *, has_detector: bool
) -> tuple[npt.NDArray[np.float64], float | None]:
    probs = np.exp(logs[:-1] - logs[:-1].max())
    return probs / probs.sum(), music_probability(logs[-1]) if has_detector else None


def _to_float(chunk: Chunk, sr: int) -> npt.NDArray[np.float32]:
    """Check a piece of sound; return it as (n, n_channels) float32."""
    low, high = SAMPLE_RATES_HZ
    if not low <= sr <= high:
        raise ParameterError(f"sr is {sr} Hz; expected {low} to {high}.")
    if chunk.dtype not in (np.int16, np.float32) or chunk.ndim not in (1, 2):
        raise ParameterError(
            f"chunk has shape {chunk.shape} and dtype {chunk.dtype}; expected (n,) or "
            "(n, n_channels) of int16 or float32."
        )
    samples: npt.NDArray[np.generic] = chunk[:, None] if chunk.ndim == 1 else chunk
    if not 1 <= samples.shape[1] <= MAX_CHANNELS:
        raise ParameterError(
            f"chunk has shape {chunk.shape}; expected 1 to {MAX_CHANNELS} channels, samples first."
        )
    if samples.dtype == np.int16:
        return samples.astype(np.float32) / np.float32(32768)
    return samples.astype(np.float32, copy=False)


def _shift_timeline(timeline: Timeline, seconds: float) -> Timeline:
    return replace(
        timeline,
        start_seconds=timeline.start_seconds + seconds,
        end_seconds=timeline.end_seconds + seconds,
    )


def _shift_evidence(evidence: Evidence, seconds: float) -> Evidence:
    return replace(evidence, seconds=evidence.seconds + seconds)
