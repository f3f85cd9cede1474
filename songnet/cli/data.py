"""``songnet data``: what there is to train on."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from songnet.cli.console import print_table
from songnet.cli.datasets import DatasetRoot

if TYPE_CHECKING:
    from songnet.datasets.base import Dataset

__all__ = ["data"]

data = typer.Typer(no_args_is_help=True, help="Show, check and make data sets.")
Name = Annotated[
    str, typer.Argument(help="Name of a data set (`songnet data list`), or folder of genres.")
]
_DESCRIPTIONS = {
    "corpus": "10 genres in artist-disjoint folds; its folder: --root or SONGNET_CORPUS",
    "folder": "your own music, one folder for each genre: --root, or its path as the name",
    "synthetic": "generated, four made-up genres; for tests and a smoke training",
}


@data.command("list")
def list_datasets() -> None:
    """Show the data sets that can be loaded."""
    from songnet.datasets.registry import DATASET_NAMES

    print_table(("Name", "What it is"), [(name, _DESCRIPTIONS[name]) for name in DATASET_NAMES])


@data.command()
def info(name: Name, *, root: DatasetRoot = None) -> None:
    """Count the tracks, artists and genres of a data set."""
    from songnet.datasets.registry import load_dataset

    dataset = load_dataset(name, root=root)
    print_table(("Data set", dataset.name), _facts(dataset))
    typer.echo()
    tracks = Counter(track.genre for track in dataset)
    artists = Counter(genre for genre, _ in {(track.genre, track.group) for track in dataset})
    headings = ("Genre", "Tracks", "Artists")
    rows = [(genre, tracks[genre], artists[genre]) for genre in dataset.genres]
    print_table(headings, rows, numbers=headings[1:])


def _facts(dataset: Dataset) -> list[tuple[str, str]]:
    seconds = [track.duration_seconds for track in dataset if track.duration_seconds is not None]
    facts = {
        "Tracks": str(len(dataset)),
        "Evaluated": str(sum(track.evaluate for track in dataset)),
        "Artists": str(len({track.group for track in dataset})),
        "Folds": ", ".join(map(str, dataset.folds)) or "none",
        "Duration": f"{sum(seconds) / 3600:.1f} h of {len(seconds)} tracks"
        if seconds
        else "unknown",
        "Licence": dataset.licence or "unknown",
        "Cite": dataset.citation or "unknown",
        "Hash": dataset.hash,
    }
    return list(facts.items())


@data.command()
def verify(name: Name, *, root: DatasetRoot = None) -> None:
    """Compare the files of a data set with their checksums."""
    from songnet.datasets.registry import load_dataset

    dataset = load_dataset(name, root=root)
    dataset.verify()
    checked = sum(bool(track.sha256) for track in dataset)
    typer.echo(f"{dataset.name}: {len(dataset)} files are there, {checked} match their checksum.")


@data.command()
def synthetic(
    folder: Annotated[Path, typer.Argument(help="Folder to fill.")],
    *,
    tracks_per_genre: Annotated[int, typer.Option(min=5, help="Of five artists each.")] = 20,
    seconds: Annotated[float, typer.Option(min=1.0, help="Length of each track.")] = 6.0,
    seed: Annotated[int, typer.Option(min=0)] = 0,
) -> None:
    """Generate tracks of made-up genres.

    Train on them with: songnet train --dataset synthetic --root FOLDER …
    """
    from songnet.datasets.synthetic import generate_synthetic

    dataset = generate_synthetic(
        folder, tracks_per_genre=tracks_per_genre, seconds=seconds, seed=seed
    )
    typer.echo(f"{len(dataset)} tracks of {', '.join(dataset.genres)} in {folder}")
