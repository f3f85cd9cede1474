"""From finished pieces to the files that the Benchmark page reads.

``predictions.parquet`` holds what every model said of every track out of
fold; every ``.json`` beside it says from which data, code and versions.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from songnet.benchmark.entries import REFERENCE, Entry
from songnet.benchmark.inputs import Inputs
from songnet.benchmark.pieces import Piece
from songnet.benchmark.reader import Reader, Scored, headline_intervals
from songnet.benchmark.studies import (
    codec_section,
    conditions_section,
    cost_section,
    leaky_section,
    learning_curve_section,
    mfcc_section,
    needed_section,
)
from songnet.datasets.base import Dataset
from songnet.evaluation.comparison import compare_models
from songnet.evaluation.json_file import to_plain, write_object
from songnet.evaluation.metrics import confusion_matrix, per_genre
from songnet.evaluation.slices import metrics_by_slice
from songnet.exceptions import DatasetError
from songnet.provenance import git_commit, versions

__all__ = ["Summary", "summarise"]


@dataclass(frozen=True)
class Summary:
    """What `summarise` wrote.

    Parameters
    ----------
    files : tuple of Path
    incomplete : dict of str to str
        Models left out, and the folds that they lack.
    """

    files: tuple[Path, ...]
    incomplete: dict[str, str]


def summarise(
    entries: Sequence[Entry], inputs: Inputs, *, run_dir: Path, results: Path, seed: int
) -> Summary:
    """Write the results of all models that have all folds.

    Parameters
    ----------
    entries : sequence of Entry
    inputs : Inputs
    run_dir, results : Path
    seed : int
        Of the pieces, and of the bootstrap.

    Returns
    -------
    summary : Summary

    Raises
    ------
    DatasetError
        If no model has all folds.
    """
    dataset = inputs.dataset
    reader = Reader(dataset, run_dir, seed=seed)
    scored: dict[str, Scored] = {}
    incomplete: dict[str, str] = {}
    for entry in entries:
        missing = reader.missing_folds(entry)
        if missing:
            incomplete[entry.name] = ", ".join(str(fold) for fold in missing)
        else:
            scored[entry.name] = reader.scored(entry, "folds")
    if not scored:
        raise DatasetError(f"No model has all folds in {run_dir}; run `songnet benchmark run`.")
    sections: dict[str, Any] = {
        "leaderboard": _leaderboard(scored, reader, dataset, seed),
        "comparisons": _comparisons(scored, seed),
        "robustness": conditions_section(scored, reader, "robustness", seed),
        "seconds": conditions_section(scored, reader, "seconds", seed),
        "codec": codec_section(scored, reader),
        "learning_curve": learning_curve_section(scored, reader, seed),
        "leaky": leaky_section(scored, reader, seed),
        "cost": cost_section(scored, reader),
    }
    provenance = _provenance(dataset, seed, scored)
    contents: dict[str, dict[str, Any]] = {
        name: {"models": models} for name, models in sections.items()
    }
    contents["leaderboard"]["not_run"] = _not_run(entries, incomplete)
    contents["learning_curve"]["needed"] = needed_section(sections["learning_curve"])
    if mfcc := mfcc_section(inputs):
        contents["mfcc"] = mfcc
    files = []
    for name, content in contents.items():
        write_object(results / f"{name}.json", to_plain({**provenance, **content}))
        files.append(results / f"{name}.json")
    files += _write_predictions(scored, results, provenance)
    return Summary(tuple(files), incomplete)


def _provenance(dataset: Dataset, seed: int, scored: Mapping[str, Scored]) -> dict[str, Any]:
    return {
        "dataset": dataset.name,
        "data_hash": dataset.hash,
        "genres": list(dataset.genres),
        "n_tracks": len(next(iter(scored.values())).rows),
        "folds": list(dataset.folds),
        "protocol": "artist-disjoint folds; hyperparameters, early stopping and temperature on "
        "artists held out of the training folds; intervals of 95 % by bootstrap over artists",
        "seed": seed,
        "versions": versions(),
        "commit": git_commit(),
    }


def _not_run(entries: Sequence[Entry], incomplete: Mapping[str, str]) -> list[dict[str, str]]:
    """Models without results, and the folds that they lack."""
    return [
        {
            "model": entry.name,
            "kind": entry.kind,
            "title": entry.title,
            "about": entry.about,
            "missing_folds": incomplete[entry.name],
        }
        for entry in entries
        if entry.name in incomplete
    ]


def _leaderboard(
    scored: Mapping[str, Scored], reader: Reader, dataset: Dataset, seed: int
) -> list[dict[str, Any]]:
    rows = []
    for name, model in scored.items():
        abouts = [reader.about(Piece(model.entry, "folds", fold)) or {} for fold in dataset.folds]
        known = ("fold", "chosen", "inner_accuracy", "epochs", "kept_epoch", "train_seconds")
        rows.append(
            {
                "model": name,
                "kind": model.entry.kind,
                "title": model.entry.title,
                "about": model.entry.about,
                **headline_intervals(model, seed),
                "per_genre": per_genre(model.y_true, model.probs, genres=dataset.genres),
                "confusion": confusion_matrix(model.y_true, model.probs).tolist(),
                "by_source": metrics_by_slice(
                    model.y_true, model.probs, model.groups, slices=model.sources, seed=seed
                ),
                "by_fold": metrics_by_slice(
                    model.y_true,
                    model.probs,
                    model.groups,
                    slices=[str(fold) for fold in model.rows["fold"]],
                    seed=seed,
                ),
                "training": [{k: a[k] for k in known if k in a} for a in abouts],
            }
        )
    return sorted(rows, key=lambda row: -row["accuracy"]["value"])


def _comparisons(scored: Mapping[str, Scored], seed: int) -> dict[str, list[dict[str, Any]]]:
    """Every model with every other as the reference; the page shows SongNet's first."""
    first = next(iter(scored.values()))
    for model in scored.values():
        if list(model.rows["track_id"]) != list(first.rows["track_id"]):
            raise DatasetError(f"{model.entry.name} was tested on other tracks than the others.")
    probs = {name: model.probs for name, model in scored.items()}
    references = sorted(probs, key=lambda name: name != REFERENCE)
    return {
        reference: [
            comparison.to_dict()
            for comparison in compare_models(
                first.y_true, probs, first.groups, reference=reference, seed=seed
            )
        ]
        for reference in references
        if len(probs) > 1
    }


def _write_predictions(
    scored: Mapping[str, Scored], results: Path, provenance: Mapping[str, Any]
) -> list[Path]:
    import pandas as pd

    table = pd.concat([model.rows for model in scored.values()], ignore_index=True)
    table = table.drop(columns=["study", "condition", "share"])
    path = results / "predictions.parquet"
    part = results / ".predictions.partial"
    table.to_parquet(part, index=False, compression="zstd")
    part.replace(path)
    columns = {"columns": list(table.columns), "rows": len(table), "models": list(scored)}
    write_object(results / "predictions.json", to_plain({**provenance, **columns}))
    return [path, results / "predictions.json"]
