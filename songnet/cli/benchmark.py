"""``songnet benchmark``: every model on one protocol, in pieces that resume."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from songnet.cli.console import load_tensorflow, print_error, print_table
from songnet.cli.datasets import DatasetName, DatasetRoot, Jobs, SoundsRoot, StoreRoot

if TYPE_CHECKING:
    from songnet.benchmark.entries import Entry
    from songnet.benchmark.inputs import Inputs
    from songnet.benchmark.pieces import Piece

__all__ = ["benchmark"]

benchmark = typer.Typer(no_args_is_help=True, help="Compare every model on one protocol.")

RunDir = Annotated[Path, typer.Option(help="Folder of the pieces.")]
Results = Annotated[Path, typer.Option(help="Folder of the results.")]
Models = Annotated[
    list[str] | None, typer.Option("--model", help="Only this model; may be given often.")
]
Studies = Annotated[
    list[str] | None, typer.Option("--study", help="Only this study; may be given often.")
]
Folds = Annotated[
    list[int] | None, typer.Option("--fold", help="Only this fold; may be given often.")
]
Embeddings = Annotated[
    list[Path] | None,
    typer.Option("--embedding", help="JSON file of an embedding model; may be given often."),
]
Seed = Annotated[int, typer.Option(min=0, help="Of training, splits and intervals.")]
_RUN_DIR, _RESULTS = Path("runs/benchmark"), Path("benchmarks/results/benchmark")


@benchmark.command("list")
def list_models(
    *,
    dataset: Annotated[str, typer.Option(help="Data set whose pieces are counted.")] = "",
    root: DatasetRoot = None,
    run_dir: RunDir = _RUN_DIR,
    embedding: Embeddings = None,
    seed: Seed = 0,
) -> None:
    """Show the models; with --dataset, how many of their pieces are done."""
    entries = _entries(None, embedding)
    if not dataset:
        print_table(("Model", "Kind", "What it is"), [(e.name, e.kind, e.title) for e in entries])
        return
    from songnet.benchmark.pieces import STUDIES

    inputs = _inputs(dataset, root=root)
    done: Counter[tuple[str, str]] = Counter()
    known: Counter[tuple[str, str]] = Counter()
    for piece in _pieces(entries, inputs, studies=None, folds=None):
        key = (piece.entry.name, piece.study)
        known[key] += 1
        done[key] += piece.is_done(run_dir, data_hash=inputs.dataset.hash, seed=seed)
    rows = [
        (entry.name, *(_progress(done, known, (entry.name, study)) for study in STUDIES))
        for entry in entries
    ]
    print_table(("Model", *STUDIES), rows, numbers=STUDIES)


@benchmark.command()
def run(
    *,
    dataset: DatasetName,
    root: DatasetRoot = None,
    run_dir: RunDir = _RUN_DIR,
    store: StoreRoot = None,
    sounds: SoundsRoot = None,
    model: Models = None,
    study: Studies = None,
    fold: Folds = None,
    embedding: Embeddings = None,
    seed: Seed = 0,
    minutes: Annotated[
        float | None, typer.Option(min=0, help="Stop after so many minutes; run again to go on.")
    ] = None,
    piece_minutes: Annotated[
        float, typer.Option(min=0, help="Longest a piece runs before it is interrupted.")
    ] = 30.0,
    jobs: Jobs = None,
) -> None:
    """Run what is not done yet; what was interrupted goes on where it stopped.

    Two runs at the same time need different folds or models.
    """
    from songnet.benchmark.run import BenchmarkRun

    inputs = _inputs(dataset, root=root, store=store, sounds=sounds, jobs=jobs)
    pieces = _pieces(_entries(model, embedding), inputs, studies=study, folds=fold)
    if any(piece.entry.is_network for piece in pieces):
        load_tensorflow()
    work = BenchmarkRun(inputs, run_dir, seed=seed, piece_minutes=piece_minutes)
    report = work.run(
        pieces,
        minutes=minutes,
        notice=lambda piece, message: typer.echo(f"{piece.name}: {message}", err=True),
    )
    headings = ("Done", "Done before", "To go on with", "Failed")
    counts = (report.done, report.reused, len(report.unfinished), len(report.failed))
    print_table(headings, [counts], numbers=headings)
    if report.failed:
        raise typer.Exit(1)


@benchmark.command()
def adopt(
    cv: Annotated[Path, typer.Argument(help="Folder of a finished `songnet evaluate`.")],
    *,
    dataset: DatasetName,
    root: DatasetRoot = None,
    run_dir: RunDir = _RUN_DIR,
    model: Annotated[str, typer.Option(help="The network that it cross-validated.")] = "songnet",
    seed: Seed = 0,
) -> None:
    """Take a network's folds from a cross-validation, instead of training again."""
    from songnet.benchmark.adopt import adopt_folds

    (entry,) = _entries([model], None)
    inputs = _inputs(dataset, root=root)
    for name in adopt_folds(entry, cv, inputs=inputs, run_dir=run_dir, seed=seed):
        typer.echo(f"{name}: taken from {cv}", err=True)


