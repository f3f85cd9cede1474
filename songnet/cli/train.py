"""``songnet train``: train a network on a data set."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from songnet.cli.console import print_table, show_progress
from songnet.cli.datasets import (
    DatasetName,
    DatasetRoot,
    Jobs,
    SoundsRoot,
    StoreRoot,
    degraded_features,
    with_features,
)
from songnet.cli.settings import BatchSize, Changes, Epochs, Seed, read_settings

__all__ = ["train"]


def train(
    *,
    dataset: DatasetName,
    run_dir: Annotated[Path, typer.Option(help="Folder of the run, such as runs/first.")],
    root: DatasetRoot = None,
    store: StoreRoot = None,
    sounds: SoundsRoot = None,
    seed: Seed = None,
    epochs: Epochs = None,
    batch_size: BatchSize = None,
    changes: Changes = None,
    jobs: Jobs = None,
) -> None:
    """Train a network.

    A run folder that holds an interrupted run of the same settings and data
    is resumed; one that holds a finished run is only shown. The folder also
    holds TensorBoard logs: tensorboard --logdir RUN_DIR.
    """
    from songnet.datasets.registry import load_dataset
    from songnet.training.train import train as run_training

    settings = read_settings(changes, seed=seed, epochs=epochs, batch_size=batch_size)
    tracks, features = with_features(
        load_dataset(dataset, root=root), settings.features, store_root=store, jobs=jobs
    )
    degraded = (
        degraded_features(tracks, settings.features, sounds=sounds, store_root=store, jobs=jobs)
        if settings.training.degraded_share > 0
        else None
    )
    with show_progress("Training") as advance:
        result = run_training(
            tracks,
            store=features,
            run_dir=run_dir,
            settings=settings,
            degraded=degraded,
            progress=lambda done, total, logs: advance(done, total, _describe(logs)),
        )
    row = (
        result.run_dir,
        result.epochs,
        result.best_epoch,
        f"{result.val_loss:.3f}",
        f"{result.val_accuracy:.1%}",
    )
    headings = ("Run", "Epochs", "Best epoch", "Validation loss", "Validation accuracy")
    print_table(headings, [row], numbers=headings[1:])


def _describe(logs: dict[str, float]) -> str:
    return f"loss {logs['loss']:.3f}, validation {logs['val_accuracy']:.1%}"
