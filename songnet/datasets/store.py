"""Log-mel spectrograms computed once and read back memory-mapped.

One ``.npy`` file a track, named by the SHA-256 of its audio, in a folder
named by the hash of the feature settings: whatever was computed is never
computed again, an interrupted run goes on where it stopped, and other
settings never mix.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Iterable
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass, field
from multiprocessing import get_context
from pathlib import Path

import numpy as np
import numpy.typing as npt

from songnet.config import FeatureConfig
from songnet.datasets.base import Track, file_sha256
from songnet.exceptions import AudioError, DatasetError
from songnet.signal.audio import load_audio
from songnet.signal.degrade import Degradation, degrade
from songnet.signal.features import log_mel

__all__ = ["FeatureStore", "StoreReport"]

StoredLogMel = npt.NDArray[np.float16]
_SIGNAL_FIELDS = ("sr", "n_fft", "hop_length", "n_mels", "fmin", "fmax", "floor_db")


@dataclass
class StoreReport:
    """What one run of `FeatureStore.compute` did.

    Parameters
    ----------
    computed, reused : int
    failed : dict of str to str
        Track id and reason of each track that could not be read.
    """

    computed: int = 0
    reused: int = 0
    failed: dict[str, str] = field(default_factory=dict)


class FeatureStore:
    """A folder of log-mel spectrograms.

    Parameters
    ----------
    root : Path
        Folder of all stores; this one is ``root / <hash>``.
    config : FeatureConfig
        Only what changes the spectrogram is part of the hash, so other patch
        lengths share one store.
    degradation : Degradation, optional
        Store the tracks as a microphone would hear them, in a folder of its own.
    """

    def __init__(
        self, root: Path, config: FeatureConfig, *, degradation: Degradation | None = None
    ) -> None:
        self.config = config
        self.degradation = degradation
        values = {name: getattr(config, name) for name in _SIGNAL_FIELDS}
        name = hashlib.sha256(repr(values).encode()).hexdigest()[:12]
        self.folder = root / (f"{name}-{degradation.hash}" if degradation else name)

    def path(self, track: Track) -> Path:
        """File that holds, or will hold, the features of a track."""
        sha256 = track.sha256 or file_sha256(track.path)
        return self.folder / sha256[:2] / f"{sha256}.npy"

    def load(self, track: Track) -> StoredLogMel:
        """Open the log-mel of a track.

        Parameters
        ----------
        track : Track

        Returns
        -------
        S_db : np.memmap [shape=(n_frames, n_mels), dtype=float16]
            Time first, as the networks read it.

        Raises
        ------
        DatasetError
            If it was not computed.
        """
        path = self.path(track)
        if not path.is_file():
            raise DatasetError(
                f"The features of {track.track_id} are not in {self.folder}; "
                "run `songnet features` first."
            )
        stored: StoredLogMel = np.load(path, mmap_mode="r")
        return stored

    def compute(
        self,
        tracks: Iterable[Track],
        *,
        jobs: int | None = None,
        progress: Callable[[int, int], None] | None = None,
    ) -> StoreReport:
        """Compute what is missing, in parallel.

        Parameters
        ----------
        tracks : iterable of Track
        jobs : int, optional
            Processes; the number of cores if not given.
        progress : callable, optional
            Called with (done, total) after each track.

        Returns
        -------
        report : StoreReport
            Tracks that cannot be read are in ``failed``; the others are done.
        """
        report = StoreReport()
        missing: dict[Path, Track] = {}
        total = 0
        for track in tracks:
            total += 1
            if not track.path.is_file():
                report.failed[track.track_id] = f"{track.path} is missing."
                continue
            path = self.path(track)
            if path.is_file():
                report.reused += 1
            else:
                missing[path] = track
        done = total - len(missing)
        if progress:
            progress(done, total)
        if not missing:
            return report
        context = get_context("spawn")
        with ProcessPoolExecutor(jobs or os.cpu_count(), mp_context=context) as pool:
            futures = {
                pool.submit(_compute_one, track.path, path, self.config, self.degradation): track
                for path, track in missing.items()
            }
            for future in as_completed(futures):
                error = future.result()
                if error is None:
                    report.computed += 1
                else:
                    report.failed[futures[future].track_id] = error
                done += 1
                if progress:
                    progress(done, total)
        return report


def _compute_one(
    source: Path, target: Path, config: FeatureConfig, degradation: Degradation | None
) -> str | None:
    """Write the features of one file; return why it failed, if it did."""
    try:
        y, _ = load_audio(source, sr=config.sr)
        if degradation:
            y = degrade(y, sr=config.sr, key=target.stem, settings=degradation)
        S_db = log_mel(y, config=config)
    except AudioError as error:
        return str(error)
    target.parent.mkdir(parents=True, exist_ok=True)
    part = target.with_suffix(f".{os.getpid()}.part")
    try:
        with part.open("wb") as file:
            np.save(file, S_db.T.astype(np.float16))
        part.replace(target)
    finally:
        part.unlink(missing_ok=True)
    return None
