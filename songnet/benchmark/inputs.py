"""What the pieces read: tracks with folds, and their features under every condition."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from songnet.benchmark.arrays import ArrayStore, Extractor
from songnet.benchmark.deadline import Deadline
from songnet.config import FeatureConfig
from songnet.datasets.base import Dataset, Track
from songnet.datasets.splits import draw_groups
from songnet.datasets.store import FeatureStore
from songnet.exceptions import DatasetError
from songnet.signal.conditions import CLEAN, Condition
from songnet.signal.degrade import TRAINING_DEGRADATION

__all__ = [
    "Inputs",
    "LogMels",
    "SegmentStore",
    "leaky_segments",
    "leaky_tracks",
    "training_part",
]

Progress = Any


class LogMels(Protocol):
    """A store of log-mel spectrograms: clean, degraded or cut."""

    @property
    def config(self) -> FeatureConfig:
        """Settings of the features."""
        ...

    def load(self, track: Track) -> npt.NDArray[Any]:
        """Open the log-mel of a track, shape (n_frames, n_mels)."""
        ...


@dataclass(frozen=True)
class _FirstSeconds:
    """The first seconds of stored log-mel spectrograms."""

    whole: LogMels
    seconds: float

    @property
    def config(self) -> FeatureConfig:
        return self.whole.config

    def load(self, track: Track) -> npt.NDArray[Any]:
        n_frames = max(1, self.config.n_frames(round(self.seconds * self.config.sr)))
        return self.whole.load(track)[:n_frames]


@dataclass(frozen=True)
class _Conditioned:
    """Log-mel spectrograms under a condition."""

    arrays: ArrayStore
    config: FeatureConfig

    def load(self, track: Track) -> npt.NDArray[Any]:
        return self.arrays.load(track)


@dataclass(frozen=True)
class SegmentStore:
    """Equal pieces of stored log-mel spectrograms, each a track of its own.

    Parameters
    ----------
    whole : LogMels
    """

    whole: LogMels

    @property
    def config(self) -> FeatureConfig:
        """Settings of the features."""
        return self.whole.config

    def load(self, track: Track) -> npt.NDArray[Any]:
        """Open the frames of a segment, whose id ends in ``#`` and its number."""
        number = int(track.track_id.rpartition("#")[2])
        size = self.config.patch_frames
        return self.whole.load(track)[number * size : (number + 1) * size]


@dataclass(frozen=True)
class Inputs:
    """Data set and stores.

    Parameters
    ----------
    dataset : Dataset
        With folds.
    store_root : Path
        Folder of the log-mel stores; the other arrays lie in ``benchmark`` of it.
    twins : Dataset, optional
        Tracks of the data set in their own codec, with the same ids.
    rooms_folder : str
        Impulse responses for the training's degradation; empty for synthetic.
    jobs : int, optional
    """

    dataset: Dataset
    store_root: Path
    twins: Dataset | None = None
    rooms_folder: str = ""
    jobs: int | None = None
    _means: dict[str, npt.NDArray[np.float32]] = field(
        default_factory=dict, init=False, repr=False, compare=False
    )
    _ready: set[tuple[Path, Track]] = field(
        default_factory=set, init=False, repr=False, compare=False
    )

    @property
    def scored(self) -> Dataset:
        """The tracks that are evaluated."""
        return self.dataset.select(lambda track: track.evaluate)

    def log_mels(self, features: FeatureConfig, condition: Condition = CLEAN) -> LogMels:
        """Return the store of the log-mel spectrograms under a condition."""
        if condition == CLEAN:
            return FeatureStore(self.store_root, features)
        if condition == Condition(condition.name, seconds=condition.seconds):
            return _FirstSeconds(FeatureStore(self.store_root, features), condition.seconds or 0)
        return _Conditioned(self._arrays(features, condition), features)

    def degraded(self, features: FeatureConfig) -> FeatureStore:
        """Return the store that a training draws degraded crops from."""
        settings = TRAINING_DEGRADATION.replace(rooms_folder=self.rooms_folder)
        return FeatureStore(self.store_root, features, degradation=settings)

    def vectors(
        self, extractor: Extractor, tracks: Sequence[Track], condition: Condition = CLEAN
    ) -> npt.NDArray[np.float32]:
        """Return a vector a track, shape (n_tracks, n_values); of a log-mel, its mean."""
        if isinstance(extractor, FeatureConfig):
            store = self.log_mels(extractor, condition)
            rows = [self._mean(store, track, condition) for track in tracks]
        else:
            arrays = self._arrays(extractor, condition)
            rows = [arrays.load(track) for track in tracks]
        return np.stack(rows).astype(np.float32)

    def _mean(self, store: LogMels, track: Track, condition: Condition) -> npt.NDArray[np.float32]:
        """Mean over time; kept, since several models and folds read the same."""
        key = f"{store.config.hash} {condition.hash} {track.sha256 or track.path}"
        if key not in self._means:
            self._means[key] = store.load(track).astype(np.float32).mean(axis=0)
        return self._means[key]

    def prepare(
        self,
        extractor: Extractor,
        tracks: Sequence[Track],
        *,
        condition: Condition = CLEAN,
        deadline: Deadline | None = None,
        progress: Progress = None,
    ) -> None:
        """Compute what is missing; raises OutOfTimeError when the deadline has passed."""
        if isinstance(extractor, FeatureConfig):
            store = self.log_mels(extractor, condition)
            if isinstance(store, _FirstSeconds):
                store = store.whole
            if isinstance(store, FeatureStore):
                self._compute_all(store, tracks, progress)
                return
        self._arrays(extractor, condition).compute(
            tracks, jobs=self.jobs, deadline=deadline, progress=progress
        )

    def prepare_degraded(
        self, features: FeatureConfig, tracks: Sequence[Track], progress: Progress = None
    ) -> None:
        """Compute the degraded log-mel spectrograms of a training that are missing."""
        self._compute_all(self.degraded(features), tracks, progress)

    def _compute_all(
        self, store: FeatureStore, tracks: Sequence[Track], progress: Progress
    ) -> None:
        unknown = [t for t in tracks if (store.folder, t) not in self._ready]
        report = store.compute(unknown, jobs=self.jobs, progress=progress)
        if report.failed:
            first, reason = next(iter(report.failed.items()))
            raise DatasetError(
                f"{len(report.failed)} tracks cannot be read, such as {first}: {reason}"
            )
        self._ready.update((store.folder, track) for track in unknown)

    def _arrays(self, extractor: Extractor, condition: Condition) -> ArrayStore:
        return ArrayStore(self.store_root / "benchmark", extractor, condition)