@benchmark.command()
def summarise(
    *,
    dataset: DatasetName,
    root: DatasetRoot = None,
    run_dir: RunDir = _RUN_DIR,
    store: StoreRoot = None,
    results: Results = _RESULTS,
    embedding: Embeddings = None,
    seed: Seed = 0,
) -> None:
    """Write the results of all models that have all folds.

    Models that were not run here keep the results that are there, if those are of the same data,
    seed and settings.
    """
    from songnet.benchmark.summary import summarise as write_results

    inputs = _inputs(dataset, root=root, store=store)
    summary = write_results(
        _entries(None, embedding), inputs, run_dir=run_dir, results=results, seed=seed
    )
    if summary.kept:
        typer.echo(f"Not run here, kept as they were: {', '.join(summary.kept)}", err=True)
    for name, folds in summary.incomplete.items():
        print_error(f"not run yet, it lacks the folds {folds}.", about=name)
    _print_leaderboard(results / "leaderboard.json")
    typer.echo(f"Results: {results}", err=True)


def _print_leaderboard(path: Path) -> None:
    import json

    models = json.loads(path.read_text(encoding="utf-8"))["models"]
    rows = []
    for row in models:
        accuracy = row["accuracy"]
        interval = f"{accuracy['low']:.1%} to {accuracy['high']:.1%}"
        others = (row["balanced_accuracy"]["value"], row["macro_f1"]["value"])
        cells = (f"{value:.1%}" for value in others)
        rows.append((row["model"], f"{accuracy['value']:.1%}", interval, *cells))
    headings = ("Model", "Accuracy", "95 %", "Balanced accuracy", "Macro-F1")
    print_table(headings, rows, numbers=headings[1:])


def _entries(names: list[str] | None, embeddings: list[Path] | None) -> tuple[Entry, ...]:
    from songnet.benchmark.entries import find_entries
    from songnet.models.embeddings import read_embedding

    return find_entries(names, [read_embedding(path) for path in embeddings or ()])


def _inputs(
    dataset: str,
    *,
    root: Path | None,
    store: Path | None = None,
    sounds: Path | None = None,
    jobs: int | None = None,
) -> Inputs:
    from songnet.benchmark.inputs import Inputs
    from songnet.datasets.corpus import load_originals
    from songnet.datasets.registry import cache_root, load_dataset
    from songnet.datasets.splits import assign_folds
    from songnet.signal.degrade import find_rooms

    tracks = load_dataset(dataset, root=root)
    if not tracks.folds:
        tracks = assign_folds(tracks, n_folds=5, seed=0)
    return Inputs(
        tracks,
        store or cache_root() / "features",
        twins=load_originals(root) if dataset == "corpus" else None,
        rooms_folder=find_rooms(sounds),
        jobs=jobs,
    )


def _pieces(
    entries: tuple[Entry, ...],
    inputs: Inputs,
    *,
    studies: list[str] | None,
    folds: list[int] | None,
) -> tuple[Piece, ...]:
    from songnet.benchmark.pieces import STUDIES, list_pieces

    return list_pieces(
        entries,
        inputs.dataset.folds,
        studies=studies or STUDIES,
        only_folds=folds,
        has_twins=inputs.twins is not None,
    )


def _progress(
    done: Counter[tuple[str, str]], known: Counter[tuple[str, str]], key: tuple[str, str]
) -> str:
    return f"{done[key]}/{known[key]}" if known[key] else ""
