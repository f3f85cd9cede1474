"""`Report`: what a model scored, how that was measured, and on what.

A report is one JSON object of plain types. The headline metrics stand at its
top level, each as ``{"value", "low", "high"}``, fractions from 0 to 1
(log-loss in nats), beside the protocol, the hash of the data, the seed, the
versions and the commit. Floats are rounded to six significant digits, far
below the width of any interval here. What is undefined is null, never NaN.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Self

import numpy as np
import numpy.typing as npt

from songnet.evaluation.curves import precision_recall_curves, reliability_curve, roc_curves
from songnet.evaluation.intervals import (
    CONFIDENCE,
    N_RESAMPLES,
    Interval,
    bootstrap_intervals,
    group_indices,
)
from songnet.evaluation.metrics import (
    HEADLINE_METRICS,
    confusion_matrix,
    expected_calibration_error,
    log_loss,
    per_genre,
    validate,
)
from songnet.exceptions import ParameterError, SongNetError
from songnet.json_text import to_plain, write_object
from songnet.provenance import git_commit, versions

__all__ = ["SCHEMA", "Report", "ReportError", "build_report"]

SCHEMA = 1


class ReportError(SongNetError):
    """A report file is missing, damaged or of another schema."""


@dataclass(frozen=True)
class Report:
    """The scores of one evaluation, and where they come from.

    Parameters
    ----------
    accuracy, balanced_accuracy, macro_f1, top3_accuracy, log_loss, ece : Interval
    protocol : dict
        How the predictions were made: splits, folds, what was chosen on what.
    data_hash : str
        Hash of the data set, as `songnet.datasets.base.Dataset.hash`.
    seed : int
        Of the training and of the bootstrap.
    versions : dict of str to str
    commit : str or None
        "-dirty" after it if the code was changed; None outside git.
    created : str
        UTC, ISO 8601.
    interval : dict
        How the intervals were made.
    n_tracks, n_groups : int
    genres : tuple of str
        Rows and columns of ``confusion``.
    per_genre, roc, precision_recall : dict
        By genre, see `songnet.evaluation.metrics` and `curves`.
    confusion : list of lists of int
        Tracks by true genre (rows) and predicted genre (columns).
    reliability : dict
        Confidence against accuracy in bins.
    calibration : dict
        ``ece_before``, ``ece_after``, ``log_loss_before``, ``log_loss_after``
        and ``temperatures``; null where nothing was calibrated.
    extra : dict
        Further sections, at the top level of the JSON: ``by_source``, ….
    """

    accuracy: Interval
    balanced_accuracy: Interval
    macro_f1: Interval
    top3_accuracy: Interval
    log_loss: Interval
    ece: Interval
    protocol: dict[str, Any]
    data_hash: str
    seed: int
    versions: dict[str, str]
    commit: str | None
    created: str
    interval: dict[str, Any]
    n_tracks: int
    n_groups: int
    genres: tuple[str, ...]
    per_genre: dict[str, dict[str, float]]
    confusion: list[list[int]]
    roc: dict[str, dict[str, Any]]
    precision_recall: dict[str, dict[str, Any]]
    reliability: dict[str, list[Any]]
    calibration: dict[str, Any]
    extra: dict[str, Any] = field(default_factory=dict)

    def to_dict(self) -> dict[str, Any]:
        """Return the report as plain JSON types, as the file holds it."""
        values = {name: getattr(self, name) for name in _field_names()}
        for name in HEADLINE_METRICS:
            values[name] = values[name].to_dict()
        return {"schema": SCHEMA, **values, "genres": list(self.genres), **self.extra}

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Self:
        """Rebuild from `to_dict`.

        Raises
        ------
        ReportError
            If a key is missing, a value impossible or the schema another.
        """
        if values.get("schema") != SCHEMA:
            raise ReportError(
                f"The report has schema {values.get('schema')!r}; this version reads {SCHEMA}: "
                "evaluate the model again."
            )
        missing = sorted(set(_field_names()) - set(values))
        if missing:
            raise ReportError(f"The report has no {missing}; evaluate the model again.")
        known = {name: values[name] for name in _field_names()}
        for name in HEADLINE_METRICS:
            known[name] = _read_interval(name, values[name])
        known["genres"] = tuple(values["genres"])
        extra = {k: v for k, v in values.items() if k not in known and k != "schema"}
        _check_counts(known)
        return cls(**known, extra=extra)

    def save(self, path: Path) -> None:
        """Write the report as JSON, one key a line, all of it or nothing."""
        write_object(path, self.to_dict())

    @classmethod
    def load(cls, path: Path) -> Self:
        """Read and check a file that `save` wrote.

        Raises
        ------
        ReportError
            If it is missing, not JSON, or not a report of this schema.
        """
        try:
            values = json.loads(path.read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            raise ReportError(
                f"{path} cannot be read ({error}); expected the JSON of a report."
            ) from error
        if not isinstance(values, dict):
            raise ReportError(f"{path} holds a {type(values).__name__}; expected a JSON object.")
        try:
            return cls.from_dict(values)
        except (SongNetError, AttributeError, KeyError, TypeError, ValueError) as error:
            raise ReportError(f"{path} is not a report: {error}") from error


def build_report(  # noqa: PLR0913 - the whole provenance of a result, by keyword
    y_true: npt.ArrayLike,
    probs: npt.ArrayLike,
    groups: Sequence[object] | npt.NDArray[np.generic],
    genres: Sequence[str],
    *,
    protocol: Mapping[str, Any],
    data_hash: str,
    seed: int,
    uncalibrated_probs: npt.ArrayLike | None = None,
    temperatures: Sequence[float] | None = None,
    extra: Mapping[str, Any] | None = None,
    n_resamples: int = N_RESAMPLES,
) -> Report:
    """Score predictions and note where they come from.

    Parameters
    ----------
    y_true : array-like [shape=(n_tracks,), dtype=int]
        Index into ``genres`` of each track.
    probs : array-like [shape=(n_tracks, n_genres), dtype=float]
        Calibrated probabilities of tracks that were not trained on.
    groups : sequence [length=n_tracks]
        The artist of each track; at least two different ones.
    genres : sequence of str
    protocol : mapping
        How the predictions were made; JSON types.
    data_hash : str
    seed : int
    uncalibrated_probs : array-like [shape=(n_tracks, n_genres)], optional
        The same predictions at temperature 1.
    temperatures : sequence of float, optional
        What calibrated them, one a fold or one for all.
    extra : mapping, optional
        Further sections of JSON types for the top level, such as ``by_fold``
        from `songnet.evaluation.slices.metrics_by_slice`.
    n_resamples : int
        Of the bootstrap.

    Returns
    -------
    report : Report

    Raises
    ------
    ParameterError
        If the data are invalid, or a section is not JSON or has a taken name.
    """
    truth, p = validate(y_true, probs, genres=genres)
    taken = sorted({*_field_names(), "schema", "extra"} & set(extra or {}))
    if taken:
        raise ParameterError(f"extra names the sections {taken}; a report has those itself.")
    headline = bootstrap_intervals(truth, p, groups, n_resamples=n_resamples, seed=seed)
    values = {
        "schema": SCHEMA,
        **{name: interval.to_dict() for name, interval in headline.items()},
        **_provenance(protocol, data_hash=data_hash, seed=seed, n_resamples=n_resamples),
        "n_tracks": truth.size,
        "n_groups": group_indices(groups, n_tracks=truth.size)[1],
        "genres": genres,
        "per_genre": per_genre(truth, p, genres=genres),
        "confusion": confusion_matrix(truth, p),
        "roc": roc_curves(truth, p, genres=genres),
        "precision_recall": precision_recall_curves(truth, p, genres=genres),
        "reliability": reliability_curve(truth, p),
        "calibration": _calibration(truth, p, uncalibrated_probs, temperatures),
        **(extra or {}),
    }
    return Report.from_dict(to_plain(values))


def _provenance(
    protocol: Mapping[str, Any], *, data_hash: str, seed: int, n_resamples: int
) -> dict[str, Any]:
    return {
        "protocol": protocol,
        "data_hash": data_hash,
        "seed": seed,
        "versions": versions(),
        "commit": git_commit(),
        "created": datetime.now(UTC).isoformat(timespec="seconds"),
        "interval": {
            "method": "percentile bootstrap, groups drawn with replacement",
            "confidence": CONFIDENCE,
            "n_resamples": n_resamples,
            "seed": seed,
        },
    }


def _calibration(
    truth: npt.NDArray[np.int64],
    probs: npt.NDArray[np.float64],
    uncalibrated_probs: npt.ArrayLike | None,
    temperatures: Sequence[float] | None,
) -> dict[str, Any]:
    before = uncalibrated_probs
    return {
        "ece_before": None if before is None else expected_calibration_error(truth, before),
        "ece_after": expected_calibration_error(truth, probs),
        "log_loss_before": None if before is None else log_loss(truth, before),
        "log_loss_after": log_loss(truth, probs),
        "temperatures": temperatures,
    }


def _field_names() -> tuple[str, ...]:
    """Keys that every report has; the extra sections stand beside them."""
    return tuple(f.name for f in fields(Report) if f.name != "extra")


def _read_interval(name: str, values: Mapping[str, Any]) -> Interval:
    interval = Interval(*(float(values[end]) for end in ("value", "low", "high")))
    ends = (interval.value, interval.low, interval.high)
    highest = np.inf if name == "log_loss" else 1.0
    if not (all(0 <= end <= highest for end in ends) and interval.low <= interval.high):
        raise ReportError(f"{name} is {values}; expected low <= high, fractions from 0 to 1.")
    return interval


def _check_counts(known: Mapping[str, Any]) -> None:
    n_genres, confusion = len(known["genres"]), known["confusion"]
    square = len(confusion) == n_genres and all(len(row) == n_genres for row in confusion)
    if not square or sum(map(sum, confusion)) != known["n_tracks"]:
        raise ReportError(
            f"The confusion matrix does not count {known['n_tracks']} tracks of {n_genres} genres."
        )
    for section in ("per_genre", "roc", "precision_recall"):
        if list(known[section]) != list(known["genres"]):
            raise ReportError(f"{section} does not list the genres {list(known['genres'])}.")
