"""What the commands share: errors in one line, tables, progress."""

from __future__ import annotations

import os
import sys
from collections.abc import Collection, Iterable, Iterator, Sequence
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import typer
from typer.core import TyperGroup

from songnet.exceptions import ParameterError, SongNetError

if TYPE_CHECKING:
    from songnet.evaluation.report import Report

__all__ = [
    "Advance",
    "ErrorGroup",
    "load_tensorflow",
    "one_line",
    "print_error",
    "print_report",
    "print_table",
    "quiet_libraries",
    "show_progress",
]

_WIDEST = 100_000


class ErrorGroup(TyperGroup):
    """Commands whose errors become one line on stderr and exit code 1.

    They are every SongNetError, and a path that cannot be read or written.
    """

    def invoke(self, ctx: Any) -> Any:
        """Run the command."""
        try:
            return super().invoke(ctx)
        except SongNetError as error:
            print_error(str(error))
            raise typer.Exit(1) from error
        except OSError as error:
            if error.filename is None:
                raise
            print_error(error.strerror or str(error), about=error.filename)
            raise typer.Exit(1) from error


def one_line(text: object) -> str:
    """Return text that fits on one line of any terminal.

    File names may hold anything: line breaks, escape sequences and bytes that
    are not UTF-8 are replaced.
    """
    readable = str(text).encode("utf-8", "replace").decode()
    return "".join(char if char.isprintable() else "\N{REPLACEMENT CHARACTER}" for char in readable)


def print_error(message: str, *, about: object | None = None) -> None:
    """Print one line on stderr: what it is about, unless the message begins so, and the message."""
    text = " ".join(message.split())
    if about is None or not text.startswith(str(about)):
        text = f"{'songnet' if about is None else about}: {text}"
    typer.echo(one_line(text), err=True)


def print_table(
    headings: Sequence[str], rows: Iterable[Sequence[object]], *, numbers: Collection[str] = ()
) -> None:
    """Print a table whose cells are never cut.

    It is fitted to a terminal; a file or a pipe gets plain text, a line a row.

    Parameters
    ----------
    headings : sequence of str
    rows : iterable of sequences
        One cell for each heading.
    numbers : collection of str
        Those of the headings whose cells are aligned to the right.
    """
    from rich.box import SIMPLE_HEAD
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    is_terminal = sys.stdout.isatty()
    table = Table(box=SIMPLE_HEAD if is_terminal else None, pad_edge=False)
    for heading in headings:
        table.add_column(
            heading,
            justify="right" if heading in numbers else "left",
            overflow="fold",
            no_wrap=not is_terminal,
        )
    for row in rows:
        table.add_row(*(Text(one_line(cell)) for cell in row))
    Console(width=None if is_terminal else _WIDEST).print(table)


def print_report(report: Report) -> None:
    """Print the headline metrics of a report with their intervals."""
    from songnet.evaluation.metrics import HEADLINE_METRICS

    intervals = [(name, getattr(report, name)) for name in HEADLINE_METRICS]
    rows = [(n, f"{i.value:.3f}", f"{i.low:.3f}", f"{i.high:.3f}") for n, i in intervals]
    print_table(("Metric", "Value", "Low", "High"), rows, numbers=("Value", "Low", "High"))


@contextmanager
def quiet_libraries() -> Iterator[None]:
    """Hold back what native libraries write on stderr while they load.

    LiteRT announces its delegate there, TensorFlow its operations, and no
    setting stops them; the stderr of a command holds its own lines only.
    Errors are raised, not written.
    """
    sys.stderr.flush()
    kept = os.dup(2)
    try:
        with Path(os.devnull).open("wb") as nowhere:
            os.dup2(nowhere.fileno(), 2)
            yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)


def load_tensorflow() -> None:
    """Import TensorFlow, without the lines that it writes on stderr while it loads.

    Raises
    ------
    ParameterError
        If it is not installed.
    """
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    try:
        with quiet_libraries():
            import_module("tensorflow")
    except ModuleNotFoundError as error:
        raise ParameterError(
            f"{error.name} is not installed; install what trains: pip install -e '.[train]'."
        ) from error


class Advance(Protocol):
    """Says how far something is."""

    def __call__(self, done: int, total: int, note: str = "") -> None:
        """Show that ``done`` of ``total`` are done, with a note on the last one."""


@contextmanager
def show_progress(what: str) -> Iterator[Advance]:
    """Show a bar on stderr where that is a terminal; elsewhere only the notes, a line each.

    Parameters
    ----------
    what : str
        Name of what advances.

    Yields
    ------
    advance : Advance
    """
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        TextColumn,
        TimeRemainingColumn,
    )

    console = Console(stderr=True)
    bar = Progress(
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
        TextColumn("{task.fields[note]}", markup=False),
        console=console,
        transient=True,
        disable=not console.is_terminal,
    )
    with bar:
        task = bar.add_task(what, total=None, note="")

        def advance(done: int, total: int, note: str = "") -> None:
            note = one_line(note)
            bar.update(task, completed=done, total=total, note=note)
            if note and not console.is_terminal:
                typer.echo(f"{what} {done}/{total}: {note}", err=True)

        yield advance
