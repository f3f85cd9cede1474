"""``songnet export``: turn a finished run into a bundle that predicts."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from songnet import __version__
from songnet.cli.console import load_tensorflow, print_table

__all__ = ["export"]


def export(
    run_dir: Annotated[Path, typer.Argument(help="Folder of a finished `songnet train`.")],
    *,
    report: Annotated[
        Path, typer.Option(help="report.json that `songnet evaluate` wrote for the same recipe.")
    ],
    folder: Annotated[
        Path, typer.Option("--to", help="Folder of the bundle; files there are replaced.")
    ] = Path("models/songnet"),
    version: Annotated[str, typer.Option(help="Version of the model.")] = __version__,
) -> None:
    """Write a bundle: Keras and TFLite networks, settings, report and model card.

    Every TFLite file is run in LiteRT and compared with Keras.
    """
    load_tensorflow()
    from songnet.evaluation.report import Report
    from songnet.export.bundle import export_bundle

    files = export_bundle(
        run_dir, Report.load(report), folder, name=folder.resolve().name, version=version
    )
    rows = [
        (
            folder / file.name,
            f"{file.n_bytes / 1e6:.2f} MB",
            "-" if file.max_difference is None else f"{file.max_difference:.1e}",
        )
        for file in files
    ]
    headings = ("File", "Size", "Greatest difference from Keras")
    print_table(headings, rows, numbers=headings[1:])
