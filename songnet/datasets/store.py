"""Log-mel spectrograms computed once and read back memory-mapped.

They lie in the shards of a folder named by the hash of the feature settings,
by the SHA-256 of the audio: whatever was computed is never computed again, an
interrupted run goes on where it stopped, and other settings never mix.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

import numpy as np
import numpy.typing as npt

from songnet.config import FeatureConfig
from songnet.datasets.base import Track, file_sha256
from songnet.datasets.cluster import Work, compute_all
from songnet.datasets.shards import ShardReader, ShardWriter
from songnet.exceptions import DatasetError
from songnet.json_text import write_object
from songnet.signal.degrade import Degradation

__all__ = ["FeatureStore", "StoreReport"]

StoredLogMel = npt.NDArray[np.float16]
Progress = Callable[[int, int], None]
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

    @cached_property
    def _shards(self) -> ShardReader:
        return ShardReader(self.folder / "shards", width=self.config.n_mels)

    def load(self, track: Track) -> StoredLogMel:
        """Open the log-mel of a track.

        Parameters
        ----------
        track : Track

        Returns
        -------
        S_db : np.ndarray [shape=(n_frames, n_mels), dtype=float16]
            Time first, as the networks read it; read-only, a view of a file
            that is mapped into memory.

        Raises
        ------
        DatasetError
            If it was not computed.
        """
        found = self._find(_key(track))
        if found is None:
            raise DatasetError(
                f"The features of {track.track_id} are not in {self.folder}; "
                "run `songnet features` first."
            )
        return found

    def compute(
        self,
        tracks: Iterable[Track],
        *,
        jobs: int | None = None,
        scheduler: str | None = None,
        progress: Progress | None = None,
    ) -> StoreReport:
        """Compute what is missing, in parallel.

        Parameters
        ----------
        tracks : iterable of Track
        jobs : int, optional
            Processes; the number of cores if not given.
        scheduler : str, optional
            Address of a Dask scheduler; see `songnet.datasets.cluster`. What
            its workers compute is written here.
        progress : callable, optional
            Called with (done, total) after each track.

        Returns
        -------
        report : StoreReport
            Tracks that cannot be read are in ``failed``, and in
            ``failed.json`` of the folder; the others are done.
        """
        report = StoreReport()
        missing = self._missing(tracks, report)
        done = report.reused + len(report.failed)
        total = done + sum(map(len, missing.values()))
        if progress:
            progress(done, total)
        works = [
            Work(same[0].path, key, self.config, self.degradation) for key, same in missing.items()
        ]
        outcomes = compute_all(works, jobs=jobs, scheduler=scheduler)
        with ShardWriter(self.folder / "shards") as writer:
            for (key, same), outcome in zip(missing.items(), outcomes, strict=True):
                if outcome.S_db is None:
                    report.failed |= {track.track_id: outcome.problem for track in same}
                else:
                    writer.append(key, outcome.S_db)
                    report.computed += len(same)
                done += len(same)
                if progress:
                    progress(done, total)
        if report.failed:
            self.folder.mkdir(parents=True, exist_ok=True)
            write_object(self.folder / "failed.json", report.failed)
        return report

    def _missing(self, tracks: Iterable[Track], report: StoreReport) -> dict[str, list[Track]]:
        """Return the tracks to compute by their audio; note the others in the report."""
        missing: dict[str, list[Track]] = {}
        for track in tracks:
            if not track.path.is_file():
                report.failed[track.track_id] = f"{track.path} is missing."
                continue
            key = _key(track)
            if self._find(key) is None:
                missing.setdefault(key, []).append(track)
            else:
                report.reused += 1
        return missing

    def _find(self, key: str) -> StoredLogMel | None:
        found = self._shards.get(key)
        single = self.folder / key[:2] / f"{key}.npy"  # a store of version 0.1
        if found is None and single.is_file():
            found = np.load(single, mmap_mode="r")
        return found


def _key(track: Track) -> str:
    return track.sha256 or file_sha256(track.path)
