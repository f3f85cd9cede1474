"""``songnet predict``: the genre of files and folders."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from songnet.cli.console import (
    load_tensorflow,
    print_error,
    print_table,
    quiet_libraries,
    show_progress,
)

if TYPE_CHECKING:
    from songnet.inference.batch import FileResult
    from songnet.inference.classifier import Classifier

__all__ = ["ModelName", "RuntimeChoice", "open_classifier", "predict"]

ModelName = Annotated[str, typer.Option(help="Name of a shipped model, or the folder of one.")]
RuntimeChoice = Annotated[str, typer.Option(help="litert, litert-fp16, litert-int8 or keras.")]


def open_classifier(model: str, runtime: str = "litert") -> Classifier:
    """Open the model that a command names.

    Raises
    ------
    BundleError, ParameterError
    """
    from songnet.inference.bundle import find_bundle
    from songnet.inference.classifier import Classifier

    is_folder = os.sep in model or Path(model, "bundle.json").is_file()
    folder = Path(model) if is_folder else find_bundle(model)
    if runtime == "keras":
        load_tensorflow()
    with quiet_libraries():
        return Classifier.load(folder, runtime=runtime)  # type: ignore[arg-type]  # checks it


def predict(
    files: Annotated[
        list[Path],
        typer.Argument(metavar="FILE", help="Audio files, and folders to search for them."),
    ],
    *,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print one JSON array, an object a file.")
    ] = False,
    top_k: Annotated[int, typer.Option(min=1, help="Number of genres in the list.")] = 3,
    model: ModelName = "songnet",
    runtime: RuntimeChoice = "litert",
) -> None:
    """Name the genre of audio files.

    Exits with 1 if any file has no prediction; the others are still named.
    """
    from songnet.inference.batch import find_audio, predict_files

    classifier = open_classifier(model, runtime)
    found = find_audio(files)
    results: list[FileResult] = []
    with show_progress("Predicting") as advance:
        advance(0, len(found))
        for result in predict_files(classifier, found):
            results.append(result)
            advance(len(results), len(found))
            if result.error is not None:
                print_error(result.error, about=result.file)
    if as_json:
        typer.echo(json.dumps([result.to_dict(top_k=top_k) for result in results], indent=2))
    else:
        _print_results(results, top_k)
    if any(result.failed for result in results):
        raise typer.Exit(1)


def _print_results(results: list[FileResult], top_k: int) -> None:
    """Print a row for each file that has a prediction."""
    rows = []
    for result in results:
        if (prediction := result.prediction) is not None and not result.failed:
            doubt = " (not sure)" if prediction.status == "not_sure" else ""
            top = ", ".join(
                f"{item.genre} {item.probability:.1%}" for item in prediction.top(top_k)
            )
            notes = " ".join(prediction.warnings)
            rows.append(
                (result.file, prediction.genre + doubt, f"{prediction.confidence:.1%}", top, notes)
            )
    if rows:
        headings = ("File", "Genre", "Confidence", f"Top {top_k}", "Notes")
        print_table(headings, rows, numbers=("Confidence",))
