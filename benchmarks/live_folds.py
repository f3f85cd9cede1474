"""Out-of-fold parts of the live benchmark: smoothing, and how much sound is needed."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from songnet.config import FeatureConfig
from songnet.datasets.base import Track
from songnet.datasets.corpus import load_corpus
from songnet.exceptions import DatasetError
from songnet.inference.bundle import Bundle
from songnet.inference.classifier import Classifier
from songnet.inference.runtime import LiteRTRuntime
from songnet.inference.streaming import FIRST_SECONDS
from songnet.signal.audio import load_audio
from songnet.signal.features import LogMel, log_mel
from songnet.signal.quality import SignalQuality

__all__ = ["measure_patience", "measure_smoothing"]

FloatArray = npt.NDArray[np.float64]
LENGTHS_SECONDS = (1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 8.0, 10.0, 12.5, 15.0, 20.0, 25.0, 30.0)
TARGET_SHARE = 0.9
SMOOTHING_SECONDS = (0.0, 1.0, 2.0, 3.0, 4.0, 5.0, 8.0)
GENRE_SECONDS = (2.0, 5.0, 20.0, 60.0)
POWERS = (1.0, 0.5, 0.25, 0.1)
_SETTLED_SECONDS = 15.0
_LOUD = SignalQuality(level_dbfs=-20, loudest_dbfs=-10, silent_share=0, clipped_share=0)


@dataclass(frozen=True)
class Fold:
    """A network and the tracks that it has not heard."""

    classifier: Classifier
    tracks: tuple[Track, ...]


def find_folds(folder: Path) -> list[Fold]:
    """Open the networks of a cross-validation; empty, with a message, where they are missing."""
    paths = sorted(folder.glob("fold-*/model_fp32.tflite"))
    report = folder / "report.json"
    if not paths or not report.is_file():
        print(f"skipped: {folder} has no fold-*/model_fp32.tflite with report.json; run evaluate")
        return []
    try:
        corpus = load_corpus()
    except DatasetError as error:
        print(f"skipped: {error}")
        return []
    temperatures = json.loads(report.read_text(encoding="utf-8"))["calibration"]["temperatures"]
    folds = []
    for path, temperature in zip(paths, temperatures, strict=True):
        run = json.loads((path.parent / "run.json").read_text(encoding="utf-8"))
        number = int(path.parent.name.removeprefix("fold-"))
        bundle = Bundle(
            folder=path.parent,
            name=path.parent.name,
            version="",
            features=FeatureConfig.from_dict(run["settings"]["features"]),
            genres=tuple(run["genres"]),
            temperature=temperature,
            not_sure_below=0.0,
            files={},
            training={},
        )
        tracks = tuple(t for t in corpus if t.evaluate and t.fold == number)
        folds.append(Fold(Classifier(bundle, LiteRTRuntime(path)), tracks))
    return folds


def measure_patience(folder: Path, *, n_tracks: int) -> dict[str, Any] | None:
    """Accuracy of the file path by the seconds heard from the beginning of a clip."""
    hits: list[list[bool]] = []
    for fold in folds_with(find_folds(folder), n_tracks):
        for track in fold.tracks:
            S_db = _read(track, fold.classifier)
            hits.append([_says(fold, S_db, s) == track.genre for s in LENGTHS_SECONDS])
    if not hits:
        return None
    accuracy = np.mean(hits, axis=0)
    wanted = TARGET_SHARE * accuracy[-1]
    first = int(np.argmax(accuracy >= wanted))
    needed = LENGTHS_SECONDS[first]
    if first:
        between = (LENGTHS_SECONDS[first - 1], needed)
        needed = float(np.interp(wanted, accuracy[first - 1 : first + 1], between))
    return {
        "what": "seconds from the beginning of a clip until the out-of-fold accuracy reaches "
        f"{TARGET_SHARE:.0%} of that of 30 s",
        "networks": "out of fold",
        "seconds": needed,
        "accuracy_by_seconds": dict(zip(map(str, LENGTHS_SECONDS), accuracy, strict=True)),
        "tracks": len(hits),
    }


def folds_with(folds: list[Fold], n_tracks: int) -> Iterator[Fold]:
    """Draw tracks evenly from the folds; all of them for 0."""
    for fold in folds:
        share = n_tracks // len(folds) if n_tracks else len(fold.tracks)
        chosen = np.random.default_rng(0).permutation(len(fold.tracks))[:share]
        yield Fold(fold.classifier, tuple(fold.tracks[i] for i in sorted(chosen)))


def _read(track: Track, classifier: Classifier) -> LogMel:
    features = classifier.bundle.features
    y, _ = load_audio(track.path, sr=features.sr)
    return log_mel(y, config=features)


def _says(fold: Fold, S_db: LogMel, seconds: float) -> str:
    features = fold.classifier.bundle.features
    n_frames = max(1, features.n_frames(round(seconds * features.sr)))
    return _predict(fold.classifier, S_db[:, :n_frames]).genre


def _predict(classifier: Classifier, S_db: LogMel) -> Any:
    seconds = S_db.shape[1] * classifier.bundle.features.frame_seconds
    return classifier.predict_log_mel(S_db, duration_seconds=seconds, quality=_LOUD)


def measure_smoothing(folder: Path, *, n_pairs: int) -> dict[str, Any] | None:
    """One track after another: how often the name changes, how right it is, how late it is."""
    pairs = [
        pair
        for fold in folds_with(find_folds(folder), 2 * n_pairs)
        for pair in _listen_to_pairs(fold)
    ]
    if not pairs:
        return None
    hop = pairs[0].hop_seconds
    candidates: dict[str, Callable[[FloatArray], FloatArray]] = {
        f"average {tau:g} s": lambda z, tau=tau: average(z, hop, tau) for tau in SMOOTHING_SECONDS
    }
    for stay in GENRE_SECONDS:
        for power in POWERS:
            candidates[f"filter, a genre lasts {stay:g} s, power {power:g}"] = (
                lambda z, stay=stay, power=power: markov_filter(power * z, hop, stay)
            )
    return {
        "what": "the named genre over two tracks, one after the other; changes after the window "
        f"has only the track ({_SETTLED_SECONDS:g} s), right at any time, by how much the mean "
        "confidence exceeds that (overconfidence), and seconds until the second track's genre is "
        "named",
        "networks": "out of fold",
        "pairs": len(pairs),
        "hop_seconds": hop,
        "candidates": {name: _score(pairs, smooth) for name, smooth in candidates.items()},
    }


@dataclass(frozen=True)
class Pair:
    """Log-probabilities of each update over two tracks, and what is right."""

    log_probs: FloatArray
    truth: tuple[int, int]
    n_first: int
    hop_seconds: float


def _listen_to_pairs(fold: Fold) -> Iterator[Pair]:
    bundle = fold.classifier.bundle
    order = np.random.default_rng(1).permutation(len(fold.tracks))
    hop, first = bundle.live_hop_frames, round(FIRST_SECONDS / bundle.features.frame_seconds)
    for a, b in zip(order[::2], order[1::2], strict=False):
        tracks = fold.tracks[a], fold.tracks[b]
        if tracks[0].genre == tracks[1].genre:
            continue
        one, two = (_read(track, fold.classifier) for track in tracks)
        S_db = np.concatenate([one, two], axis=1)
        ends = np.arange(first, S_db.shape[1] + 1, hop)
        windows = (S_db[:, max(0, end - bundle.features.patch_frames) : end] for end in ends)
        probs = np.array([_predict(fold.classifier, window).probs for window in windows])
        yield Pair(
            log_probs=np.log(np.maximum(probs, 1e-15)),
            truth=(bundle.genres.index(tracks[0].genre), bundle.genres.index(tracks[1].genre)),
            n_first=int(np.sum(ends <= one.shape[1])),
            hop_seconds=hop * bundle.features.frame_seconds,
        )


def average(log_probs: FloatArray, hop_seconds: float, tau: float) -> FloatArray:
    """Average exponentially in the log domain, as `StreamingClassifier` does."""
    weight = 1.0 if tau == 0 else -np.expm1(-hop_seconds / tau)
    smooth = log_probs.copy()
    for i in range(1, len(smooth)):
        smooth[i] = smooth[i - 1] + weight * (log_probs[i] - smooth[i - 1])
    return smooth


def markov_filter(log_likelihoods: FloatArray, hop_seconds: float, stay: float) -> FloatArray:
    """Filter forward with genres that last ``stay`` seconds and follow each other evenly.

    References
    ----------
    .. [1] Rabiner, L. "A tutorial on hidden Markov models", Proc. IEEE 77(2), 1989.
    """
    n_genres = log_likelihoods.shape[1]
    change = -np.expm1(-hop_seconds / stay)
    belief = np.full(n_genres, 1 / n_genres)
    filtered = np.empty_like(log_likelihoods)
    for i, row in enumerate(log_likelihoods):
        belief = (1 - change) * belief + change / n_genres
        belief = belief * np.exp(row - row.max())
        belief /= belief.sum()
        filtered[i] = np.log(np.maximum(belief, 1e-15))
    return filtered


def _score(pairs: list[Pair], smooth: Callable[[FloatArray], FloatArray]) -> dict[str, Any]:
    changes, minutes, right, confidence, delays = 0, 0.0, [], [], []
    for pair in pairs:
        settled = round(_SETTLED_SECONDS / pair.hop_seconds)
        logs = smooth(pair.log_probs)
        named = logs.argmax(axis=1)
        confidence.append(float(np.mean(1 / np.exp(logs - logs.max(axis=1)[:, None]).sum(axis=1))))
        for part in (named[settled : pair.n_first], named[pair.n_first + settled :]):
            changes += int(np.sum(np.diff(part) != 0))
            minutes += len(part) * pair.hop_seconds / 60
        truth = np.repeat(pair.truth, [pair.n_first, len(named) - pair.n_first])
        right.append(float(np.mean(named == truth)))
        # Only where the windows themselves end up with the second track's genre.
        if pair.log_probs[-1].argmax() == pair.truth[1] != named[pair.n_first - 1]:
            reached = np.flatnonzero(named[pair.n_first :] == pair.truth[1])
            delays.append(pair.hop_seconds * (reached[0] if reached.size else len(named)))
    return {
        "changes_per_minute": changes / minutes,
        "right": float(np.mean(right)),
        "overconfidence": float(np.mean(confidence) - np.mean(right)),
        "delay_seconds": float(np.median(delays)) if delays else None,
    }
