"""Pieces: a fold of a model in a study, each in a folder that says how it was made."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from songnet.benchmark.entries import Entry
from songnet.datasets.base import Dataset, Track
from songnet.exceptions import ParameterError
from songnet.json_text import to_plain, write_object
from songnet.provenance import git_commit, versions

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["HONEST", "LEARNING_SHARES", "STUDIES", "Piece", "list_pieces", "prediction_rows"]

# In the order in which they are worth having; all but the first three need the models of "folds".
STUDIES = ("folds", "leaky", "learning-curve", "codec", "seconds", "robustness", "cost")
LEARNING_SHARES = (0.1, 0.25, 0.5)
# Condition of rows of "leaky" that the honest network said.
HONEST = "honest"
_USE_MODELS_OF_FOLDS = ("codec", "seconds", "robustness", "cost")


@dataclass(frozen=True)
class Piece:
    """The unit of work.

    Parameters
    ----------
    entry : Entry
    study : str
        One of `STUDIES`.
    fold : int
    share : float
        Share of the training tracks that is learned from.
    """

    entry: Entry
    study: str
    fold: int
    share: float = 1.0

    @property
    def name(self) -> str:
        """Name for people and for the folder, such as ``folds/knn/fold-0``."""
        share = f"-{round(100 * self.share)}" if self.share < 1 else ""
        return f"{self.study}{share}/{self.entry.name}/fold-{self.fold}"

    @property
    def model_of(self) -> Piece:
        """The piece whose model this one uses; itself where it trains one."""
        if self.study in _USE_MODELS_OF_FOLDS:
            return Piece(self.entry, "folds", self.fold)
        return self

    @property
    def trained(self) -> Entry:
        """The entry as this piece trains it.

        From a part of the data to the last epoch: its validation is a dozen tracks or some
        dozens, by which it would stop at random.
        """
        training = self.entry.training
        if self.share == 1 or training is None:
            return self.entry
        return replace(self.entry, training=training.replace(patience=training.epochs))

    def folder(self, run_dir: Path) -> Path:
        """Folder of this piece."""
        return run_dir / self.name

    def is_done(self, run_dir: Path, *, data_hash: str, seed: int) -> bool:
        """Whether it was finished, with these settings, data and seed.

        Raises
        ------
        ParameterError
            If it was finished with others.
        """
        there = self.read(run_dir)
        if there is None:
            return False
        made_with = (there["entry_hash"], there["data_hash"], there["seed"])
        if made_with != (self.trained.hash, data_hash, seed):
            raise ParameterError(
                f"{self.folder(run_dir)} was made with other settings, data or seed; choose "
                "another --run-dir, or remove that folder to compute it again."
            )
        return True

    def read(self, run_dir: Path) -> dict[str, Any] | None:
        """Return what the finished piece says of itself, None if it is not finished."""
        path = self.folder(run_dir) / "piece.json"
        if not path.is_file():
            return None
        values: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        return values

    def finish(
        self,
        run_dir: Path,
        *,
        data_hash: str,
        seed: int,
        results: Mapping[str, Any],
        rows: pd.DataFrame | None = None,
    ) -> None:
        """Write the predictions, then ``piece.json``, which marks the piece as done."""
        folder = self.folder(run_dir)
        folder.mkdir(parents=True, exist_ok=True)
        if rows is not None:
            part = folder / "predictions.part"
            rows.to_parquet(part, index=False)
            part.replace(folder / "predictions.parquet")
        values = {
            "piece": self.name,
            "model": self.entry.name,
            "study": self.study,
            "fold": self.fold,
            "share": self.share,
            "entry_hash": self.trained.hash,
            "data_hash": data_hash,
            "seed": seed,
            **results,
            "versions": versions(),
            "commit": git_commit(),
        }
        write_object(folder / "piece.json", to_plain(values))


def list_pieces(
    entries: Sequence[Entry],
    folds: Iterable[int],
    *,
    studies: Iterable[str] = STUDIES,
    only_folds: Iterable[int] | None = None,
    has_twins: bool = True,
) -> tuple[Piece, ...]:
    """Return all pieces, in an order in which each finds what it needs.

    Parameters
    ----------
    entries : sequence of Entry
    folds : iterable of int
    studies : iterable of str
    only_folds : iterable of int, optional
        Keep the pieces of these.
    has_twins : bool
        Whether there are tracks in two codecs.

    Raises
    ------
    ParameterError
        If there is no such study or fold.
    """
    wanted, folds = set(studies), tuple(folds)
    if unknown := sorted(wanted - set(STUDIES)):
        raise ParameterError(f"There is no study {unknown}; expected some of {list(STUDIES)}.")
    kept = set(folds if only_folds is None else only_folds)
    if not kept <= set(folds):
        raise ParameterError(f"There is no fold {sorted(kept - set(folds))}; expected {folds}.")
    pieces: list[Piece] = []
    for study in STUDIES:
        if study not in wanted or (study == "codec" and not has_twins):
            continue
        for entry in entries:
            pieces += _pieces_of(entry, study, folds)
    return tuple(piece for piece in pieces if piece.fold in kept)


def _pieces_of(entry: Entry, study: str, folds: Sequence[int]) -> list[Piece]:
    if study == "leaky":
        # A seed holds out one part; five would take as long as all other studies of a network.
        leaky = folds[:1] if entry.is_network else folds
        return [Piece(entry, study, fold) for fold in leaky] if entry.leak else []
    if study == "learning-curve":
        shares = LEARNING_SHARES if entry.has_learning_curve else ()
        return [Piece(entry, study, fold, share) for share in shares for fold in folds]
    if study == "cost":
        return [Piece(entry, study, folds[0])]
    if study in {"seconds", "robustness"} and entry.kind == "chance":
        return []
    return [Piece(entry, study, fold) for fold in folds]


def prediction_rows(
    piece: Piece,
    tracks: Sequence[Track],
    probs: npt.NDArray[np.float64],
    *,
    dataset: Dataset,
    seed: int,
    condition: str = "clean",
) -> pd.DataFrame:
    """Return a row a track: what the model said of it.

    Returns
    -------
    rows : pandas.DataFrame
        Columns model, study, condition, share, fold, seed, track_id, genre,
        and ``p_<genre>`` for each genre, float32.
    """
    import pandas as pd

    fixed = {
        "model": piece.entry.name,
        "study": piece.study,
        "condition": condition,
        "share": np.float32(piece.share),
        "fold": np.int16(piece.fold),
        "seed": np.int32(seed),
    }
    rows = pd.DataFrame(
        {"track_id": [t.track_id for t in tracks], "genre": [t.genre for t in tracks]}
    ).assign(**fixed)
    for column, genre in enumerate(dataset.genres):
        rows[f"p_{genre}"] = probs[:, column].astype(np.float32)
    return rows[[*fixed, "track_id", "genre", *(f"p_{genre}" for genre in dataset.genres)]]
