"""`Classifier`: a file in, a `Prediction` out."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import numpy.typing as npt
from scipy.special import softmax

from songnet.exceptions import AudioTooShortError, SilentAudioError
from songnet.inference.bundle import Bundle, RuntimeName, find_bundle
from songnet.inference.prediction import Evidence, Prediction, Timeline
from songnet.inference.runtime import Outputs, Runtime
from songnet.inference.trust import Thresholds, judge
from songnet.signal.audio import (
    AudioSource,
    DecodedAudio,
    DecodeLimits,
    Waveform,
    decode_audio,
)
from songnet.signal.features import LogMel, frame_patches, log_mel
from songnet.signal.music import MusicDetector, music_probability
from songnet.signal.quality import CLIPPED_SHARE, SILENCE_DBFS, SignalQuality, measure_quality

__all__ = ["MIN_SECONDS", "Classifier"]

MIN_SECONDS = 1.0
_QUIET_DBFS = -45.0
_SHORT_SECONDS = 5.0


class Classifier:
    """Names the genre of a track.

    Parameters
    ----------
    bundle : Bundle
    runtime : Runtime
    detector : MusicDetector, optional
        Without it everything that is not silent counts as music.

    Examples
    --------
    >>> Classifier.load().predict("song.mp3").genre
    'Jazz'
    """

    def __init__(
        self, bundle: Bundle, runtime: Runtime, detector: MusicDetector | None = None
    ) -> None:
        self.bundle = bundle
        self.thresholds = Thresholds(
            bundle.not_sure_below,
            not_music_below=detector.refuse_below if detector else 0.0,
            doubt_music_below=detector.doubt_below if detector else 0.0,
        )
        self._runtime = runtime
        self._detector = detector

    @classmethod
    def load(cls, folder: Path | None = None, *, runtime: RuntimeName = "litert") -> Classifier:
        """Open a bundle and run it once, so that the first prediction is fast.

        Parameters
        ----------
        folder : Path, optional
            Folder of the bundle; the shipped model if not given.
        runtime : {"litert", "litert-fp16", "litert-int8", "keras"}

        Raises
        ------
        BundleError
            If the folder is missing, changed or of another schema.
        """
        bundle = Bundle.load(folder or find_bundle())
        classifier = cls(bundle, bundle.open_runtime(runtime), bundle.open_detector())
        noise = np.random.default_rng(0).normal(0, 0.1, bundle.features.sr * 2)
        classifier.predict_waveform(noise.astype(np.float32))
        return classifier

    @property
    def genres(self) -> tuple[str, ...]:
        """Names of the genres, in the order of all probabilities."""
        return self.bundle.genres

    def predict(self, source: AudioSource, *, limits: DecodeLimits | None = None) -> Prediction:
        """Name the genre of a file.

        Parameters
        ----------
        source : bytes, path or binary file
        limits : DecodeLimits, optional

        Returns
        -------
        prediction : Prediction

        Raises
        ------
        AudioDecodeError, AudioTooLongError, AudioTooShortError, SilentAudioError
        """
        return self.predict_decoded(decode_audio(source, sr=self.bundle.features.sr, limits=limits))

    def predict_decoded(self, decoded: DecodedAudio) -> Prediction:
        """Name the genre of a decoded file; its clipping is that of the file.

        Parameters
        ----------
        decoded : DecodedAudio
            At the sample rate of the bundle.

        Raises
        ------
        AudioTooShortError, SilentAudioError
        """
        quality = measure_quality(decoded.y, sr=decoded.sr)
        return self._predict(
            decoded.y,
            quality=replace(quality, clipped_share=decoded.clipped_share),
            warnings=decoded.warnings,
        )

    def predict_waveform(self, y: Waveform) -> Prediction:
        """Name the genre of an array of samples.

        Parameters
        ----------
        y : np.ndarray [shape=(n,), dtype=float32]
            Mono audio at the sample rate of the bundle.

        Raises
        ------
        AudioTooShortError, SilentAudioError
        """
        return self._predict(y, quality=measure_quality(y, sr=self.bundle.features.sr))

    def _predict(
        self, y: Waveform, *, quality: SignalQuality, warnings: tuple[str, ...] = ()
    ) -> Prediction:
        features = self.bundle.features
        duration = y.size / features.sr
        if duration < MIN_SECONDS:
            raise AudioTooShortError(
                f"The audio lasts {duration:.2f} seconds; a genre needs at least "
                f"{MIN_SECONDS:g}, and {features.patch_seconds:.0f} are better."
            )
        if not quality.has_signal:
            raise SilentAudioError(
                "The audio is silent: it holds no signal at all. Was the microphone muted or not "
                "connected? Check the recording."
            )
        if quality.is_silent:
            raise SilentAudioError(
                f"The audio is silent: its loudest moment is at {quality.loudest_dbfs:.0f} dBFS, "
                f"and nothing is named below {SILENCE_DBFS:.0f}; check the recording."
            )
        return self.predict_log_mel(
            log_mel(y, config=features),
            duration_seconds=duration,
            quality=quality,
            warnings=warnings,
        )

    def predict_log_mel(
        self,
        S_db: LogMel,
        *,
        duration_seconds: float,
        quality: SignalQuality,
        warnings: tuple[str, ...] = (),
    ) -> Prediction:
        """Name the genre of a log-mel spectrogram, as `predict_waveform` and streams do.

        Parameters
        ----------
        S_db : np.ndarray [shape=(n_mels, n_frames), dtype=float32]
            With the feature settings of the bundle.
        duration_seconds : float
            Audio that it was computed from.
        quality : SignalQuality
            Of that audio.
        warnings : tuple of str
            Carried into the prediction.
        """
        features = self.bundle.features
        outputs = self._runtime.predict(frame_patches(S_db, config=features))
        weights = features.patch_weights(S_db.shape[1])
        probs = softmax(weights @ outputs.logits / self.bundle.temperature)
        music = self._music_probability(S_db)
        return Prediction(
            genres=self.bundle.genres,
            probs=probs,
            status=judge(
                quality,
                confidence=float(probs.max()),
                music_probability=music,
                thresholds=self.thresholds,
            ),
            timeline=self._timeline(outputs, duration_seconds),
            evidence=self._evidence(outputs, weights, duration_seconds),
            duration_seconds=duration_seconds,
            quality=quality,
            warnings=(*warnings, *_doubts(quality, duration_seconds)),
            music_probability=music,
            embedding=_embedding(outputs, weights),
        )

    def _music_probability(self, S_db: LogMel) -> float | None:
        if self._detector is None:
            return None
        return music_probability(self._detector.logit(S_db, config=self.bundle.features))

    def _timeline(self, outputs: Outputs, duration: float) -> Timeline:
        features = self.bundle.features
        start = np.arange(len(outputs.logits), dtype=np.float64) * features.patch_hop_seconds
        return Timeline(
            start_seconds=start,
            end_seconds=np.minimum(start + features.patch_seconds, duration),
            probs=softmax(outputs.logits.astype(np.float64) / self.bundle.temperature, axis=1),
        )

    def _evidence(
        self, outputs: Outputs, weights: npt.NDArray[np.float64], duration: float
    ) -> Evidence:
        features = self.bundle.features
        n_steps = outputs.attention.shape[1]
        step_seconds = features.patch_frames * features.frame_seconds / n_steps
        starts = np.arange(len(weights)) * features.patch_hop_seconds
        seconds = starts[:, None] + (np.arange(n_steps) + 0.5) * step_seconds
        terms = outputs.attention[..., None].astype(np.float64) * outputs.evidence
        contributions = terms * weights[:, None, None] / self.bundle.temperature
        # Windows overlap: moments are gathered on one grid, so that each has one value.
        n_moments = max(1, int(np.ceil(duration / step_seconds)))
        moment = np.minimum((seconds / step_seconds).astype(int), n_moments - 1)
        gathered = np.zeros((n_moments, contributions.shape[-1]))
        np.add.at(gathered, moment.ravel(), contributions.reshape(-1, contributions.shape[-1]))
        return Evidence(seconds=(np.arange(n_moments) + 0.5) * step_seconds, contributions=gathered)


def _embedding(
    outputs: Outputs, weights: npt.NDArray[np.float64]
) -> npt.NDArray[np.float32] | None:
    if outputs.embedding is None:
        return None
    return np.asarray(weights @ outputs.embedding, dtype=np.float32)


def _doubts(quality: SignalQuality, duration: float) -> tuple[str, ...]:
    doubts = []
    if duration < _SHORT_SECONDS:
        doubts.append(f"Only {duration:.1f} seconds of audio: the answer is less certain.")
    if quality.level_dbfs < _QUIET_DBFS:
        doubts.append(f"The audio is very quiet ({quality.level_dbfs:.0f} dBFS).")
    if quality.is_clipped:
        doubts.append(
            f"The audio is clipped: {quality.clipped_share:.0%} of it is at full scale "
            f"(more than {CLIPPED_SHARE:.0%})."
        )
    return tuple(doubts)
