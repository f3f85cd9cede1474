"""Listen to each track of a collection once; what was heard is kept, and judged elsewhere."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, dataclass
from multiprocessing import get_context
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from songnet.datasets.index import CollectionIndex
from songnet.exceptions import BundleError
from songnet.inference.batch import predict_files
from songnet.inference.bundle import MUSIC_FILE, RUNTIME_FILES, Bundle
from songnet.inference.classifier import Classifier
from songnet.inference.collection import NO_AUDIO
from songnet.signal.quality import SignalQuality

__all__ = ["Failed", "Heard", "Progress", "listen", "model_digest"]

Progress = Callable[[int, int, str], None]
_PART_ROWS = 100
_worker: Classifier | None = None


@dataclass(frozen=True)
class Heard:
    """What the model heard in a track: all that its answer is judged by.

    Parameters
    ----------
    track_id, sha256 : str
        The track, and the file that was heard.
    probs, embedding : list of float
    music_probability : float, optional
    quality : SignalQuality
    duration_seconds : float
        See `songnet.inference.prediction.Prediction`.
    """

    track_id: str
    sha256: str
    probs: list[float]
    embedding: list[float]
    music_probability: float | None
    quality: SignalQuality
    duration_seconds: float


@dataclass(frozen=True)
class Failed:
    """A track without a prediction.

    Parameters
    ----------
    track_id : str
    status : str
        "rejected" or "error" (see `songnet.inference.batch.FileResult`), or
        "missing" where the audio is not there.
    error : str
        Why, in a sentence for a person.
    """

    track_id: str
    status: str
    error: str


@dataclass(frozen=True)
class _Task:
    """One track to listen to; no path where its audio is not there."""

    track_id: str
    sha256: str
    path: Path | None


def model_digest(bundle: Bundle) -> str:
    """Checksum that tells which network an embedding comes from."""
    return bundle.files[RUNTIME_FILES["litert"]]


def listen(
    index: CollectionIndex,
    classifier: Classifier,
    folder: Path,
    *,
    jobs: int = 1,
    progress: Progress | None = None,
) -> list[Heard | Failed]:
    """Listen to the tracks of a collection that were not heard before.

    What was heard is kept in ``folder`` as long as nothing changes that
    decides it: network, detector, features, temperature, and the file. What
    failed is tried again.

    Parameters
    ----------
    index : CollectionIndex
    classifier : Classifier
    folder : Path
    jobs : int
        Processes at work.
    progress : callable, optional
        Called with (tracks done, tracks, problem or "").

    Returns
    -------
    tracks : list of Heard or Failed
        In the order of the index.

    Raises
    ------
    BundleError
        If the model gives no embeddings.
    """
    parts = folder / f"parts-{_key(index, classifier.bundle)}"
    parts.mkdir(parents=True, exist_ok=True)
    found: dict[str, Heard | Failed] = {**_read_parts(parts, index)}
    tasks = [task for task in _tasks(index) if task.track_id not in found]
    waiting: list[Heard] = []
    try:
        for number, track in enumerate(_hear(tasks, classifier, jobs), start=len(found) + 1):
            found[track.track_id] = track
            problem = ""
            if isinstance(track, Heard):
                waiting.append(track)
            else:
                problem = f"{track.track_id}: {track.error}"
            if progress:
                progress(number, len(index), problem)
            if len(waiting) >= _PART_ROWS:
                _write_part(parts, waiting)
                waiting = []
    finally:
        _write_part(parts, waiting)
    for other in folder.glob("parts-*"):
        if other != parts:
            shutil.rmtree(other)
    return [found[track_id] for track_id in index.frame["track_id"]]


def _key(index: CollectionIndex, bundle: Bundle) -> str:
    """Name of all that decides what is heard, but the files."""
    model = [model_digest(bundle), bundle.files.get(MUSIC_FILE), bundle.features.hash]
    about = json.dumps([*model, bundle.temperature, index.name, str(index.root)])
    return hashlib.sha256(about.encode()).hexdigest()[:12]


def _read_parts(parts: Path, index: CollectionIndex) -> dict[str, Heard]:
    """Return what was heard of the files as they are now."""
    checksums = dict(zip(index.frame["track_id"], index.frame["sha256"], strict=True))
    return {
        row["track_id"]: Heard(**row | {"quality": SignalQuality(**row["quality"])})
        for part in sorted(parts.glob("*.parquet"))
        for row in pq.read_table(part).to_pylist()
        if row["sha256"] == checksums.get(row["track_id"])
    }


def _write_part(parts: Path, tracks: list[Heard]) -> None:
    if tracks:
        number = len(list(parts.glob("*.parquet")))
        part = parts / f"{number:06}.{os.getpid()}.part"
        pq.write_table(pa.Table.from_pylist([asdict(track) for track in tracks]), part)
        part.replace(parts / f"{number:06}.parquet")


def _tasks(index: CollectionIndex) -> Iterator[_Task]:
    ids, checksums = index.frame["track_id"], index.frame["sha256"]
    for row, (track_id, sha256) in enumerate(zip(ids, checksums, strict=True)):
        yield _Task(track_id, sha256, index.path_of(row))


def _hear(tasks: list[_Task], classifier: Classifier, jobs: int) -> Iterator[Heard | Failed]:
    if jobs == 1 or len(tasks) < 2:
        yield from (_listen_to(task, classifier) for task in tasks)
        return
    context = get_context("spawn")
    folder = classifier.bundle.folder
    with ProcessPoolExecutor(jobs, context, initializer=_open, initargs=(folder,)) as pool:
        yield from pool.map(_listen_in_worker, tasks, chunksize=4)


def _open(folder: Path) -> None:
    global _worker  # noqa: PLW0603 - one model for each process
    _worker = Classifier.load(folder)


def _listen_in_worker(task: _Task) -> Heard | Failed:
    assert _worker is not None
    return _listen_to(task, _worker)


def _listen_to(task: _Task, classifier: Classifier) -> Heard | Failed:
    if task.path is None:
        return Failed(task.track_id, "missing", NO_AUDIO)
    (result,) = predict_files(classifier, [task.path])
    prediction = result.prediction
    if prediction is None:
        return Failed(task.track_id, result.status, result.error or "")
    if prediction.embedding is None:
        raise BundleError(
            "This model gives no embeddings; export it again with this version of SongNet."
        )
    return Heard(
        track_id=task.track_id,
        sha256=task.sha256,
        probs=prediction.probs.tolist(),
        embedding=prediction.embedding.tolist(),
        music_probability=prediction.music_probability,
        quality=prediction.quality,
        duration_seconds=prediction.duration_seconds,
    )
