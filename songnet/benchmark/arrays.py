"""Arrays of tracks under a condition: log-mel, statistics or an embedding, kept on disk.

One file a track, named by the SHA-256 of its audio, in a folder named by the
settings and the condition: an interrupted computation goes on.
"""

from __future__ import annotations

import hashlib
import os
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import soxr

from songnet.benchmark.deadline import Deadline
from songnet.config import FeatureConfig
from songnet.datasets.base import Track, file_sha256
from songnet.exceptions import AudioError, DatasetError
from songnet.models.embeddings import EmbeddingConfig, embed
from songnet.signal.audio import Waveform, load_audio
from songnet.signal.conditions import CLEAN, CONDITION_SR, Condition, apply_condition
from songnet.signal.features import log_mel
from songnet.signal.statistics import StatisticsConfig, clip_statistics

__all__ = ["ArrayStore", "Extractor", "extract", "hear"]

Extractor = StatisticsConfig | FeatureConfig | EmbeddingConfig
Progress = Callable[[int, int], None]
_PATCH_FIELDS = {"patch_frames", "patch_hop_frames"}


def hear(path: Path, *, sr: int, key: str, condition: Condition) -> Waveform:
    """Decode a track and change it as a condition says; mono at ``sr``."""
    if condition == CLEAN:
        return load_audio(path, sr=sr)[0]
    y, _ = load_audio(path, sr=CONDITION_SR)
    changed = apply_condition(y, sr=CONDITION_SR, key=key, condition=condition)
    resampled: Waveform = soxr.resample(changed, CONDITION_SR, sr).astype(np.float32)
    return resampled


def extract(y: Waveform, extractor: Extractor) -> npt.NDArray[Any]:
    """Compute what a model reads: (n_frames, n_mels) float16, or (n_values,) float32."""
    if isinstance(extractor, FeatureConfig):
        return log_mel(y, config=extractor).T.astype(np.float16)
    if isinstance(extractor, StatisticsConfig):
        return clip_statistics(y, config=extractor)
    return embed(y, config=extractor)


@dataclass(frozen=True)
class ArrayStore:
    """Arrays of tracks under one condition.

    Parameters
    ----------
    root : Path
    config : StatisticsConfig, FeatureConfig or EmbeddingConfig
    condition : Condition
    """

    root: Path
    config: Extractor
    condition: Condition = CLEAN

    @property
    def folder(self) -> Path:
        """Folder of this store; patch lengths of a FeatureConfig do not matter to it."""
        values = {k: v for k, v in self.config.to_dict().items() if k not in _PATCH_FIELDS}
        digest = hashlib.sha256(repr(values).encode()).hexdigest()[:12]
        kind = type(self.config).__name__.removesuffix("Config").lower()
        return self.root / f"{kind}-{digest}-{self.condition.name}-{self.condition.hash}"

    def path(self, track: Track) -> Path:
        """File that holds, or will hold, the array of a track."""
        sha256 = track.sha256 or file_sha256(track.path)
        return self.folder / sha256[:2] / f"{sha256}.npy"

    def load(self, track: Track) -> npt.NDArray[Any]:
        """Open the array of a track; raises DatasetError if it was not computed."""
        path = self.path(track)
        if not path.is_file():
            raise DatasetError(
                f"{track.track_id} under {self.condition.name!r} is not in {self.folder}; "
                "run `songnet benchmark run` again."
            )
        array: npt.NDArray[Any] = np.load(path, mmap_mode="r")
        return array

    def compute(
        self,
        tracks: Sequence[Track],
        *,
        jobs: int | None = None,
        deadline: Deadline | None = None,
        progress: Progress | None = None,
    ) -> None:
        """Compute what is missing, in parallel.

        Raises
        ------
        OutOfTimeError
            If ``deadline`` has passed; what was computed stays.
        DatasetError
            If tracks cannot be read.
        """
        jobs = jobs or os.cpu_count() or 1
        missing = {self.path(t): t for t in tracks if not self.path(t).is_file()}
        if not missing:
            return
        failed: dict[str, str] = {}
        done = len(tracks) - len(missing)
        with ProcessPoolExecutor(jobs, mp_context=get_context("spawn")) as pool:
            for start in range(0, len(missing), 8 * jobs):
                part = list(missing.items())[start : start + 8 * jobs]
                if deadline:
                    deadline.check()
                work = [(track.path, path, self.config, self.condition) for path, track in part]
                for (_, track), error in zip(part, pool.map(_compute_one, work), strict=True):
                    if error:
                        failed[track.track_id] = error
                done += len(part)
                if progress:
                    progress(done, len(tracks))
        if failed:
            first, reason = next(iter(failed.items()))
            raise DatasetError(f"{len(failed)} tracks cannot be read, such as {first}: {reason}")


def _compute_one(work: tuple[Path, Path, Extractor, Condition]) -> str | None:
    """Write the array of one track; return why it failed, if it did."""
    source, target, config, condition = work
    try:
        y = hear(source, sr=config.sr, key=target.stem, condition=condition)
        array = extract(y, config)
    except AudioError as error:
        return str(error)
    target.parent.mkdir(parents=True, exist_ok=True)
    part = target.with_suffix(f".{os.getpid()}.{time.monotonic_ns()}.part")
    try:
        with part.open("wb") as file:
            np.save(file, array)
        part.replace(target)
    finally:
        part.unlink(missing_ok=True)
    return None
