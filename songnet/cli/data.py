"""``songnet data``: what there is to train on."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from songnet.cli.console import Advance, print_table, show_progress
from songnet.cli.datasets import DatasetRoot
from songnet.cli.feedback import from_feedback
from songnet.datasets.base import SPLITS
from songnet.exceptions import DatasetError

if TYPE_CHECKING:
    import pandas as pd

    from songnet.datasets.index import CollectionIndex

__all__ = ["data"]

data = typer.Typer(no_args_is_help=True, help="Show, check and make data sets.")
data.command("from-feedback")(from_feedback)
Name = Annotated[
    str, typer.Argument(help="Name of a data set (`songnet data list`), or folder of genres.")
]
_MOST_NAMED = 6
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
    from songnet.datasets.registry import open_collection

    with show_progress("Reading files") as advance:
        collection = open_collection(name, root=root, progress=advance)
    print_table(("Data set", collection.name), _facts(collection))
    typer.echo()
    groups = collection.frame.groupby("genre")["group"]
    counts = zip(groups.size().items(), groups.nunique(), strict=True)
    rows = [(genre or "(none)", n_tracks, n_artists) for (genre, n_tracks), n_artists in counts]
    headings = ("Genre", "Tracks", "Artists")
    print_table(headings, rows, numbers=headings[1:])


def _facts(collection: CollectionIndex) -> list[tuple[str, str]]:
    frame = collection.frame
    seconds = frame["duration_seconds"].dropna()
    has_audio = bool((frame["path"] != "").any())
    facts = {
        "Tracks": str(len(frame)) if has_audio else f"{len(frame)}, without audio",
        "Evaluated": str(int(frame["evaluate"].sum())),
        "Artists": str(frame["group"].nunique()),
        "Folds": ", ".join(map(str, sorted(frame["fold"].dropna().unique()))) or "none",
        "Split": _split_sizes(frame["split"]) or "none",
        "Duration": f"{seconds.sum() / 3600:.1f} h of {len(seconds)} tracks"
        if len(seconds)
        else "unknown",
        "Licence": collection.licence or "unknown",
        "Cite": collection.citation or "unknown",
        "Hash": collection.to_dataset().hash if has_audio else "none, for there is no audio",
    }
    if torn := _in_several_genres(frame):
        facts["Doubtful"] = _left_out("the same bytes under several genres", torn)
    skipped: dict[str, list[str]] = {}
    for track_id, reason in collection.skipped.items():
        skipped.setdefault(reason, []).append(track_id)
    return [*facts.items(), *(("Left out", _left_out(*row)) for row in skipped.items())]


def _in_several_genres(frame: pd.DataFrame) -> list[str]:
    """Ids of the tracks of which a copy has another genre, copies side by side."""
    known = frame[frame["sha256"] != ""]
    n_genres = known.groupby("sha256")["genre"].transform("nunique")
    torn: list[str] = known[n_genres > 1].sort_values("sha256", kind="stable")["track_id"].tolist()
    return torn


def _left_out(reason: str, track_ids: list[str]) -> str:
    named = ", ".join(track_ids[:_MOST_NAMED]) + (", …" if len(track_ids) > _MOST_NAMED else "")
    return f"{len(track_ids)}: {reason} ({named})"


def _split_sizes(split: pd.Series) -> str:
    sizes = split.value_counts()
    return ", ".join(f"{side} {sizes[side]}" for side in SPLITS if side in sizes)


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
    """Compare the files of a data set with their checksums.

    They came with the corpus, FMA and synthetic music; for GTZAN and folders
    they are those of the index as it was last written.
    """
    from songnet.datasets.registry import verify_dataset

    with show_progress("Checking files") as advance:
        n_files = verify_dataset(name, root=root, progress=advance)
    typer.echo(f"{name}: {n_files} files are there and match their checksums.")


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
