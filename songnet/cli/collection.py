"""``songnet collection``: listen to a whole collection, for the Explore page."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from songnet.cli.console import print_error, print_table, show_progress
from songnet.cli.datasets import DatasetRoot
from songnet.cli.predict import ModelName, open_classifier

if TYPE_CHECKING:
    from songnet.datasets.index import CollectionIndex

__all__ = ["collection"]

collection = typer.Typer(no_args_is_help=True, help="Listen to whole collections.")


@collection.command("build")
def build(
    *,
    dataset: Annotated[
        str | None, typer.Option(help="Name of a data set, or a folder with one for each genre.")
    ] = None,
    root: DatasetRoot = None,
    music: Annotated[
        Path | None, typer.Option(help="Any folder of music instead, however it is ordered.")
    ] = None,
    folder: Annotated[
        Path | None,
        typer.Option(
            "--to", help="Folder of the result; one that the app looks into if not given."
        ),
    ] = None,
    out_of_fold: Annotated[
        Path | None,
        typer.Option(
            help="Run folder of `songnet evaluate` on this data set: its predictions by networks "
            "that never heard the artist replace those of the model."
        ),
    ] = None,
    model: ModelName = "songnet",
    jobs: Annotated[int, typer.Option(min=1, help="Processes at work.")] = 1,
) -> None:
    """Predict and embed each track, place it on a map and find its nearest.

    An interrupted build goes on where it stopped. Exits with 1 if a track
    cannot be read; the others are in the result.
    """
    from songnet.datasets.places import cache_root
    from songnet.inference.collection_build import (
        COLLECTION_FILE,
        build_collection,
        read_out_of_fold,
    )

    index = _open_index(dataset, root, music)
    classifier = open_classifier(model)
    target = folder or cache_root() / "collections" / index.name
    with show_progress("Listening") as advance:
        made = build_collection(
            index,
            classifier,
            target,
            out_of_fold=read_out_of_fold(out_of_fold, classifier.bundle) if out_of_fold else None,
            jobs=jobs,
            progress=advance,
        )
    n_read = len(made.predicted_rows)
    path = target / COLLECTION_FILE
    typer.echo(f"{n_read} of {len(made)} tracks, {path.stat().st_size / 1e6:.2f} MB, in {path}")
    if n_read < len(made):
        print_error(f"{len(made) - n_read} tracks have no prediction.", about=index.name)
        raise typer.Exit(1)


@collection.command("share")
def share(
    source: Annotated[Path, typer.Argument(help="Folder or file of a built collection.")],
    *,
    target: Annotated[Path, typer.Option("--to", help="Parquet file to write.")],
) -> None:
    """Write a copy without paths: metadata, predictions and embeddings only.

    Beside a model, as ``neighbours.parquet``, it gives the app the tracks that
    lie nearest to any song.
    """
    from songnet.inference.collection import read_collection, write_collection
    from songnet.inference.collection_build import COLLECTION_FILE

    path = source / COLLECTION_FILE if source.is_dir() else source
    write_collection(read_collection(path), target, with_paths=False)
    typer.echo(f"{target}: {target.stat().st_size / 1e6:.2f} MB")


@collection.command("doubts")
def doubts(
    source: Annotated[Path, typer.Argument(help="Folder or file of a built collection.")],
    *,
    most: Annotated[int, typer.Option("--top", min=1, help="Number of tracks.")] = 20,
) -> None:
    """List the tracks whose genre is likely wrong in the collection."""
    from songnet.inference.collection import read_collection
    from songnet.inference.collection_build import COLLECTION_FILE
    from songnet.inference.label_check import likely_label_errors

    path = source / COLLECTION_FILE if source.is_dir() else source
    found = likely_label_errors(read_collection(path)).head(most)
    rows = [
        (t.track_id, t.artist, t.title, t.genre, t.suggested, f"{t.margin:.2f}", t.basis)
        for t in found.itertuples()
    ]
    headings = ("Track", "Artist", "Title", "Genre", "Rather", "Margin", "Prediction")
    print_table(headings, rows, numbers=("Margin",))


def _open_index(dataset: str | None, root: Path | None, music: Path | None) -> CollectionIndex:
    from songnet.datasets.registry import open_collection
    from songnet.inference.music_folder import index_music

    if (dataset is None) == (music is None):
        raise typer.BadParameter("name either --dataset or --music.")
    if music is not None:
        return index_music(music)
    assert dataset is not None
    return open_collection(dataset, root=root)
