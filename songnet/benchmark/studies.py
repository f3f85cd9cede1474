"""Sections of the results that go beyond the leaderboard, one for each study."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from songnet.benchmark.inputs import Inputs, training_part
from songnet.benchmark.pieces import HONEST, LEARNING_SHARES, Piece
from songnet.benchmark.reader import Reader, Scored, headline_intervals, is_right
from songnet.evaluation.learning_curve import tracks_needed, tracks_needed_interval
from songnet.evaluation.metrics import accuracy, evaluate
from songnet.exceptions import DatasetError
from songnet.signal.statistics import StatisticsConfig, statistics_names

__all__ = [
    "codec_section",
    "conditions_section",
    "cost_section",
    "leaky_section",
    "learning_curve_section",
    "mfcc_section",
    "needed_section",
]

_WANTED_ACCURACY = 0.75


def conditions_section(
    scored: Mapping[str, Scored], reader: Reader, study: str, seed: int
) -> dict[str, Any]:
    """Metrics under each condition, and the change from the same tracks clean.

    Only of models with all folds: the others would be compared on other tracks.
    """
    models: dict[str, Any] = {}
    for name, clean in scored.items():
        if reader.missing_folds(clean.entry, study):
            continue
        rows = reader.rows(clean.entry, study)
        assert rows is not None
        right = dict(zip(clean.rows["track_id"], is_right(clean), strict=True))
        models[name] = []
        for condition, part in rows.groupby("condition", sort=False):
            heard = reader.scored(clean.entry, study, part)
            same = float(np.mean([right[i] for i in heard.rows["track_id"]]))
            values = headline_intervals(heard, seed)
            lost = same - values["accuracy"]["value"]
            models[name].append(
                {
                    "condition": str(condition),
                    "n_tracks": len(part),
                    **values,
                    "clean_accuracy": same,
                    "lost": lost,
                }
            )
    return models


def codec_section(scored: Mapping[str, Scored], reader: Reader) -> dict[str, Any]:
    """Accuracy on tracks in their own codec, and on the same tracks of the data set.

    Only of models with all folds, so that all are of the same tracks.
    """
    models: dict[str, Any] = {}
    for name, clean in scored.items():
        rows = reader.rows(clean.entry, "codec")
        if rows is None or reader.missing_folds(clean.entry, "codec"):
            continue
        original = reader.scored(clean.entry, "codec", rows)
        right = dict(zip(clean.rows["track_id"], is_right(clean), strict=True))
        encoded = np.array([right[i] for i in original.rows["track_id"]])
        right_too = is_right(original)
        models[name] = {
            "n_tracks": len(rows),
            "accuracy": float(encoded.mean()),
            "original_accuracy": accuracy(original.y_true, original.probs),
            "only_encoded": int(np.sum(encoded & ~right_too)),
            "only_original": int(np.sum(~encoded & right_too)),
        }
    return models


def learning_curve_section(
    scored: Mapping[str, Scored], reader: Reader, seed: int, *, before: Mapping[str, Any]
) -> dict[str, Any]:
    """Metrics against the share of the training data, where all folds are there.

    ``n_train`` is the mean number of whole clips of the share; networks learn
    from the excerpts of as many artists too. ``before`` has points that were
    found elsewhere.
    """
    models: dict[str, Any] = {}
    for name, whole in scored.items():
        if not whole.entry.has_learning_curve:
            continue
        points = {point["share"]: point for point in before.get(name, ())}
        for share, part in _learning_parts(whole, reader).items():
            points[share] = {
                "share": share,
                "n_train": _mean_whole_clips(reader, share),
                **headline_intervals(part, seed),
            }
        models[name] = [points[share] for share in sorted(points)]
    return models


def _learning_parts(whole: Scored, reader: Reader) -> dict[float, Scored]:
    """Predictions of a model that learned from each share of the data, as far as they are here."""
    parts = {}
    for share in LEARNING_SHARES:
        if not reader.missing_folds(whole.entry, "learning-curve", share):
            rows = reader.rows(whole.entry, "learning-curve", share)
            parts[share] = reader.scored(whole.entry, "learning-curve", rows)
    return {**parts, 1.0: whole}


def _mean_whole_clips(reader: Reader, share: float) -> int:
    """Whole clips that a fold's model learns from: whole artists never give the exact share."""
    parts = [
        training_part(reader.dataset, fold=fold, share=share, seed=reader.seed)
        for fold in reader.dataset.folds
    ]
    return round(float(np.mean([sum(track.evaluate for track in part) for part in parts])))


