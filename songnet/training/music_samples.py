"""Clips as the detector of music learns from them: music, other sounds, and crops of both.

Every clip counts as it is and as a microphone hears it; training crops get
another length, level and equaliser curve. What is not the sound itself (codec,
band, level, length) is thereby the same on both sides.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from songnet.config import FeatureConfig
from songnet.datasets.base import Dataset, Track
from songnet.datasets.splits import assign_folds
from songnet.datasets.store import FeatureStore
from songnet.signal.features import LogMel, log_mel
from songnet.signal.music import cut_windows
from songnet.signal.music_statistics import music_statistics
from songnet.training.sounds import GENERATED_KINDS, generate_sound

__all__ = ["MUSIC", "N_FOLDS", "Sample", "collect_samples"]

FloatArray = npt.NDArray[np.float64]
MUSIC = "music"
N_FOLDS = 5
_N_GENERATED = 40
_SHORTEST_SECONDS = 2.0
_GAIN_DB = (-25.0, 8.0)
_EQ_DB = 4.0
_QUIET_DB = 6.0
_CROPS = {MUSIC: 2, "speech": 8, "environment": 8}
_CROPS_OF_GENERATED = 2


@dataclass(frozen=True)
class Sample:
    """One clip in one condition.

    Parameters
    ----------
    kind : str
        "music", or what it is instead.
    label : str
        Genre, or what sounds.
    fold : int
    condition : str
        "clean" or "microphone".
    whole : np.ndarray [shape=(n_windows, n_statistics), dtype=float64]
        Of its windows, as `cut_windows` cuts them.
    crops : tuple of np.ndarray [shape=(n_windows, n_statistics), dtype=float64]
        Of the windows of each crop; crops have other lengths, levels and
        equaliser curves.
    """

    kind: str
    label: str
    fold: int
    condition: str
    whole: FloatArray
    crops: tuple[FloatArray, ...]


def collect_samples(
    music: Dataset,
    sounds: Dataset,
    stores: Mapping[str, FeatureStore],
    *,
    seed: int,
) -> list[Sample]:
    """Compute the statistics of all clips, and of generated sounds.

    Parameters
    ----------
    music : Dataset
        Its folds are kept; without folds it is split by artist.
    sounds : Dataset
        ``genre`` is the kind, ``group`` the recording.
    stores : mapping of str to FeatureStore
        By condition; they hold the features of both data sets.
    seed : int

    Returns
    -------
    samples : list of Sample
        Without clips that are silent throughout.
    """
    if len(music.folds) < 2:
        music = assign_folds(music, n_folds=N_FOLDS, seed=seed)
    sounds = assign_folds(sounds, n_folds=N_FOLDS, seed=seed)
    samples: list[Sample | None] = []
    for condition, store in stores.items():
        for track in (*(t for t in music if t.evaluate), *sounds):
            S_db = np.asarray(store.load(track), np.float32).T
            is_music = track.genre in music.genres
            kind, label = (MUSIC, track.genre) if is_music else (track.genre, track.title)
            rng = _rng(seed, condition, track)
            samples.append(
                _sample(S_db, kind, label, config=store.config, rng=rng, at=(track.fold, condition))
            )
    config = stores["clean"].config
    for kind in GENERATED_KINDS:
        for index in range(_N_GENERATED):
            y = generate_sound(kind, seconds=config.patch_seconds, sr=config.sr, seed=index)
            rng = np.random.default_rng([seed, index])
            S_db = log_mel(y, config=config)
            samples.append(
                _sample(S_db, kind, kind, config=config, rng=rng, at=(index % N_FOLDS, "clean"))
            )
    return [sample for sample in samples if sample is not None]


def _rng(seed: int, condition: str, track: Track) -> np.random.Generator:
    digest = hashlib.sha256(f"{seed} {condition} {track.track_id}".encode()).digest()
    return np.random.default_rng(int.from_bytes(digest[:8]))


def _sample(
    S_db: LogMel,
    kind: str,
    label: str,
    *,
    config: FeatureConfig,
    rng: np.random.Generator,
    at: tuple[int | None, str],
) -> Sample | None:
    if S_db.max() < config.floor_db + _QUIET_DB:
        return None
    n_crops = _CROPS.get(kind, _CROPS_OF_GENERATED)
    return Sample(
        kind=kind,
        label=label,
        fold=int(at[0] or 0),
        condition=at[1],
        whole=_describe(S_db, config),
        crops=tuple(_describe(_crop(S_db, config, rng), config) for _ in range(n_crops)),
    )


def _describe(S_db: LogMel, config: FeatureConfig) -> FloatArray:
    windows = cut_windows(S_db, config=config)
    return np.array([music_statistics(X, config=config) for X in windows])


def _crop(S_db: LogMel, config: FeatureConfig, rng: np.random.Generator) -> LogMel:
    """Cut a random length, from a short clip sometimes a repetition of it."""
    n_mels, n_frames = S_db.shape
    if n_frames < config.patch_frames and rng.random() < 0.5:
        S_db = np.concatenate([np.roll(S_db, rng.integers(n_frames), axis=1) for _ in range(3)], 1)
    shortest = min(round(_SHORTEST_SECONDS / config.frame_seconds), S_db.shape[1])
    longest = min(config.patch_frames, S_db.shape[1])
    size = round(np.exp(rng.uniform(np.log(shortest), np.log(longest))))
    start = rng.integers(0, S_db.shape[1] - size + 1)
    curve = np.interp(np.arange(n_mels), np.linspace(0, n_mels - 1, 5), rng.normal(0, _EQ_DB, 5))
    gain = (rng.uniform(*_GAIN_DB) + curve)[:, None]
    cropped: LogMel = np.maximum(S_db[:, start : start + size] + gain, config.floor_db).astype(
        np.float32
    )
    return cropped
