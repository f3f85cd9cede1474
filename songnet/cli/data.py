"""``songnet data``: what there is to train on."""

from __future__ import annotations

from collections import Counter
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from songnet.cli.console import Advance, print_table, show_progress
from songnet.cli.datasets import DatasetRoot
from songnet.cli.feedback import from_feedback
from songnet.exceptions import DatasetError

if TYPE_CHECKING:
    from songnet.datasets.base import Dataset

__all__ = ["data"]

data = typer.Typer(no_args_is_help=True, help="Show, check and make data sets.")
data.command("from-feedback")(from_feedback)
Name = Annotated[
    str, typer.Argument(help="Name of a data set (`songnet data list`), or folder of genres.")
]
_DESCRIPTIONS = {
    "corpus": "10 genres in artist-disjoint folds; its folder: --root or SONGNET_CORPUS",
    "folder": "your own music, one folder for each genre: --root, or its path as the name",
    "synthetic": "generated, four made-up genres; for tests and a smoke training",
    "fma-small": "Free Music Archive: 8,000 clips of 30 s, 8 genres, official split",
    "fma-medium": "Free Music Archive: 25,000 clips of 30 s, 16 genres, official split",
    "fma-large": "Free Music Archive: 106,574 clips of 30 s, those with one of 16 genres",
    "fma-full": "Free Music Archive: 106,574 whole tracks, those with one of 16 genres",
    "fma-metadata": "who made each track of the Free Music Archive, without audio",
    "gtzan": "1,000 clips of 30 s, 10 genres; use the fault-filtered lists (data/README.md)",
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

    with show_progress("Reading files") as advance:
        dataset = load_dataset(name, root=root, progress=advance)
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
        "Split": _split_sizes(dataset) or "none",
        "Duration": f"{sum(seconds) / 3600:.1f} h of {len(seconds)} tracks"
        if seconds
        else "unknown",
        "Licence": dataset.licence or "unknown",
        "Cite": dataset.citation or "unknown",
        "Hash": dataset.hash,
    }
    skipped = Counter(dataset.skipped.values())
    left_out = [("Left out", f"{n}: {reason}") for reason, n in skipped.most_common()]
    return [*facts.items(), *left_out]


def _split_sizes(dataset: Dataset) -> str:
    sizes = Counter(track.split for track in dataset)
    return ", ".join(f"{split} {sizes[split]}" for split in dataset.splits)


@data.command()
def download(
    name: Annotated[
        str, typer.Argument(help="fma-small, -medium, -large, -full, -metadata or gtzan.")
    ],
    *,
    root: DatasetRoot = None,
    kaggle: Annotated[
        bool, typer.Option("--kaggle", help="GTZAN from Kaggle, with your token.")
    ] = False,
    keep_archive: Annotated[
        bool, typer.Option("--keep-archive", help="Keep the archive after it was unpacked.")
    ] = False,
) -> None:
    """Fetch a data set, check it and unpack it.

    A download that broke goes on where it stopped; what is there is not
    fetched again.
    """
    from songnet.datasets.download import download as fetch
    from songnet.datasets.download import load_archives
    from songnet.datasets.places import data_root

    archives = load_archives()
    wanted = archives.get(f"{name}-kaggle" if kaggle else name)
    if wanted is None:
        raise DatasetError(
            f"{name!r}{' from Kaggle' if kaggle else ''} cannot be downloaded; expected one of "
            f"{', '.join(archives)}."
        )
    root = root or data_root()
    with ExitStack() as stack:
        bars: dict[str, Advance] = {}

        def show(what: str, done: int, total: int) -> None:
            if what not in bars:
                bars[what] = stack.enter_context(show_progress(what))
            bars[what](done, total)

        fetched = fetch(wanted, root, keep_archive=keep_archive, progress=show)
    state = "fetched and checked" if fetched else "there already"
    typer.echo(f"{name}: {state}, in {root / wanted.folder}")


@data.command()
def index(name: Name, *, root: DatasetRoot = None) -> None:
    """Write the index of a data set: the table that the app explores."""
    from songnet.datasets.registry import open_collection

    with show_progress("Reading files") as advance:
        collection = open_collection(name, root=root, progress=advance)
    typer.echo(f"{len(collection)} tracks in {collection.file}")


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
