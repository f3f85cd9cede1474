"""``songnet data from-feedback``: what people corrected, as something to train on."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from songnet.cli.console import print_error, show_progress

__all__ = ["from_feedback"]


def from_feedback(
    music: Annotated[list[Path], typer.Argument(help="Folders and files of your music.")],
    *,
    to: Annotated[Path, typer.Option(help="New folder for the training set.")],
    history: Annotated[
        str, typer.Option(help='URL of the history, or "on"; SONGNET_HISTORY if not given.')
    ] = "",
) -> None:
    """Make a training set of the genres that were corrected in the app.

    The history holds no audio: your files are recognised by their SHA-256.
    Train on it with: songnet train --dataset FOLDER …
    """
    from songnet.exceptions import DatasetError
    from songnet.history.database import read_corrections
    from songnet.history.feedback import match_feedback, write_feedback
    from songnet.history.place import history_url
    from songnet.history.schema import open_database

    url = history_url(history or None)
    if url is None:
        raise DatasetError(
            "No history is kept; set SONGNET_HISTORY as for the app, or name it with --history."
        )
    engine = open_database(url)
    corrections = read_corrections(engine)
    engine.dispose()
    with show_progress("Files") as advance:
        feedback = match_feedback(corrections, music, progress=advance)
    for record in feedback.missing:
        print_error("no file in the folders has its checksum", about=record.title)
    for record in feedback.disputed:
        print_error(f"{record.corrected_genre} was overruled later", about=record.title)
    if not feedback.matched:
        raise DatasetError(
            f"The history holds {len(corrections)} corrections, none of them of a file in "
            f"{', '.join(map(str, music))}; name the folders with the music that was corrected."
        )
    write_feedback(feedback, to)
    genres = sorted({str(record.corrected_genre) for record, _ in feedback.matched})
    typer.echo(f"{len(feedback.matched)} tracks of {', '.join(genres)} in {to}")
    if len(genres) < 2:
        print_error("a training needs at least two genres: add a folder of another one")
