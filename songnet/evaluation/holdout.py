"""Evaluation on one split: learn on its training side, report on its test side, once.

The validation side alone decides when to stop, the temperature and the
"not sure" threshold.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from songnet.datasets.base import SPLITS, Dataset
from songnet.datasets.store import FeatureStore
from songnet.evaluation.out_of_fold import summarise_folds
from songnet.evaluation.protocol import DegradedStores, predict_fold
from songnet.evaluation.report import Report
from songnet.exceptions import DatasetError

if TYPE_CHECKING:
    from songnet.training.callbacks import Progress
    from songnet.training.run_folder import TrainSettings

__all__ = ["evaluate_split"]

_LEARN, _TEST = 0, 1


def evaluate_split(
    dataset: Dataset,
    *,
    store: FeatureStore,
    run_dir: Path,
    settings: TrainSettings,
    degraded: DegradedStores | None = None,
    progress: Progress | None = None,
) -> Report:
    """Train on a split and score its test side; reuses a finished run.

    Parameters
    ----------
    dataset : Dataset
        With tracks on all sides of a split.
    store, settings, degraded
        See `songnet.evaluation.protocol.cross_validate`.
    run_dir : Path
        Folder of the run, see `songnet.training.train.train`.
    progress : callable, optional
        Called with (epochs done, epochs at most, logs) after each epoch.

    Returns
    -------
    report : Report
        Its protocol says whether artists are on several sides.

    Raises
    ------
    DatasetError
        If a side has no track.
    """
    from songnet.training.train import train

    if dataset.splits != SPLITS:
        raise DatasetError(
            f"{dataset.name!r} has tracks on the sides {dataset.splits} of its split; a report "
            f"needs {SPLITS}. Add what is missing, or use --random-split."
        )
    sides = dataset.with_tracks(
        replace(track, fold=_TEST if track.split == "test" else _LEARN) for track in dataset
    )
    train(
        sides.select(lambda track: track.fold == _LEARN),
        store=store,
        run_dir=run_dir,
        settings=settings,
        genres=sides.genres,
        degraded=degraded.training if degraded else None,
        progress=progress,
    )
    predictions = predict_fold(
        _TEST, dataset=sides, store=store, run_dir=run_dir, settings=settings, degraded=degraded
    )
    report = summarise_folds(
        sides,
        [predictions],
        settings=settings,
        degradation=degraded.test.degradation if degraded else None,
    )
    return replace(report, protocol=_protocol(dataset))


def _protocol(dataset: Dataset) -> dict[str, object]:
    sides = {split: [t for t in dataset if t.split == split] for split in SPLITS}
    groups = {split: {track.artist or track.group for track in sides[split]} for split in SPLITS}
    return {
        "name": "held-out test",
        "dataset": dataset.name,
        "folds": 1,
        "split": "; ".join(f"{split} {len(tracks)}" for split, tracks in sides.items()),
        "artists_on_both_sides": len(groups["test"] & (groups["train"] | groups["validation"])),
    }
