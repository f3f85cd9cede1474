"""Read the predictions of finished pieces, with the truth beside them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from songnet.benchmark.entries import Entry
from songnet.benchmark.pieces import Piece
from songnet.datasets.base import Dataset
from songnet.evaluation.intervals import bootstrap_intervals
from songnet.evaluation.metrics import HEADLINE_METRICS

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Reader", "Scored", "headline_intervals", "is_right"]


@dataclass(frozen=True)
class Scored:
    """Predictions of one model, sorted by track.

    Parameters
    ----------
    entry : Entry
    rows : pandas.DataFrame
        See `songnet.benchmark.pieces.prediction_rows`.
    y_true : np.ndarray [shape=(n_tracks,), dtype=int64]
    probs : np.ndarray [shape=(n_tracks, n_genres), dtype=float64]
    groups, sources : list of str
        Artist and source of each track.
    """

    entry: Entry
    rows: pd.DataFrame
    y_true: npt.NDArray[np.int64]
    probs: npt.NDArray[np.float64]
    groups: list[str]
    sources: list[str]


class Reader:
    """Finished pieces of one data set.

    Parameters
    ----------
    dataset : Dataset
    run_dir : Path
    seed : int
        That they were made with.
    """

    def __init__(self, dataset: Dataset, run_dir: Path, *, seed: int) -> None:
        self.dataset = dataset
        self.run_dir = run_dir
        self.seed = seed
        self.tracks = {track.track_id: track for track in dataset}
        self._columns = [f"p_{genre}" for genre in dataset.genres]

    def about(self, piece: Piece) -> dict[str, Any] | None:
        """Return what a piece says of itself, None where it is not finished."""
        if not piece.is_done(self.run_dir, data_hash=self.dataset.hash, seed=self.seed):
            return None
        return piece.read(self.run_dir)

    def missing_folds(self, entry: Entry, study: str = "folds", share: float = 1.0) -> list[int]:
        """Return the folds that are not finished."""
        pieces = [Piece(entry, study, fold, share) for fold in self.dataset.folds]
        return [piece.fold for piece in pieces if self.about(piece) is None]

    def rows(self, entry: Entry, study: str, share: float = 1.0) -> pd.DataFrame | None:
        """Return the predictions of all finished folds of a study."""
        import pandas as pd

        pieces = [Piece(entry, study, fold, share) for fold in self.dataset.folds]
        paths = [
            piece.folder(self.run_dir) / "predictions.parquet"
            for piece in pieces
            if self.about(piece) is not None
        ]
        frames = [pd.read_parquet(path) for path in paths if path.is_file()]
        return pd.concat(frames, ignore_index=True) if frames else None

    def scored(self, entry: Entry, study: str, rows: pd.DataFrame | None = None) -> Scored:
        """Return predictions with the truth, sorted by track."""
        rows = self.rows(entry, study) if rows is None else rows
        assert rows is not None
        rows = rows.sort_values("track_id", ignore_index=True)
        # A segment's id ends in its number; its artist is that of its track.
        tracks = [self.tracks.get(i) or self.tracks[i.rpartition("#")[0]] for i in rows["track_id"]]
        genres = self.dataset.genres
        probs = rows[self._columns].to_numpy(np.float64)
        return Scored(
            entry,
            rows,
            np.array([genres.index(track.genre) for track in tracks]),
            probs / probs.sum(axis=1, keepdims=True),
            [track.group for track in tracks],
            [track.source or "unknown" for track in tracks],
        )


def headline_intervals(scored: Scored, seed: int) -> dict[str, Any]:
    """Headline metrics with intervals over artists, as plain types."""
    found = bootstrap_intervals(
        scored.y_true, scored.probs, scored.groups, metrics=HEADLINE_METRICS, seed=seed
    )
    return {name: interval.to_dict() for name, interval in found.items()}


def is_right(scored: Scored) -> npt.NDArray[np.bool_]:
    """Whether each track is named right."""
    right: npt.NDArray[np.bool_] = scored.probs.argmax(axis=1) == scored.y_true
    return right
