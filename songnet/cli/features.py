"""``songnet features``: compute the log-mel of a data set once."""

from __future__ import annotations

from typing import Annotated

import typer

from songnet.cli.datasets import DatasetName, DatasetRoot, Jobs, StoreRoot, compute_features

__all__ = ["features"]


def features(
    *,
    dataset: DatasetName,
    root: DatasetRoot = None,
    store: StoreRoot = None,
    jobs: Jobs = None,
    scheduler: Annotated[
        str | None,
        typer.Option(help="Dask scheduler, as tcp://host:8786; else a cluster on this machine."),
    ] = None,
) -> None:
    """Compute the features of a data set.

    What is there already is kept, so an interrupted run goes on where it
    stopped. Exits with 1 if a track cannot be read; the others are computed.
    The workers of a scheduler need this version of songnet and the audio under
    the same paths; a worker that is lost is survived.
    """
    from songnet.config import FeatureConfig
    from songnet.datasets.registry import load_dataset

    tracks = load_dataset(dataset, root=root)
    _, failed = compute_features(
        tracks, FeatureConfig(), store_root=store, jobs=jobs, scheduler=scheduler
    )
    if failed:
        raise typer.Exit(1)
