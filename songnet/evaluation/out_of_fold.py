"""Score the out-of-fold predictions of a cross-validation.

Temperature and threshold of a fold come from the artists that its own
training held out, never from the fold itself.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
from scipy.special import softmax

from songnet.datasets.base import Dataset, Track
from songnet.evaluation.calibration import (
    apply_temperature,
    choose_not_sure_threshold,
    fit_temperature,
)
from songnet.evaluation.metrics import (
    accuracy,
    balanced_accuracy,
    expected_calibration_error,
)
from songnet.evaluation.report import Report, build_report
from songnet.evaluation.slices import metrics_by_slice

if TYPE_CHECKING:
    from songnet.signal.degrade import Degradation
    from songnet.training.run_folder import TrainSettings

__all__ = ["FoldPredictions", "summarise_folds"]

FloatArray = npt.NDArray[np.float64]
Truth = Callable[[Iterable[str]], npt.NDArray[np.int64]]
_PROTOCOL = {
    "name": "cross-validation",
    "split": "artist-disjoint folds; early stopping, temperature and threshold on artists held "
    "out of the training folds",
}


@dataclass(frozen=True)
class FoldPredictions:
    """What the network of one fold says, as logits of whole tracks.

    Parameters
    ----------
    fold : int
    track_ids : np.ndarray of str
        Tracks of the fold.
    logits : dict of str to np.ndarray [shape=(n_tracks, n_genres)]
        By runtime: "keras", "litert", "litert-fp16", "litert-int8".
    held_out_ids : np.ndarray of str
        Tracks that the training held out.
    held_out_logits : np.ndarray [shape=(n_held_out, n_genres)]
    twin_ids : np.ndarray of str
    twin_logits : np.ndarray [shape=(n_twins, n_genres)]
        Tracks of the fold that exist in another codec, predicted from that.
    degraded_logits : np.ndarray [shape=(n_tracks, n_genres)], optional
        The tracks as a microphone hears them.
    made_from : str
        Names the network and all that it heard, so that another one's
        predictions are not taken for its own.
    """

    fold: int
    track_ids: npt.NDArray[np.str_]
    logits: dict[str, FloatArray]
    held_out_ids: npt.NDArray[np.str_]
    held_out_logits: FloatArray
    twin_ids: npt.NDArray[np.str_]
    twin_logits: FloatArray
    degraded_logits: FloatArray | None = None
    made_from: str = ""

    def save(self, path: Path) -> None:
        """Write all arrays into one ``.npz`` file."""
        part = path.with_name("predictions.part.npz")
        arrays: dict[str, Any] = {f"logits_{name}": z for name, z in self.logits.items()}
        arrays |= {
            key: value for key, value in vars(self).items() if key != "logits" and value is not None
        }
        np.savez_compressed(part, **arrays)
        part.replace(path)

    @classmethod
    def load(cls, path: Path) -> FoldPredictions:
        """Read what `save` wrote."""
        with np.load(path) as file:
            arrays = dict(file)
        logits = {
            key.removeprefix("logits_"): arrays.pop(key)
            for key in list(arrays)
            if key.startswith("logits_")
        }
        made_from = str(arrays.pop("made_from", ""))
        return cls(fold=int(arrays.pop("fold")), logits=logits, made_from=made_from, **arrays)


def summarise_folds(
    dataset: Dataset,
    folds: Sequence[FoldPredictions],
    *,
    settings: TrainSettings,
    degradation: Degradation | None = None,
) -> Report:
    """Score the predictions of all folds together.

    Each fold is calibrated by the temperature of its own held-out artists.
    The section ``shipping`` holds what a network trained on all folds is
    shipped with: temperature and threshold from the out-of-fold logits.

    Parameters
    ----------
    dataset : Dataset
    folds : sequence of FoldPredictions
    settings : TrainSettings
    degradation : Degradation, optional
        What was done to the tracks behind ``degraded_logits``.

    Returns
    -------
    report : Report
    """
    tracks = {track.track_id: track for track in dataset}
    genre_index = {genre: index for index, genre in enumerate(dataset.genres)}

    def truth(ids: Iterable[str]) -> npt.NDArray[np.int64]:
        return np.array([genre_index[tracks[i].genre] for i in ids], dtype=np.int64)

    tested = [tracks[i] for fold in folds for i in fold.track_ids]
    temperatures = [
        fit_temperature(fold.held_out_logits, truth(fold.held_out_ids)) for fold in folds
    ]
    y_true = truth(track.track_id for track in tested)
    logits = np.concatenate([fold.logits["keras"] for fold in folds])
    probs = _calibrated([fold.logits["keras"] for fold in folds], temperatures)
    extra = {
        "settings": settings.to_dict(),
        **_slice_sections(tested, y_true, probs, seed=settings.training.seed),
        "runtimes": _runtime_section(folds, y_true),
        "codec": _codec_section(folds, probs, temperatures, truth),
        "degraded": _degraded_section(folds, temperatures, truth, degradation),
        "not_sure": _not_sure_section(folds, probs, temperatures, truth),
        "shipping": _shipping_section(logits, y_true),
    }
    return build_report(
        y_true,
        probs,
        [track.group for track in tested],
        dataset.genres,
        protocol={"dataset": dataset.name, "folds": len(folds), **_PROTOCOL},
        data_hash=dataset.hash,
        seed=settings.training.seed,
        uncalibrated_probs=softmax(logits, axis=1),
        temperatures=temperatures,
        extra=extra,
    )


def _calibrated(logits: Sequence[FloatArray], temperatures: Sequence[float]) -> FloatArray:
    """Probabilities of all folds, each with its own temperature."""
    return np.concatenate(
        [apply_temperature(z, t) for z, t in zip(logits, temperatures, strict=True) if len(z)]
    )


def _slice_sections(
    tested: Sequence[Track], y_true: npt.NDArray[np.int64], probs: FloatArray, *, seed: int
) -> dict[str, Any]:
    groups = [track.group for track in tested]
    slices = {
        "by_source": [track.source for track in tested],
        "by_fold": [str(track.fold) for track in tested],
    }
    return {
        name: metrics_by_slice(y_true, probs, groups, slices=values, seed=seed)
        for name, values in slices.items()
    }


def _runtime_section(
    folds: Sequence[FoldPredictions], y_true: npt.NDArray[np.int64]
) -> dict[str, Any]:
    logits = {name: np.concatenate([f.logits[name] for f in folds]) for name in folds[0].logits}
    return {name: {"accuracy": accuracy(y_true, softmax(z, axis=1))} for name, z in logits.items()}


def _codec_section(
    folds: Sequence[FoldPredictions],
    probs: FloatArray,
    temperatures: Sequence[float],
    truth: Truth,
) -> dict[str, Any] | None:
    """Accuracy on the twins in another codec, beside the same tracks."""
    twin_ids = [i for fold in folds for i in fold.twin_ids]
    if not twin_ids:
        return None
    twin_probs = _calibrated([fold.twin_logits for fold in folds], temperatures)
    row_of = {i: row for row, i in enumerate(i for fold in folds for i in fold.track_ids)}
    same = probs[[row_of[i] for i in twin_ids]]
    y_true = truth(twin_ids)
    return {
        "n_tracks": len(twin_ids),
        "accuracy": accuracy(y_true, same),
        "accuracy_other_codec": accuracy(y_true, twin_probs),
        "same_answer": float(np.mean(same.argmax(axis=1) == twin_probs.argmax(axis=1))),
    }


def _degraded_section(
    folds: Sequence[FoldPredictions],
    temperatures: Sequence[float],
    truth: Truth,
    degradation: Degradation | None,
) -> dict[str, Any] | None:
    """Scores of the same tracks as a microphone hears them."""
    heard = [fold.degraded_logits for fold in folds if fold.degraded_logits is not None]
    if degradation is None or len(heard) < len(folds):
        return None
    probs = _calibrated(heard, temperatures)
    y_true = truth(i for fold in folds for i in fold.track_ids)
    return {
        "degradation": degradation.describe(),
        "n_tracks": len(y_true),
        "accuracy": accuracy(y_true, probs),
        "balanced_accuracy": balanced_accuracy(y_true, probs),
        "ece": expected_calibration_error(y_true, probs),
    }


def _not_sure_section(
    folds: Sequence[FoldPredictions],
    probs: FloatArray,
    temperatures: Sequence[float],
    truth: Truth,
) -> dict[str, Any]:
    """What thresholds chosen on the held-out artists do to the folds."""
    thresholds = [
        choose_not_sure_threshold(
            apply_temperature(fold.held_out_logits, temperature), truth(fold.held_out_ids)
        ).threshold
        for fold, temperature in zip(folds, temperatures, strict=True)
    ]
    limit = np.repeat(thresholds, [len(fold.track_ids) for fold in folds])
    refused = probs.max(axis=1) < limit
    correct = probs.argmax(axis=1) == truth(i for fold in folds for i in fold.track_ids)
    return {
        "thresholds": thresholds,
        "refused_share": float(refused.mean()),
        "accuracy_kept": float(correct[~refused].mean()),
        "accuracy_refused": float(correct[refused].mean()) if refused.any() else None,
    }


def _shipping_section(logits: FloatArray, y_true: npt.NDArray[np.int64]) -> dict[str, Any]:
    temperature = fit_temperature(logits, y_true)
    choice = choose_not_sure_threshold(apply_temperature(logits, temperature), y_true)
    return {"temperature": temperature, "not_sure": choice.to_dict()}
