"""``songnet``: the commands, each in a module of its own.

Nothing heavy is imported before a command runs, so help answers at once.
"""

from __future__ import annotations

from typing import Annotated

import typer

from songnet import __version__
from songnet.cli.benchmark import benchmark
from songnet.cli.collection import collection
from songnet.cli.console import ErrorGroup
from songnet.cli.data import data
from songnet.cli.detector import train_detector
from songnet.cli.evaluate import evaluate
from songnet.cli.export import export
from songnet.cli.features import features
from songnet.cli.predict import predict
from songnet.cli.serve import serve
from songnet.cli.train import train

__all__ = ["app"]

app = typer.Typer(
    name="songnet",
    cls=ErrorGroup,
    no_args_is_help=True,
    pretty_exceptions_show_locals=False,
    help="Name the genre of music; train and evaluate the networks that do.",
)
app.command()(predict)
app.command()(serve)
app.add_typer(data, name="data")
app.add_typer(benchmark, name="benchmark")
app.add_typer(collection, name="collection")
for command in (features, train, evaluate, export, train_detector):
    app.command()(command)


def _show_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"songnet {__version__}")
        raise typer.Exit


@app.callback()
def main(
    *,
    _version: Annotated[
        bool,
        typer.Option("--version", callback=_show_version, is_eager=True, help="Show the version."),
    ] = False,
) -> None:
    """Name the genre of music; train and evaluate the networks that do."""
