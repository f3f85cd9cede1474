"""What every command that reads a data set shares: its options, its features."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from songnet.cli.console import print_error, show_progress

if TYPE_CHECKING:
    from songnet.config import FeatureConfig
    from songnet.datasets.base import Dataset
    from songnet.datasets.store import FeatureStore
    from songnet.signal.degrade import Degradation

__all__ = [
    "DatasetName",
    "DatasetRoot",
    "Jobs",
    "SoundsRoot",
    "StoreRoot",
    "compute_features",
    "degraded_features",
    "with_features",
]

DatasetName = Annotated[
    str,
    typer.Option(
        "--dataset", help="Name of a data set (`songnet data list`), or folder of genres."
    ),
]
DatasetRoot = Annotated[
    Path | None,
    typer.Option(
        "--root",
        "--data-root",
        help="Its folder; else SONGNET_CORPUS for the corpus, SONGNET_DATA for FMA and GTZAN.",
    ),
]
StoreRoot = Annotated[
    Path | None,
    typer.Option("--store", help="Folder of all features; in the user's cache if not given."),
]
SoundsRoot = Annotated[
    Path | None,
    typer.Option(
        "--sounds",
        help="Folder with impulse responses in rooms/; else SONGNET_SOUNDS, else synthetic ones.",
    ),
]
Jobs = Annotated[
    int | None, typer.Option(min=1, help="Processes at work; one a core if not given.")
]


def compute_features(
    dataset: Dataset,
    features: FeatureConfig,
    *,
    store_root: Path | None,
    jobs: int | None = None,
    degradation: Degradation | None = None,
    scheduler: str | None = None,
) -> tuple[FeatureStore, set[str]]:
    """Compute the features that are missing, and say which tracks cannot be read.

    Parameters
    ----------
    dataset : Dataset
    features : FeatureConfig
    store_root : Path, optional
        In the user's cache if not given.
    jobs : int, optional
    degradation : Degradation, optional
    scheduler : str, optional
        Address of a Dask scheduler.

    Returns
    -------
    store : FeatureStore
    failed : set of str
        Ids of the tracks without features, each with a line on stderr.
    """
    from songnet.datasets.registry import cache_root
    from songnet.datasets.store import FeatureStore

    root = store_root or cache_root() / "features"
    store = FeatureStore(root, features, degradation=degradation)
    with show_progress("Features") as advance:
        report = store.compute(dataset, jobs=jobs, scheduler=scheduler, progress=advance)
    for track_id, reason in report.failed.items():
        print_error(reason, about=track_id)
    typer.echo(
        f"Features of {dataset.name}{_heard_by(degradation)}: {report.computed} computed, "
        f"{report.reused} there before, {len(report.failed)} failed, in {store.folder}",
        err=True,
    )
    return store, set(report.failed)


def _heard_by(degradation: Degradation | None) -> str:
    return f" through the {degradation.name}" if degradation else ""


def with_features(
    dataset: Dataset, features: FeatureConfig, *, store_root: Path | None, jobs: int | None = None
) -> tuple[Dataset, FeatureStore]:
    """Return the tracks whose features are there, computed now if need be.

    Parameters, results: see `compute_features`.
    """
    store, failed = compute_features(dataset, features, store_root=store_root, jobs=jobs)
    return dataset.select(lambda track: track.track_id not in failed), store


def degraded_features(
    dataset: Dataset,
    features: FeatureConfig,
    *,
    sounds: Path | None,
    store_root: Path | None,
    is_test: bool = False,
    jobs: int | None = None,
) -> FeatureStore:
    """Return the features of the tracks as a microphone hears them.

    Parameters
    ----------
    dataset : Dataset
        Tracks that can be read.
    features : FeatureConfig
    sounds : Path, optional
        See `songnet.signal.degrade.find_rooms`.
    store_root : Path, optional
    is_test : bool
        With the fixed conditions of the evaluation.
    jobs : int, optional

    Returns
    -------
    store : FeatureStore
    """
    from songnet.signal.degrade import TEST_DEGRADATION, TRAINING_DEGRADATION, find_rooms

    degradation = TEST_DEGRADATION if is_test else TRAINING_DEGRADATION
    degradation = degradation.replace(rooms_folder=find_rooms(sounds))
    store, _ = compute_features(
        dataset, features, store_root=store_root, jobs=jobs, degradation=degradation
    )
    return store
