"""``songnet train-detector``: teach a bundle to tell music from what is none."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from songnet.cli.console import print_table
from songnet.cli.datasets import (
    DatasetName,
    DatasetRoot,
    Jobs,
    StoreRoot,
    degraded_features,
    with_features,
)

__all__ = ["train_detector"]


def train_detector(
    *,
    dataset: DatasetName = "corpus",
    model: Annotated[
        Path, typer.Option(help="Folder of the bundle; its detector is replaced.")
    ] = Path("models/songnet"),
    sounds: Annotated[
        Path | None,
        typer.Option(
            help="Folder with manifest.csv (speech, environment) and rooms/; else SONGNET_SOUNDS."
        ),
    ] = None,
    root: DatasetRoot = None,
    store: StoreRoot = None,
    jobs: Jobs = None,
    seed: Annotated[int, typer.Option(help="Seed of crops and folds.")] = 0,
) -> None:
    """Train the detector of music that belongs to a bundle, and measure it.

    A data set of music against speech, environmental sounds and generated
    noise, hum and tones, all of them also as a microphone hears them. Writes
    music.json and music_report.json into the bundle.
    """
    from songnet.datasets.registry import load_dataset
    from songnet.datasets.sounds import find_sounds, load_sounds
    from songnet.inference.bundle import Bundle
    from songnet.training.music import train_music_detector
    from songnet.training.music_samples import collect_samples

    bundle = Bundle.load(model)
    folder = find_sounds(sounds)
    heard = []
    for tracks in (load_dataset(dataset, root=root), load_sounds(folder)):
        readable, clean = with_features(tracks, bundle.features, store_root=store, jobs=jobs)
        microphone = degraded_features(
            readable, bundle.features, sounds=folder, store_root=store, jobs=jobs
        )
        heard.append(readable)
    music, others = heard
    samples = collect_samples(music, others, {"clean": clean, "microphone": microphone}, seed=seed)
    detector, report = train_music_detector(
        samples,
        config=bundle.features,
        data_hashes={data.name: data.hash for data in (music, others)},
        seed=seed,
    )
    bundle.save_detector(detector, report)
    _print_report(report)


def _print_report(report: dict[str, Any]) -> None:
    rows = [
        (condition, kind, said["n"], f"{said['refused']:.1%}", f"{said['refused_or_doubted']:.1%}")
        for condition in ("clean", "microphone")
        for kind, said in report[condition]["kind"].items()
    ]
    headings = ("Heard", "Kind", "Clips", "Refused", "Refused or not sure")
    print_table(headings, rows, numbers=headings[2:])