def needed_section(
    curves: Mapping[str, Any],
    scored: Mapping[str, Scored],
    reader: Reader,
    seed: int,
    *,
    before: Mapping[str, Any],
) -> dict[str, Any]:
    """Whole clips that an accuracy of 75 % would need, where a curve can be continued.

    The intervals of curves that were not run here are those of ``before``.
    """
    n_train: dict[str, int] = {}
    intervals: dict[str, Any] = {}
    for name, points in curves.items():
        tracks = [point["n_train"] for point in points]
        accuracies = [point["accuracy"]["value"] for point in points]
        needed = tracks_needed(tracks, accuracies, wanted=_WANTED_ACCURACY)
        if not needed:
            continue
        n_train[name] = needed
        parts = _learning_parts(scored[name], reader)
        if len(parts) == len(points):
            intervals[name] = tracks_needed_interval(
                tracks,
                np.stack([is_right(parts[point["share"]]) for point in points]),
                scored[name].groups,
                wanted=_WANTED_ACCURACY,
                seed=seed,
            )
        elif name in before:
            intervals[name] = before[name]
    return {"accuracy": _WANTED_ACCURACY, "n_train": n_train, "intervals": intervals}


def leaky_section(scored: Mapping[str, Scored], reader: Reader, seed: int) -> dict[str, Any]:
    """Metrics of the leaky split beside those of the honest one, unit by unit.

    Of tracks, the same are scored; of segments, those of the artists that the
    honest network of the same fold never heard.
    """
    models: dict[str, Any] = {}
    for name, whole in scored.items():
        rows = reader.rows(whole.entry, "leaky")
        if rows is None:
            continue
        is_honest = rows["condition"] == HONEST
        leaky = reader.scored(whole.entry, "leaky", rows[~is_honest])
        if is_honest.any():
            honest = reader.scored(whole.entry, "leaky", rows[is_honest])
        else:
            same = whole.rows["track_id"].isin(set(leaky.rows["track_id"]))
            honest = reader.scored(whole.entry, "folds", whole.rows[same])
        models[name] = {
            "split": whole.entry.leak,
            "n_scored": len(leaky.rows),
            "n_honest": len(honest.rows),
            "folds": sorted({int(fold) for fold in rows["fold"]}),
            **headline_intervals(leaky, seed),
            "honest": evaluate(honest.y_true, honest.probs),
        }
    return models


def cost_section(
    scored: Mapping[str, Scored],
    reader: Reader,
    training: Mapping[str, Sequence[Mapping[str, Any]]],
) -> dict[str, Any]:
    """Size, operations, latency, memory and training time, beside the accuracy.

    The time of a training that stopped early is that of the epochs which the
    folds had in the mean; ``training`` is what each fold's said.
    """
    models: dict[str, Any] = {}
    known = ("parameters", "weights_bytes", "macs", "runtimes", "machine", "load")
    for name, model in scored.items():
        about = reader.about(Piece(model.entry, "cost", reader.dataset.folds[0]))
        if about is None:
            continue
        epochs = [fold["epochs"] for fold in training[name] if "epochs" in fold]
        most = model.entry.training.epochs if model.entry.training else 1
        models[name] = {
            **{key: about[key] for key in known},
            "train_seconds": about["train_seconds"] * (np.mean(epochs) / most if epochs else 1),
            "accuracy": accuracy(model.y_true, model.probs),
        }
    return models


def mfcc_section(inputs: Inputs) -> dict[str, Any] | None:
    """Mean and variance of each MFCC by genre, over all frames of its tracks.

    Returns
    -------
    section : dict or None
        ``coefficients`` and, for each genre, ``mean`` and ``variance`` of each
        and the number of tracks; every track counts alike. None where the clip
        statistics are not all there.
    """
    config = StatisticsConfig()
    tracks = inputs.scored.tracks
    try:
        X = inputs.vectors(config, tracks).astype(np.float64)
    except DatasetError:
        return None
    names = list(statistics_names(config))
    means = X[:, [names.index(f"mfcc_{i}_mean") for i in range(config.n_mfcc)]]
    stds = X[:, [names.index(f"mfcc_{i}_std") for i in range(config.n_mfcc)]]
    genres: dict[str, Any] = {}
    for genre in inputs.dataset.genres:
        rows = np.array([track.genre == genre for track in tracks])
        variance = np.square(stds[rows]).mean(axis=0) + means[rows].var(axis=0)
        genres[genre] = {
            "n_tracks": int(rows.sum()),
            "mean": means[rows].mean(axis=0),
            "variance": variance,
        }
    return {"coefficients": config.n_mfcc, "statistics": config.to_dict(), "by_genre": genres}
