"""Random crops of tracks, in batches, the same ones for the same seed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from songnet.config import FeatureConfig, TrainConfig
from songnet.datasets.base import Track
from songnet.datasets.store import FeatureStore
from songnet.exceptions import ParameterError
from songnet.signal.augment import Labels, augment_batch
from songnet.signal.features import Patches, frame_patches

__all__ = [
    "Batch",
    "CropBatches",
    "TrackPatches",
    "class_weights",
    "mel_statistics",
    "track_patches",
]

Batch = tuple[Patches, Labels, npt.NDArray[np.float32]]


def class_weights(
    tracks: Sequence[Track], genres: Sequence[str], *, power: float
) -> npt.NDArray[np.float32]:
    """Weight of each genre: its frequency to the power of minus ``power``.

    Returns
    -------
    weights : np.ndarray [shape=(n_genres,), dtype=float32]
        Scaled so that the mean over the tracks is 1.
    """
    counts = Counter(track.genre for track in tracks)
    n = np.array([counts[genre] for genre in genres], np.float64)
    weights = np.where(n > 0, np.maximum(n, 1) ** -power, 0)
    scaled: npt.NDArray[np.float32] = (weights * n.sum() / (weights @ n)).astype(np.float32)
    return scaled


def mel_statistics(
    tracks: Sequence[Track], store: FeatureStore
) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.float32]]:
    """Mean and standard deviation of each mel band over the tracks, in dB.

    Returns
    -------
    mean, std : np.ndarray [shape=(n_mels,), dtype=float32]
    """
    count, total, squares = 0, 0.0, 0.0
    for track in tracks:
        S_db = store.load(track).astype(np.float64)  # (n_frames, n_mels)
        count += len(S_db)
        total = total + S_db.sum(axis=0)
        squares = squares + np.square(S_db).sum(axis=0)
    mean = np.asarray(total / count)
    std = np.sqrt(np.maximum(np.asarray(squares / count) - mean**2, 1e-6))
    return mean.astype(np.float32), std.astype(np.float32)


class CropBatches:
    """Augmented random crops of the training tracks.

    Each epoch visits every track ``crops_per_track`` times in a new order. An
    epoch is a pure function of the seed and its number, so a resumed run sees
    what the interrupted one would have seen.

    Parameters
    ----------
    tracks : sequence of Track
    genres : sequence of str
    store : FeatureStore
    config : TrainConfig
    degraded : FeatureStore, optional
        The same tracks as a microphone hears them; needed for
        ``config.degraded_share``.

    Raises
    ------
    ParameterError
        If ``degraded`` is missing.
    """

    def __init__(
        self,
        tracks: Sequence[Track],
        genres: Sequence[str],
        *,
        store: FeatureStore,
        config: TrainConfig,
        degraded: FeatureStore | None = None,
    ) -> None:
        if config.degraded_share > 0 and degraded is None:
            raise ParameterError(
                f"degraded_share is {config.degraded_share:g} and there is no store of degraded "
                "tracks; give one, or set degraded_share to 0."
            )
        self.config = config
        self.features: FeatureConfig = store.config
        self._log_mels = [store.load(track) for track in tracks]
        self._degraded = [degraded.load(track) for track in tracks] if degraded else []
        self._genre = np.array([genres.index(track.genre) for track in tracks])
        self.n_genres = len(genres)
        self._weights = class_weights(tracks, genres, power=config.class_weight_power)

    @property
    def steps(self) -> int:
        """Batches in one epoch."""
        return self.config.steps_of_epoch(len(self._log_mels))

    def epoch(self, number: int) -> Iterator[Batch]:
        """Yield the batches of one epoch.

        Parameters
        ----------
        number : int

        Yields
        ------
        X : np.ndarray [shape=(batch, patch_frames, n_mels), dtype=float32]
        targets : np.ndarray [shape=(batch, n_genres), dtype=float32]
        weights : np.ndarray [shape=(batch,), dtype=float32]
        """
        rng = np.random.default_rng([self.config.seed, number])
        order = np.concatenate(
            [rng.permutation(len(self._log_mels)) for _ in range(self.config.crops_per_track)]
        )
        size = min(self.config.batch_size, len(order))
        for start in range(0, self.steps * size, size):
            chosen = order[start : start + size]
            X = np.stack([self._crop(self._pick(index, rng), rng) for index in chosen])
            targets = np.eye(self.n_genres, dtype=np.float32)[self._genre[chosen]]
            X, targets = augment_batch(X, targets, rng, config=self.config, features=self.features)
            yield X, targets, targets @ self._weights

    def _pick(self, index: int, rng: np.random.Generator) -> npt.NDArray[np.float16]:
        is_degraded = rng.random() < self.config.degraded_share
        return (self._degraded if is_degraded else self._log_mels)[index]

    def _crop(self, S_db: npt.NDArray[np.float16], rng: np.random.Generator) -> Patches:
        wanted = self.features.patch_frames
        if rng.random() < self.config.short_share:
            wanted = int(rng.integers(wanted // 8, wanted))
        speed = 1 + rng.uniform(-self.config.stretch, self.config.stretch)
        start = int(rng.integers(0, max(1, len(S_db) - int(wanted * speed))))
        frames = start + (np.arange(wanted) * speed).astype(int)
        shift = rng.integers(-self.config.mel_shift_bands, self.config.mel_shift_bands + 1)
        bands = np.clip(np.arange(self.features.n_mels) + shift, 0, self.features.n_mels - 1)
        part = S_db[frames[frames < len(S_db)]][:, bands]
        crop = np.full(
            (self.features.patch_frames, self.features.n_mels), self.features.floor_db, np.float32
        )
        crop[: len(part)] = part
        return crop


@dataclass(frozen=True, eq=False)
class TrackPatches:
    """All patches of some tracks, cut when they are read: memory holds one batch.

    Parameters
    ----------
    log_mels : sequence of np.ndarray [shape=(n_frames, n_mels), dtype=float16]
        Of the tracks, mapped into memory.
    features : FeatureConfig
    owner : np.ndarray [shape=(n_patches,), dtype=int64]
        Index of the track of each patch.
    weight : np.ndarray [shape=(n_patches,), dtype=float64]
        Weight of the patch in the mean of its track; they sum to 1.
    """

    log_mels: Sequence[npt.NDArray[np.float16]]
    features: FeatureConfig
    owner: npt.NDArray[np.int64]
    weight: npt.NDArray[np.float64]

    def batches(self, size: int) -> Iterator[Patches]:
        """Yield the patches in their order, ``size`` at once; the last may be fewer.

        Yields
        ------
        X : np.ndarray [shape=(<= size, patch_frames, n_mels), dtype=float32]
        """
        waiting: list[Patches] = []
        for S_db in self.log_mels:
            waiting.append(frame_patches(S_db.T.astype(np.float32), config=self.features))
            if sum(map(len, waiting)) >= size:
                joined = np.concatenate(waiting)
                n_whole = len(joined) // size
                yield from np.split(joined[: n_whole * size], n_whole)
                waiting = [joined[n_whole * size :]]
        last = np.concatenate(waiting)
        if len(last):
            yield last

    def pool(self, logits: npt.NDArray[np.float32]) -> npt.NDArray[np.float64]:
        """Mean logits of each track, shape (n_tracks, n_genres)."""
        pooled = np.zeros((len(self.log_mels), logits.shape[1]))
        np.add.at(pooled, self.owner, self.weight[:, None] * logits)
        return pooled


def track_patches(tracks: Sequence[Track], store: FeatureStore, *, hop_frames: int) -> TrackPatches:
    """Cut tracks into patches as a prediction does, with a hop of ``hop_frames``."""
    features = store.config.replace(patch_hop_frames=hop_frames)
    log_mels = [store.load(track) for track in tracks]
    weights = [features.patch_weights(len(S_db)) for S_db in log_mels]
    owner = np.repeat(np.arange(len(tracks)), [len(weight) for weight in weights])
    return TrackPatches(log_mels, features, owner, np.concatenate(weights))
