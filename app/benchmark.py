"""What `songnet benchmark summarise` wrote, as tables for the Benchmark page."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from songnet.exceptions import ResultsError

__all__ = [
    "KINDS",
    "REFERENCE",
    "RESULTS",
    "Results",
    "cost_frame",
    "leaderboard_frame",
    "pareto_front",
    "per_genre_frame",
    "read_results",
    "track_frame",
]

RESULTS = Path(__file__).resolve().parents[1] / "benchmarks" / "results" / "benchmark"
REFERENCE = "songnet"
KINDS = {
    "songnet": "SongNet",
    "network": "Other networks",
    "seed": "Earlier projects",
    "embedding": "Pretrained embeddings",
    "statistics": "Clip statistics",
    "mel mean": "Mean mel spectrum",
    "chance": "Chance",
}
_FILES = ("leaderboard", "comparisons", "robustness", "seconds", "codec", "learning_curve",
          "leaky", "cost")  # fmt: skip


@dataclass(frozen=True)
class Results:
    """The files of one benchmark.

    Parameters
    ----------
    files : dict of str to dict
        By the names of the files.
    predictions : pandas.DataFrame
        What every model said of every track, out of fold; empty where the file
        is missing.
    """

    files: dict[str, dict[str, Any]]
    predictions: pd.DataFrame

    @property
    def about(self) -> dict[str, Any]:
        """Data, protocol, seed, versions and commit."""
        return self.files["leaderboard"]

    @property
    def models(self) -> list[dict[str, Any]]:
        """A row for each model, the best first."""
        models: list[dict[str, Any]] = self.about["models"]
        return models

    @property
    def not_run(self) -> list[dict[str, Any]]:
        """Models without results."""
        not_run: list[dict[str, Any]] = self.about.get("not_run", [])
        return not_run

    @property
    def genres(self) -> tuple[str, ...]:
        """Genres, in the order of the confusion matrices."""
        return tuple(self.about["genres"])

    @property
    def titles(self) -> dict[str, str]:
        """Name for people of each model that was run, the best first."""
        return {row["model"]: row["title"] for row in self.models}

    @property
    def kinds(self) -> dict[str, str]:
        """Kind of each model that was run."""
        return {row["model"]: row["kind"] for row in self.models}

    @property
    def leader(self) -> str:
        """SongNet where it was run, the best model elsewhere."""
        return REFERENCE if REFERENCE in self.titles else self.models[0]["model"]

    def section(self, name: str) -> dict[str, Any]:
        """Models of one study; empty where it was not run."""
        models: dict[str, Any] = self.files.get(name, {}).get("models", {})
        return models

    def row(self, model: str) -> dict[str, Any]:
        """What the leaderboard says of a model."""
        return next(row for row in self.models if row["model"] == model)

    def probs(self, model: str) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.float64]]:
        """True genres and probabilities of one model; no rows where they are missing."""
        if self.predictions.empty:
            return np.zeros(0, np.int64), np.zeros((0, len(self.genres)))
        rows = self.predictions[self.predictions["model"] == model]
        y_true = rows["genre"].map({genre: i for i, genre in enumerate(self.genres)}).to_numpy()
        probs = rows[[f"p_{genre}" for genre in self.genres]].to_numpy(np.float64)
        return y_true, probs / probs.sum(axis=1, keepdims=True)


def read_results(folder: Path) -> Results | None:
    """Read the results of a benchmark.

    Parameters
    ----------
    folder : Path

    Returns
    -------
    results : Results or None
        None where no benchmark was summarised.

    Raises
    ------
    ResultsError
        If a file is damaged.
    """
    if not (folder / "leaderboard.json").is_file():
        return None
    try:
        files = {
            name: json.loads((folder / f"{name}.json").read_text(encoding="utf-8"))
            for name in _FILES
            if (folder / f"{name}.json").is_file()
        }
        table = folder / "predictions.parquet"
        predictions = pd.read_parquet(table) if table.is_file() else pd.DataFrame()
    except (OSError, ValueError) as error:
        raise ResultsError(
            f"There is a damaged result: {error}. Run `songnet benchmark summarise` again."
        ) from error
    return Results(files, predictions)


def leaderboard_frame(results: Results, kinds: Iterable[str] = ()) -> pd.DataFrame:
    """Return a row a model, the best first.

    Parameters
    ----------
    results : Results
    kinds : iterable of str
        Keys of `KINDS`; all if empty.

    Returns
    -------
    frame : pandas.DataFrame
        model, title, kind, about, and the headline metrics as fractions with
        ``_low`` and ``_high``.
    """
    wanted = set(kinds) or set(KINDS)
    rows = []
    for row in results.models:
        if row["kind"] not in wanted:
            continue
        values: dict[str, Any] = {key: row[key] for key in ("model", "title", "kind", "about")}
        for metric in ("accuracy", "balanced_accuracy", "macro_f1", "top3_accuracy", "ece"):
            values[metric] = row[metric]["value"]
            values |= {f"{metric}_{end}": row[metric][end] for end in ("low", "high")}
        rows.append(values)
    return pd.DataFrame(rows)


def per_genre_frame(results: Results, metric: str = "f1") -> pd.DataFrame:
    """Return a metric by model (rows, titles) and genre (columns)."""
    return pd.DataFrame(
        {
            row["title"]: {genre: row["per_genre"][genre][metric] for genre in results.genres}
            for row in results.models
        }
    ).T


def cost_frame(results: Results) -> pd.DataFrame:
    """Return a row a model and runtime, with what it costs.

    Returns
    -------
    frame : pandas.DataFrame
        model, title, kind, runtime, accuracy, parameters, macs, weights_mb,
        track_ms, track_ms_p95, window_ms, window_ms_p95, peak_mib,
        train_seconds; None where a thing has no such figure. ``cores`` of the
        machine and its ``load`` when it was measured.
    """
    rows = []
    for model, cost in results.section("cost").items():
        for runtime, measured in cost["runtimes"].items():
            window = measured["window_ms"] or {}
            rows.append(
                {
                    "model": model,
                    "title": results.titles.get(model, model),
                    "kind": results.kinds.get(model, ""),
                    "runtime": runtime,
                    "accuracy": cost["accuracy"],
                    "parameters": cost["parameters"],
                    "macs": cost["macs"],
                    "weights_mb": cost["weights_bytes"] / 1e6,
                    "track_ms": measured["track_ms"]["p50"],
                    "track_ms_p95": measured["track_ms"]["p95"],
                    "window_ms": window.get("p50"),
                    "window_ms_p95": window.get("p95"),
                    "peak_mib": measured["peak_mib"],
                    "train_seconds": cost.get("train_seconds"),
                    "cores": cost["machine"]["cores"],
                    "load": cost["load"],
                }
            )
    return pd.DataFrame(rows)


def pareto_front(cost: npt.NDArray[np.float64], gain: npt.NDArray[np.float64]) -> list[int]:
    """Find what nothing beats in both: no other costs as little and gains more.

    Parameters
    ----------
    cost, gain : np.ndarray [shape=(n,), dtype=float64]

    Returns
    -------
    rows : list of int
        By rising cost.
    """
    front: list[int] = []
    best = -np.inf
    for row in np.lexsort((-gain, cost)):
        if gain[row] > best:
            front.append(int(row))
            best = gain[row]
    return front


def track_frame(results: Results, models: Sequence[str]) -> pd.DataFrame:
    """Return a row a track: its genre, what each model said, how many were right.

    Parameters
    ----------
    results : Results
    models : sequence of str

    Returns
    -------
    frame : pandas.DataFrame
        Index track_id; columns genre, one for each model (its genre), and
        n_right.
    """
    table = results.predictions
    if table.empty or not models:
        return pd.DataFrame()
    columns = [f"p_{genre}" for genre in results.genres]
    said = np.asarray(results.genres)[table[columns].to_numpy().argmax(axis=1)]
    wide = table.assign(said=said).pivot_table(
        index="track_id", columns="model", values="said", aggfunc="first"
    )[list(models)]
    genre = table.drop_duplicates("track_id").set_index("track_id")["genre"]
    wide.insert(0, "genre", genre)
    wide["n_right"] = wide[list(models)].eq(wide["genre"], axis=0).sum(axis=1)
    return wide.rename_axis(columns=None)
