"""What the results say already of models whose pieces were run on another machine."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from songnet.benchmark.entries import Entry
from songnet.datasets.base import Dataset
from songnet.exceptions import ResultsError

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Published"]


@dataclass(frozen=True)
class Published:
    """The results of an earlier `songnet.benchmark.summary.summarise`.

    Parameters
    ----------
    folder : Path
    models : dict of str to dict
        Rows of the leaderboard, by the names of the models.
    """

    folder: Path
    models: dict[str, dict[str, Any]] = field(default_factory=dict)

    @classmethod
    def read(cls, folder: Path, dataset: Dataset, *, seed: int) -> Published:
        """Read a folder of results; those of other data or another seed count as none.

        Raises
        ------
        ResultsError
            If a file is damaged.
        """
        board = _read(folder / "leaderboard.json")
        if (board.get("data_hash"), board.get("seed")) != (dataset.hash, seed):
            return cls(folder)
        return cls(folder, {row["model"]: row for row in board["models"]})

    def holds(self, entry: Entry) -> bool:
        """Whether a model was run with the settings that it has now."""
        return self.models.get(entry.name, {}).get("entry_hash") == entry.hash

    def predictions(self, entry: Entry) -> pd.DataFrame:
        """What a model said of every track, out of fold; raises ResultsError without them."""
        import pandas as pd

        path = self.folder / "predictions.parquet"
        try:
            rows = pd.read_parquet(path, filters=[("model", "==", entry.name)])
        except (OSError, ValueError) as error:
            raise _damaged(path, error) from error
        if rows.empty:
            raise _damaged(path, f"it lacks {entry.name}")
        return rows

    def section(self, study: str, names: Iterable[str]) -> dict[str, Any]:
        """What a study found of these models, where it did."""
        found = _read(self.folder / f"{study}.json").get("models", {})
        return {name: found[name] for name in names if name in found}

    def needed_intervals(self, names: Iterable[str]) -> dict[str, Any]:
        """Intervals of the clips that these models would need, where they were computed."""
        needed = _read(self.folder / "learning_curve.json").get("needed", {})
        found = needed.get("intervals", {})
        return {name: found[name] for name in names if name in found}


def _read(path: Path) -> dict[str, Any]:
    if not path.is_file():
        return {}
    try:
        values: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise _damaged(path, error) from error
    return values


def _damaged(path: Path, error: object) -> ResultsError:
    return ResultsError(
        f"{path} is damaged: {error}. Restore it from git, or choose another --results folder."
    )
