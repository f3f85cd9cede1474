"""``songnet evaluate``: cross-validate a recipe and write its report."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from songnet.cli.console import load_tensorflow, print_report
from songnet.cli.datasets import (
    DatasetName,
    DatasetRoot,
    SoundsRoot,
    StoreRoot,
    degraded_features,
    with_features,
)
from songnet.cli.settings import BatchSize, Changes, Epochs, Seed, read_settings

__all__ = ["evaluate"]


def evaluate(
    *,
    dataset: DatasetName,
    run_dir: Annotated[Path, typer.Option(help="Folder of the folds' runs and the report.")],
    root: DatasetRoot = None,
    store: StoreRoot = None,
    sounds: SoundsRoot = None,
    folds: Annotated[
        int, typer.Option(min=2, help="Artist-disjoint folds, where the data set has none.")
    ] = 5,
    seed: Seed = None,
    epochs: Epochs = None,
    batch_size: BatchSize = None,
    changes: Changes = None,
    jobs: Annotated[int, typer.Option(min=1, help="Folds trained at the same time.")] = 1,
) -> None:
    """Cross-validate a recipe: train and predict once for each fold.

    Every track is predicted by a network that never saw its artist. Goes on
    where an interrupted evaluation stopped; writes RUN_DIR/report.json.
    """
    from songnet.datasets.corpus import load_originals
    from songnet.datasets.registry import load_dataset
    from songnet.datasets.splits import assign_folds
    from songnet.evaluation.protocol import DegradedStores, cross_validate

    settings = read_settings(changes, seed=seed, epochs=epochs, batch_size=batch_size)
    tracks = load_dataset(dataset, root=root)
    load_tensorflow()
    if not tracks.folds:
        tracks = assign_folds(tracks, n_folds=folds, seed=settings.training.seed)
    tracks, features = with_features(tracks, settings.features, store_root=store)
    twins = load_originals(root) if dataset == "corpus" else None
    if twins is not None:
        twins, _ = with_features(twins, settings.features, store_root=store)
    training, test = (
        degraded_features(
            tracks, settings.features, sounds=sounds, store_root=store, is_test=is_test
        )
        for is_test in (False, True)
    )
    report = cross_validate(
        tracks,
        store=features,
        run_dir=run_dir,
        settings=settings,
        twins=twins,
        degraded=DegradedStores(training=training, test=test),
        jobs=jobs,
        progress=lambda fold: typer.echo(f"Fold {fold}: done", err=True),
    )
    path = run_dir / "report.json"
    report.save(path)
    print_report(report)
    typer.echo(f"Report: {path}", err=True)