def training_part(dataset: Dataset, *, fold: int, share: float, seed: int) -> Dataset:
    """Return what a fold's models learn from: a share of the tracks of the other folds.

    Parameters
    ----------
    dataset : Dataset
    fold : int
    share : float
        Drawn by whole artists; all tracks for 1.
    seed : int
    """
    others = dataset.select(lambda track: track.fold != fold)
    if share == 1:
        return others
    return others.with_tracks(draw_groups(others.tracks, share=share, seed=seed)[1])


def leaky_tracks(dataset: Dataset, *, n_folds: int, seed: int) -> Dataset:
    """Split the scored tracks at random: one artist, even one album, stands on both sides.

    Returns
    -------
    dataset : Dataset
        Each track in a group of its own, stratified by genre. What is never
        scored is in no fold, so it is learned from, as it is elsewhere.
    """
    tracks = [track for track in dataset if track.evaluate]
    folds = _random_folds([track.genre for track in tracks], n_folds=n_folds, seed=seed)
    fold_of = {track.track_id: int(fold) for track, fold in zip(tracks, folds, strict=True)}
    return dataset.with_tracks(
        replace(track, group=track.track_id, fold=fold_of.get(track.track_id)) for track in dataset
    )


def leaky_segments(
    dataset: Dataset, store: LogMels, *, n_folds: int, seed: int
) -> tuple[Dataset, SegmentStore]:
    """Split segments at random: parts of one recording stand on both sides.

    Parameters
    ----------
    dataset : Dataset
    store : LogMels
        Its patch length is the length of a segment; what is left is dropped.
    n_folds, seed : int

    Returns
    -------
    dataset : Dataset
        A track for each segment, in a group of its own.
    store : SegmentStore
    """
    size = store.config.patch_frames
    segments = [
        replace(track, track_id=f"{track.track_id}#{number}")
        for track in dataset
        if track.evaluate
        for number in range(len(store.load(track)) // size)
    ]
    folds = _random_folds([track.genre for track in segments], n_folds=n_folds, seed=seed)
    named = (
        replace(segment, group=segment.track_id, fold=int(fold))
        for segment, fold in zip(segments, folds, strict=True)
    )
    return dataset.with_tracks(named), SegmentStore(store)


def _random_folds(genres: Sequence[str], *, n_folds: int, seed: int) -> npt.NDArray[np.int64]:
    """Folds at random, as many of each genre in each."""
    names = np.asarray(genres)
    folds = np.zeros(len(names), np.int64)
    for genre in np.unique(names):
        rows = np.flatnonzero(names == genre)
        start = int.from_bytes(hashlib.sha256(f"{seed} {genre}".encode()).digest()[:4])
        order = np.random.default_rng(start).permutation(rows)
        folds[order] = (np.arange(len(order)) + start) % n_folds
    return folds
