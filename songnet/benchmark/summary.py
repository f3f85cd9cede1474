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
from songnet.benchmark.published import Published
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
from songnet.evaluation.metrics import confusion_matrix, per_genre
from songnet.evaluation.slices import metrics_by_slice
from songnet.exceptions import DatasetError, ResultsError
from songnet.json_text import to_plain, write_object
from songnet.provenance import git_commit, versions

__all__ = ["Summary", "summarise"]

_PROTOCOL = (
    "artist-disjoint folds; hyperparameters, early stopping and temperature on artists held out "
    "of the training folds; intervals of 95 % by bootstrap over artists, of one training of each "
    "fold. Parts of SongNet's recipe, its statistics above all, were chosen on the folds of the "
    "corpus: there its figures and p-values are a little too good"
)
_STUDIES = ("robustness", "seconds", "codec", "learning_curve", "leaky", "cost")


@dataclass(frozen=True)
class Summary:
    """What `summarise` wrote.

    Parameters
    ----------
    files : tuple of Path
    kept : tuple of str
        Models of the results that were there before.
    incomplete : dict of str to str
        Models left out, and the folds that they lack.
    """

    files: tuple[Path, ...]
    kept: tuple[str, ...]
    incomplete: dict[str, str]


def summarise(
    entries: Sequence[Entry], inputs: Inputs, *, run_dir: Path, results: Path, seed: int
) -> Summary:
    """Write the results of all models that have all folds.

    A model without them keeps what ``results`` says of it already, if that is
    of the same data, seed and settings, so that a model can be added where
    the others were not run. Of a model that has them, nothing is kept.

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
    ResultsError
        If the results that are there are damaged, or hold a model that is not
        among the entries and would be lost.
    """
    dataset = inputs.dataset
    reader = Reader(dataset, run_dir, seed=seed)
    before = Published.read(results, dataset, seed=seed)
    if lost := sorted(set(before.models) - {entry.name for entry in entries}):
        raise ResultsError(
            f"{results} holds {lost}, which are none of the models here; name the files of "
            "embedding models (--embedding), or choose another --results folder."
        )
    scored, kept, incomplete = _find_models(entries, reader, before)
    if not scored:
        raise DatasetError(f"No model has all folds in {run_dir}; run `songnet benchmark run`.")
    training = {
        name: before.models[name]["training"] if name in kept else _training(model.entry, reader)
        for name, model in scored.items()
    }
    contents: dict[str, dict[str, Any]] = {
        "leaderboard": {
            "models": _leaderboard(scored, reader, seed, training),
            "not_run": _not_run(entries, incomplete),
        },
        "comparisons": {"models": _comparisons(scored, seed)},
        **_studies(scored, reader, seed, training, before=before, kept=kept),
    }
    if mfcc := mfcc_section(inputs):
        contents["mfcc"] = mfcc
    provenance = _provenance(dataset, seed, scored)
    files = []
    for name, content in contents.items():
        write_object(results / f"{name}.json", to_plain({**provenance, **content}))
        files.append(results / f"{name}.json")
    files += _write_predictions(scored, results, provenance)
    return Summary(tuple(files), tuple(kept), incomplete)


def _studies(
    scored: Mapping[str, Scored],
    reader: Reader,
    seed: int,
    training: Mapping[str, Any],
    *,
    before: Published,
    kept: Sequence[str],
) -> dict[str, dict[str, Any]]:
    """Sections of all studies; what was not run here is that of the results before."""
    old = {study: before.section(study, kept) for study in _STUDIES}
    new: dict[str, dict[str, Any]] = {
        "robustness": conditions_section(scored, reader, "robustness", seed),
        "seconds": conditions_section(scored, reader, "seconds", seed),
        "codec": codec_section(scored, reader),
        "learning_curve": learning_curve_section(
            scored, reader, seed, before=old["learning_curve"]
        ),
        "leaky": leaky_section(scored, reader, seed),
        "cost": cost_section(scored, reader, training),
    }
    sections: dict[str, dict[str, Any]] = {
        study: {"models": {n: (old[study] | models)[n] for n in scored if n in old[study] | models}}
        for study, models in new.items()
    }
    curves = sections["learning_curve"]
    curves["needed"] = needed_section(
        curves["models"], scored, reader, seed, before=before.needed_intervals(kept)
    )
    return sections


def _find_models(
    entries: Sequence[Entry], reader: Reader, before: Published
) -> tuple[dict[str, Scored], list[str], dict[str, str]]:
    """Predictions of all models there are, the models kept, and the folds that others lack."""
    scored: dict[str, Scored] = {}
    kept: list[str] = []
    incomplete: dict[str, str] = {}
    for entry in entries:
        missing = reader.missing_folds(entry)
        if not missing:
            scored[entry.name] = reader.scored(entry, "folds")
        elif before.holds(entry):
            scored[entry.name] = reader.scored(entry, "folds", before.predictions(entry))
            kept.append(entry.name)
        else:
            incomplete[entry.name] = ", ".join(str(fold) for fold in missing)
    return scored, kept, incomplete


def _provenance(dataset: Dataset, seed: int, scored: Mapping[str, Scored]) -> dict[str, Any]:
    return {
        "dataset": dataset.name,
        "data_hash": dataset.hash,
        "genres": list(dataset.genres),
        "n_tracks": len(next(iter(scored.values())).rows),
        "folds": list(dataset.folds),
        "protocol": _PROTOCOL,
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


def _training(entry: Entry, reader: Reader) -> list[dict[str, Any]]:
    """What the training of each fold says of itself."""
    known = ("fold", "chosen", "inner_accuracy", "epochs", "kept_epoch", "train_seconds", "commit")
    pieces = [Piece(entry, "folds", fold) for fold in reader.dataset.folds]
    abouts = [reader.about(piece) or {} for piece in pieces]
    return [{key: about[key] for key in known if key in about} for about in abouts]


def _leaderboard(
    scored: Mapping[str, Scored], reader: Reader, seed: int, training: Mapping[str, Any]
) -> list[dict[str, Any]]:
    """A row for each model, the best first, with what the training of its folds said."""
    dataset, rows = reader.dataset, []
    for name, model in scored.items():
        rows.append(
            {
                "model": name,
                "kind": model.entry.kind,
                "title": model.entry.title,
                "about": model.entry.about,
                "entry_hash": model.entry.hash,
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
                "training": training[name],
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
    table = table.drop(columns=["study", "condition", "share"], errors="ignore")
    path = results / "predictions.parquet"
    part = results / ".predictions.partial"
    table.to_parquet(part, index=False, compression="zstd")
    part.replace(path)
    columns = {"columns": list(table.columns), "rows": len(table), "models": list(scored)}
    write_object(results / "predictions.json", to_plain({**provenance, **columns}))
    return [path, results / "predictions.json"]
