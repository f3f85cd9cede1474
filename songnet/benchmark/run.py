"""Run pieces: what is finished is not done again, what was interrupted goes on."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from songnet.benchmark.deadline import Deadline, OutOfTimeError
from songnet.benchmark.inputs import (
    Inputs,
    LogMels,
    SegmentStore,
    leaky_segments,
    leaky_tracks,
    training_part,
)
from songnet.benchmark.learners import Learned, learn, load_learned
from songnet.benchmark.pieces import HONEST, Piece, prediction_rows
from songnet.datasets.base import Dataset, Track
from songnet.exceptions import DatasetError, SongNetError
from songnet.signal.conditions import (
    CLEAN,
    DEGRADED_CONDITIONS,
    SECONDS_CONDITIONS,
    Condition,
)

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["BenchmarkRun", "RunReport"]

Notice = Callable[[Piece, str], None]
_CONDITIONS = {"seconds": SECONDS_CONDITIONS, "robustness": DEGRADED_CONDITIONS}


@dataclass
class RunReport:
    """What one call of `BenchmarkRun.run` did.

    Parameters
    ----------
    done, reused : int
        Pieces finished now, and before.
    unfinished : tuple of Piece
        Pieces that the time did not suffice for; run again to go on.
    failed : dict of str to str
        Name and reason of the others, as of a study whose models are not there yet.
    """

    done: int
    reused: int
    unfinished: tuple[Piece, ...]
    failed: dict[str, str]


@dataclass(frozen=True)
class BenchmarkRun:
    """The benchmark of a data set, in a folder.

    Parameters
    ----------
    inputs : Inputs
    run_dir : Path
    seed : int
    piece_minutes : float
        A piece that takes longer is interrupted, and goes on in the next run.
    """

    inputs: Inputs
    run_dir: Path
    seed: int = 0
    piece_minutes: float = 30.0

    def run(
        self,
        pieces: Sequence[Piece],
        *,
        minutes: float | None = None,
        notice: Notice | None = None,
    ) -> RunReport:
        """Run pieces in their order.

        Parameters
        ----------
        pieces : sequence of Piece
        minutes : float, optional
            No piece is begun after so many; one that runs is interrupted.
        notice : callable, optional
            Called with (piece, message).
        """
        end = Deadline.after(minutes) if minutes is not None else None
        report = RunReport(done=0, reused=0, unfinished=(), failed={})
        unfinished: list[Piece] = []
        for piece in pieces:
            if piece.is_done(self.run_dir, data_hash=self.inputs.dataset.hash, seed=self.seed):
                report.reused += 1
                continue
            if end and end.has_passed:
                unfinished.append(piece)
                continue
            start = time.monotonic()
            try:
                self.run_piece(piece, self._deadline(end))
            except OutOfTimeError:
                unfinished.append(piece)
                message = "interrupted, its time is up"
            except SongNetError as error:
                report.failed[piece.name] = message = str(error)
            else:
                report.done += 1
                message = f"done in {time.monotonic() - start:.0f} s"
            if notice:
                notice(piece, message)
        report.unfinished = tuple(unfinished)
        return report

    def _deadline(self, end: Deadline | None) -> Deadline:
        own = Deadline.after(self.piece_minutes)
        return own if end is None or own.at < end.at else end

    def run_piece(self, piece: Piece, deadline: Deadline) -> None:
        """Run one piece to its end, or raise OutOfTimeError."""
        studies = {
            "folds": self._learn_and_predict,
            "learning-curve": self._learn_and_predict,
            "leaky": self._leaky,
            "codec": self._codec,
            "cost": self._cost,
        }
        studies.get(piece.study, self._conditions)(piece, deadline)

    def _learn_and_predict(self, piece: Piece, deadline: Deadline) -> None:
        train = training_part(
            self.inputs.dataset, fold=piece.fold, share=piece.share, seed=self.seed
        )
        self._prepare(piece, self._learned_from(piece), deadline)
        tested = _tested(self.inputs.scored, piece.fold)
        self._finish_learning(piece, train, tested, deadline)

    def _leaky(self, piece: Piece, deadline: Deadline) -> None:
        self._prepare(piece, self._learned_from(piece), deadline)
        n_folds = max(2, len(self.inputs.dataset.folds))
        store: SegmentStore | None = None
        if piece.entry.leak == "segments":
            dataset, store = leaky_segments(
                self.inputs.dataset,
                self.inputs.log_mels(piece.entry.settings.features),
                n_folds=n_folds,
                seed=self.seed,
            )
        else:
            dataset = leaky_tracks(self.inputs.dataset, n_folds=n_folds, seed=self.seed)
        train = dataset.select(lambda track: track.fold != piece.fold)
        honest = self._honest_segments(piece, dataset, store) if store else ()
        self._finish_learning(
            piece, train, _tested(dataset, piece.fold), deadline, store=store, honest=honest
        )

    def _honest_segments(
        self, piece: Piece, segments: Dataset, store: SegmentStore
    ) -> tuple[pd.DataFrame, ...]:
        """What the fold's honest network says of single segments, as the leaky one is scored."""
        fold_of = {track.track_id: track.fold for track in self.inputs.scored}
        tested = [s for s in segments if fold_of[s.track_id.rpartition("#")[0]] == piece.fold]
        network = load_learned(piece.entry, self._folder_of_model(piece), store=store)
        probs = network.predict(tested, self.inputs)
        return (self._rows(piece, tested, probs, condition=HONEST),)

    def _finish_learning(
        self,
        piece: Piece,
        train: Dataset,
        tested: Sequence[Track],
        deadline: Deadline,
        *,
        store: LogMels | None = None,
        honest: Sequence[pd.DataFrame] = (),
    ) -> None:
        learned, about = learn(
            piece.trained,
            train,
            inputs=self.inputs,
            folder=piece.folder(self.run_dir),
            genres=self.inputs.dataset.genres,
            seed=self.seed,
            store=store,
            deadline=deadline,
        )
        start = time.perf_counter()
        probs = learned.predict(tested, self.inputs)
        about |= {"predict_seconds": time.perf_counter() - start, "n_tracks": len(tested)}
        self._finish(piece, about, self._rows(piece, tested, probs), *honest)

    def _codec(self, piece: Piece, deadline: Deadline) -> None:
        """Predict the tracks that exist in their own codec from that."""
        twins = [t for t in self.inputs.twins or () if t.fold == piece.fold]
        self._prepare(piece, tuple(self.inputs.twins or ()), deadline)
        frames = []
        if twins:
            probs = self._load(piece).predict(twins, self.inputs)
            frames.append(self._rows(piece, twins, probs, condition="original"))
        self._finish(piece, {"n_tracks": len(twins)}, *frames)

    def _conditions(self, piece: Piece, deadline: Deadline) -> None:
        learned = self._load(piece)
        tested = _drawn(_tested(self.inputs.scored, piece.fold))
        frames = []
        for condition in _CONDITIONS[piece.study]:
            self._prepare(piece, tested, deadline, condition=condition)
            probs = learned.predict(tested, self.inputs, condition)
            frames.append(self._rows(piece, tested, probs, condition=condition.name))
        self._finish(piece, {"n_tracks": len(tested)}, *frames)

    def _cost(self, piece: Piece, _deadline: Deadline) -> None:
        from songnet.benchmark.cost import TrainingData, measure_cost

        dataset, entry = self.inputs.dataset, piece.entry
        learned = [track for track in self._learned_from(piece) if track.fold != piece.fold]
        track = _tested(self.inputs.scored, piece.fold)[0]
        if entry.is_network:
            folder = piece.folder(self.run_dir)
            seen = round(len(learned) * (1 - entry.settings.training.validation_share))
            data = TrainingData(seen, len(dataset.genres))
        else:
            folder = self._folder_of_model(piece)
            assert entry.vectors is not None
            X = self.inputs.vectors(entry.vectors, learned)
            y = np.array([dataset.genres.index(track.genre) for track in learned])
            data = TrainingData(len(learned), len(dataset.genres), X, y)
        self._finish(piece, measure_cost(entry, folder, track.path, data))

    def _load(self, piece: Piece) -> Learned:
        return load_learned(piece.entry, self._folder_of_model(piece))

    def _folder_of_model(self, piece: Piece) -> Path:
        """Folder of the fold's model, if it learned from this data with this seed and settings."""
        trained = Piece(piece.entry, "folds", piece.fold)
        if not trained.is_done(self.run_dir, data_hash=self.inputs.dataset.hash, seed=self.seed):
            raise DatasetError(
                f"{trained.name} is not finished; run the study 'folds' of {piece.entry.name} "
                "first."
            )
        return trained.folder(self.run_dir)

    def _learned_from(self, piece: Piece) -> Sequence[Track]:
        """All tracks for a network; excerpts are not for classifiers of whole clips."""
        dataset = self.inputs.dataset if piece.entry.is_network else self.inputs.scored
        return dataset.tracks

    def _prepare(
        self,
        piece: Piece,
        tracks: Sequence[Track],
        deadline: Deadline,
        *,
        condition: Condition = CLEAN,
    ) -> None:
        """Compute the features that are missing."""
        entry = piece.entry
        extractor = entry.settings.features if entry.is_network else entry.vectors
        assert extractor is not None
        self.inputs.prepare(extractor, tracks, condition=condition, deadline=deadline)
        if entry.is_network and piece.model_of == piece:
            settings = entry.settings
            if settings.training.degraded_share > 0:
                self.inputs.prepare_degraded(settings.features, self.inputs.dataset.tracks)

    def _rows(
        self, piece: Piece, tracks: Sequence[Track], probs: Any, *, condition: str = "clean"
    ) -> pd.DataFrame:
        return prediction_rows(
            piece,
            tracks,
            probs,
            dataset=self.inputs.dataset,
            seed=self.seed,
            condition=condition,
        )

    def _finish(self, piece: Piece, about: dict[str, Any], *frames: pd.DataFrame) -> None:
        import pandas as pd

        piece.finish(
            self.run_dir,
            data_hash=self.inputs.dataset.hash,
            seed=self.seed,
            results=about,
            rows=pd.concat(frames, ignore_index=True) if frames else None,
        )


def _tested(dataset: Dataset, fold: int) -> list[Track]:
    return [track for track in dataset if track.fold == fold]


def _drawn(tracks: Sequence[Track]) -> list[Track]:
    """Every third track in the order of hashes: other sound of all would take hours to make."""
    return sorted(tracks, key=lambda t: hashlib.sha256(t.track_id.encode()).digest())[::3]
