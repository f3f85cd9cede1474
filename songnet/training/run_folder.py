"""The folder of a training run: what it is of, its history, its result."""

from __future__ import annotations

import csv
import json
import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from songnet.config import FeatureConfig, ModelConfig, TrainConfig
from songnet.datasets.base import Dataset, Track
from songnet.datasets.store import FeatureStore
from songnet.exceptions import ParameterError
from songnet.json_text import write_object
from songnet.provenance import git_commit, versions

__all__ = [
    "TrainResult",
    "TrainSettings",
    "claim",
    "describe",
    "read_held_out",
    "read_history",
    "read_result",
    "write_result",
]


@dataclass(frozen=True)
class TrainSettings:
    """Everything that decides what a run learns, apart from the data."""

    features: FeatureConfig = field(default_factory=FeatureConfig)
    model: ModelConfig = field(default_factory=ModelConfig)
    training: TrainConfig = field(default_factory=TrainConfig)

    def to_dict(self) -> dict[str, Any]:
        """Return the three configurations as plain JSON types."""
        return {
            "features": self.features.to_dict(),
            "model": self.model.to_dict(),
            "training": self.training.to_dict(),
        }

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> TrainSettings:
        """Rebuild from `to_dict`."""
        return cls(
            FeatureConfig.from_dict(values["features"]),
            ModelConfig.from_dict(values["model"]),
            TrainConfig.from_dict(values["training"]),
        )


@dataclass(frozen=True)
class TrainResult:
    """What a finished run says about itself.

    Parameters
    ----------
    run_dir : Path
    epochs, kept_epoch : int
        Epochs trained, and the one that ``network.keras`` comes from, from 1.
    val_loss, val_accuracy : float
        Of ``network.keras``, on whole tracks of the artists held out.
    genres : tuple of str
    """

    run_dir: Path
    epochs: int
    kept_epoch: int
    val_loss: float
    val_accuracy: float
    genres: tuple[str, ...]

    @property
    def network(self) -> Path:
        """The trained network, with all its outputs."""
        return self.run_dir / "network.keras"


def describe(
    dataset: Dataset,
    settings: TrainSettings,
    genres: tuple[str, ...],
    held_out: Sequence[Track],
    degraded: FeatureStore | None,
) -> dict[str, Any]:
    """Return what a run is of: its data, its settings, the tracks held out."""
    degradation = degraded.degradation if degraded else None
    return {
        "dataset": dataset.name,
        "data_hash": dataset.hash,
        "genres": list(genres),
        "settings": settings.to_dict(),
        "degradation": degradation.describe() if degradation else None,
        "held_out_ids": sorted(track.track_id for track in held_out),
    }


def read_held_out(run_dir: Path, dataset: Dataset) -> list[Track]:
    """Whole tracks of a data set that the training of a run folder held out."""
    run = json.loads((run_dir / "run.json").read_text(encoding="utf-8"))
    held_out = set(run["held_out_ids"])
    return [track for track in dataset if track.track_id in held_out and track.evaluate]


def claim(run_dir: Path, description: dict[str, Any]) -> None:
    """Write ``run.json``, or check that the one there is of the same run or of its beginning.

    One of a run that ended before its first epoch, such as for a mistyped setting, is replaced.
    """
    path = run_dir / "run.json"
    if path.is_file() and any(
        (run_dir / name).is_file() for name in ("state.keras", "result.json")
    ):
        there = json.loads(path.read_text(encoding="utf-8"))
        other = sorted(key for key, value in description.items() if there.get(key) != value)
        if not other:
            return
        if other != ["settings"] or not _goes_on(there["settings"], description["settings"]):
            raise ParameterError(
                f"{run_dir} holds a run with other {', '.join(other)}; choose another folder."
            )
        (run_dir / "result.json").unlink(missing_ok=True)
    provenance = {"versions": versions(), "commit": git_commit()}
    write_object(path, description | provenance)


def _goes_on(earlier: dict[str, Any], now: dict[str, Any]) -> bool:
    before, after = TrainSettings.from_dict(earlier), TrainSettings.from_dict(now)
    is_same = (before.features, before.model) == (after.features, after.model)
    return is_same and after.training.goes_on_from(before.training)


def read_history(run_dir: Path, epochs_done: int) -> list[dict[str, float]]:
    """Read the logs of the first epochs, as many as the saved network has had."""
    path = run_dir / "history.csv"
    if not path.is_file():
        return []
    with path.open(newline="", encoding="utf-8") as file:
        rows = [{key: float(value) for key, value in row.items()} for row in csv.DictReader(file)]
    return rows[:epochs_done]


def write_result(
    run_dir: Path,
    genres: tuple[str, ...],
    *,
    epochs: int,
    kept: int,
    val_loss: float,
    val_accuracy: float,
) -> None:
    """Write ``result.json``: the run is finished; raises ParameterError if it diverged."""
    if not math.isfinite(val_loss):
        raise ParameterError(
            f"The training in {run_dir} diverged: its validation loss is {val_loss}, expected a "
            "finite number. Choose another folder and a smaller training.learning_rate."
        )
    values = {
        "epochs": epochs,
        "kept_epoch": kept,
        "val_loss": val_loss,
        "val_accuracy": val_accuracy,
        "genres": list(genres),
    }
    write_object(run_dir / "result.json", values)


def read_result(run_dir: Path) -> TrainResult:
    """Read ``result.json``."""
    values = json.loads((run_dir / "result.json").read_text(encoding="utf-8"))
    return TrainResult(run_dir=run_dir, **values | {"genres": tuple(values["genres"])})
