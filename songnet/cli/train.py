"""``songnet train``: train a network on a data set."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from songnet.cli.console import load_tensorflow, print_report, print_table, show_progress
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

if TYPE_CHECKING:
    from songnet.datasets.base import Dataset
    from songnet.datasets.store import FeatureStore
    from songnet.training.run_folder import TrainSettings

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
    random_split: Annotated[
        bool,
        typer.Option("--random-split", help="Split tracks at random; artists are on all sides."),
    ] = False,
) -> None:
    """Train a network.

    Where the data set has an official split (FMA, GTZAN with its lists), its
    validation side decides when to stop, and RUN_DIR/report.json holds the
    score on its test side. Elsewhere some artists are held out.

    A run folder that holds an interrupted run of the same settings and data
    is resumed; one that holds a finished run is only shown. The folder also
    holds TensorBoard logs: tensorboard --logdir RUN_DIR.
    """
    from songnet.datasets.registry import load_dataset
    from songnet.datasets.splits import assign_random_split

    settings = read_settings(changes, seed=seed, epochs=epochs, batch_size=batch_size)
    tracks = load_dataset(dataset, root=root)
    load_tensorflow()
    tracks, features = with_features(tracks, settings.features, store_root=store, jobs=jobs)
    if random_split:
        tracks = assign_random_split(tracks, seed=settings.training.seed)
    has_test = "test" in tracks.splits
    degraded = [
        degraded_features(
            tracks,
            settings.features,
            sounds=sounds,
            store_root=store,
            is_test=is_test,
            jobs=jobs,
        )
        for is_test in ((False, True) if has_test else (False,))
        if settings.training.degraded_share > 0
    ]
    learn = _learn_and_test if has_test else _learn
    learn(tracks, features, degraded, run_dir=run_dir, settings=settings)


def _learn(
    tracks: Dataset,
    features: FeatureStore,
    degraded: list[FeatureStore],
    *,
    run_dir: Path,
    settings: TrainSettings,
) -> None:
    from songnet.training.train import train as run_training

    with show_progress("Training") as advance:
        result = run_training(
            tracks,
            store=features,
            run_dir=run_dir,
            settings=settings,
            degraded=degraded[0] if degraded else None,
            progress=lambda done, total, logs: advance(done, total, _describe(logs)),
        )
    row = (
        result.run_dir,
        result.epochs,
        result.kept_epoch,
        f"{result.val_loss:.3f}",
        f"{result.val_accuracy:.1%}",
    )
    headings = ("Run", "Epochs", "Kept epoch", "Validation loss", "Validation accuracy")
    print_table(headings, [row], numbers=headings[1:])


def _learn_and_test(
    tracks: Dataset,
    features: FeatureStore,
    degraded: list[FeatureStore],
    *,
    run_dir: Path,
    settings: TrainSettings,
) -> None:
    from songnet.evaluation.holdout import evaluate_split
    from songnet.evaluation.protocol import DegradedStores

    with show_progress("Training") as advance:
        report = evaluate_split(
            tracks,
            store=features,
            run_dir=run_dir,
            settings=settings,
            degraded=DegradedStores(*degraded) if degraded else None,
            progress=lambda done, total, logs: advance(done, total, _describe(logs)),
        )
    report.save(run_dir / "report.json")
    print_report(report)
    typer.echo(f"Report: {run_dir / 'report.json'}", err=True)


def _describe(logs: dict[str, float]) -> str:
    return f"loss {logs['loss']:.3f}, validation {logs['val_accuracy']:.1%}"
