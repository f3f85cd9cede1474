"""Does the evidence mean something? Delete and insert the seconds it names, against random ones.

    SONGNET_CORPUS=/path/to/corpus python -m benchmarks.explanation

Each track is cut into twenty stretches. They are muted (deletion) or brought back into silence
(insertion), those first that the evidence says spoke most for the predicted genre, or in random
order; after each step the genre's probability is read again. Evidence that means something makes
the probability fall faster, and rise faster, than chance does. The tracks were heard in training:
this tests the explanation of what the network says, not whether it is right.

References
----------
.. [1] Petsiuk, V., Das, A. & Saenko, K. "RISE: randomized input sampling for explanation of
   black-box models", BMVC 2018: deletion and insertion curves.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.special import softmax
from scipy.stats import bootstrap

from benchmarks.record import RESULTS, save_result
from songnet.datasets.base import Track
from songnet.datasets.corpus import load_corpus
from songnet.inference.bundle import Bundle, find_bundle
from songnet.inference.classifier import Classifier
from songnet.inference.evidence import evidence_for
from songnet.signal.audio import load_audio
from songnet.signal.features import LogMel, frame_patches, log_mel

N_TRACKS = 60
N_STRETCHES = 20
N_RANDOM = 5
SHARES = np.linspace(0, 1, 11)
FloatArray = npt.NDArray[np.float64]


class Reader:
    """Reads the probability of a genre from a log-mel spectrogram that was changed."""

    def __init__(self, bundle: Bundle) -> None:
        self.bundle = bundle
        self.classifier = Classifier.load(bundle.folder)
        self._runtime = bundle.open_runtime()

    def probability(self, S_db: LogMel, genre: str) -> float:
        """Return the calibrated probability of a genre."""
        features = self.bundle.features
        logits = self._runtime.predict(frame_patches(S_db, config=features)).logits
        weights = features.patch_weights(S_db.shape[1])
        probs = softmax(weights @ logits / self.bundle.temperature)
        return float(probs[self.bundle.genres.index(genre)])

    def curves(self, S_db: LogMel, order: npt.NDArray[np.int_], genre: str) -> FloatArray:
        """Return P(genre) at each share: row 0 while deleting, row 1 while inserting."""
        stretch = np.arange(S_db.shape[1]) * N_STRETCHES // S_db.shape[1]
        rank = np.argsort(order)[stretch]
        silence = np.float32(self.bundle.features.floor_db)
        rows = []
        for share in SHARES:
            is_first = rank < round(share * N_STRETCHES)
            rows.append(
                (
                    self.probability(np.where(is_first, silence, S_db), genre),
                    self.probability(np.where(is_first, S_db, silence), genre),
                )
            )
        return np.array(rows).T


def choose_tracks(tracks: Iterable[Track], n_tracks: int, *, seed: int = 0) -> list[Track]:
    """Draw tracks to listen to, one of an artist at most, so that each counts for itself."""
    clips = [track for track in tracks if track.evaluate]
    np.random.default_rng(seed).shuffle(clips)  # type: ignore[arg-type]
    by_artist = {track.group: track for track in clips}
    return list(by_artist.values())[:n_tracks]


def measure_track(reader: Reader, path: Path, *, rng: np.random.Generator) -> FloatArray:
    """Return curves of shape (2 orders, 2 ways, n_shares): by evidence, then at random."""
    features = reader.bundle.features
    y, _ = load_audio(path, sr=features.sr)
    prediction = reader.classifier.predict_waveform(y)
    genre = prediction.genre
    index = prediction.evidence.seconds / prediction.duration_seconds * N_STRETCHES
    said = np.bincount(
        np.clip(index.astype(int), 0, N_STRETCHES - 1),
        weights=evidence_for(prediction, genre),
        minlength=N_STRETCHES,
    )
    S_db = log_mel(y, config=features)
    by_evidence = reader.curves(S_db, np.argsort(-said), genre)
    at_random = [reader.curves(S_db, rng.permutation(N_STRETCHES), genre) for _ in range(N_RANDOM)]
    return np.stack([by_evidence, np.mean(at_random, axis=0)])


def interval(values: FloatArray) -> dict[str, float]:
    """Return the mean over tracks with its 95% bootstrap interval."""
    found = bootstrap((values,), np.mean, n_resamples=2000, rng=np.random.default_rng(0))
    low, high = found.confidence_interval
    return {"value": float(values.mean()), "low": float(low), "high": float(high)}


def summarise(curves: FloatArray) -> dict[str, Any]:
    """Summarise curves of shape (n_tracks, 2 orders, 2 ways, n_shares)."""
    areas = np.trapezoid(curves, SHARES, axis=-1)  # (n_tracks, orders, ways)
    result: dict[str, Any] = {"shares": SHARES}
    for way, name in enumerate(("deletion", "insertion")):
        evidence, chance = areas[:, 0, way], areas[:, 1, way]
        gain = chance - evidence if name == "deletion" else evidence - chance
        result[name] = {
            "curve_evidence": curves[:, 0, way].mean(axis=0),
            "curve_random": curves[:, 1, way].mean(axis=0),
            "area_evidence": interval(evidence),
            "area_random": interval(chance),
            "gain": interval(gain),
            "share_of_tracks_with_gain": float((gain > 0).mean()),
        }
    return result


def main() -> None:
    """Measure and write the result."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tracks", type=int, default=N_TRACKS)
    parser.add_argument("--corpus", type=Path, help="the corpus; else SONGNET_CORPUS names it")
    parser.add_argument("--out", type=Path, default=RESULTS / "explanation.json")
    options = parser.parse_args()
    reader = Reader(Bundle.load(find_bundle()))
    tracks = choose_tracks(load_corpus(options.corpus), options.tracks)
    rng = np.random.default_rng(0)
    curves = []
    for i, track in enumerate(tracks, start=1):
        curves.append(measure_track(reader, track.path, rng=rng))
        print(f"{i} of {len(tracks)}", end="\r", flush=True)
    result = summarise(np.array(curves))
    save_result(
        options.out,
        {
            "what": "probability of the predicted genre while stretches of a track are muted or "
            "brought back, in the order of the evidence and at random",
            "n_tracks": len(tracks),
            "n_stretches": N_STRETCHES,
            "random_orders": N_RANDOM,
            "intervals": "95%, bootstrap over tracks, each by another artist",
            "model": f"{reader.bundle.name} {reader.bundle.version}",
            "model_sha256": reader.bundle.files["model.tflite"],
            **result,
        },
    )
    for name in ("deletion", "insertion"):
        gain = result[name]["gain"]
        print(f"{name}: {gain['value']:+.3f} ({gain['low']:+.3f} to {gain['high']:+.3f})")
    print(options.out)


if __name__ == "__main__":
    main()
