"""``songnet features``: compute the log-mel of a data set once."""

from __future__ import annotations

import typer

from songnet.cli.datasets import DatasetName, DatasetRoot, Jobs, StoreRoot, compute_features

__all__ = ["features"]


def features(
    *,
    dataset: DatasetName,
    root: DatasetRoot = None,
    store: StoreRoot = None,
    jobs: Jobs = None,
) -> None:
    """Compute the features of a data set.

    What is there already is kept, so an interrupted run goes on where it
    stopped. Exits with 1 if a track cannot be read; the others are computed.
    """
    from songnet.config import FeatureConfig
    from songnet.datasets.registry import load_dataset

    tracks = load_dataset(dataset, root=root)
    _, failed = compute_features(tracks, FeatureConfig(), store_root=store, jobs=jobs)
    if failed:
        raise typer.Exit(1)
