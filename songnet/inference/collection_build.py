"""Listen to a whole collection once: resumable, and no bad file stops it."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq
from scipy.special import softmax

from songnet.datasets.index import CollectionIndex
from songnet.exceptions import BundleError, DatasetError
from songnet.inference.batch import predict_files
from songnet.inference.bundle import RUNTIME_FILES, Bundle
from songnet.inference.classifier import Classifier
from songnet.inference.collection import NO_AUDIO, Collection, read_root, write_collection
from songnet.inference.embedding import EmbeddingSpace, project_map
from songnet.provenance import git_commit, versions

__all__ = ["COLLECTION_FILE", "build_collection", "model_digest", "read_out_of_fold"]

COLLECTION_FILE = "collection.parquet"
Progress = Callable[[int, int, str], None]
Row = dict[str, Any]
_PART_ROWS = 100
_worker: Classifier | None = None


@dataclass(frozen=True)
class _Task:
    """One track to listen to; no path where its audio is not there."""

    track_id: str
    sha256: str
    path: Path | None


def model_digest(bundle: Bundle) -> str:
    """Checksum that tells which network an embedding comes from."""
    return bundle.files[RUNTIME_FILES["litert"]]


def build_collection(
    index: CollectionIndex,
    classifier: Classifier,
    folder: Path,
    *,
    out_of_fold: Mapping[str, npt.NDArray[np.float64]] | None = None,
    jobs: int = 1,
    progress: Progress | None = None,
) -> Collection:
    """Predict and embed each track of a collection, and write the result.

    What was done before with the same model is kept in a folder beside the
    result, so an interrupted build goes on where it stopped, and a finished
    one takes in new tracks. What failed is tried again.

    Parameters
    ----------
    index : CollectionIndex
    classifier : Classifier
        Its bundle must give embeddings.
    folder : Path
        ``collection.parquet`` is written there.
    out_of_fold : mapping of str to np.ndarray [shape=(n_genres,)], optional
        Probabilities by track id of networks that never heard the artist;
        they replace those of the classifier. See `read_out_of_fold`.
    jobs : int
        Processes at work.
    progress : callable, optional
        Called with (tracks done, tracks, problem or "").

    Returns
    -------
    collection : Collection

    Raises
    ------
    BundleError
        If the model gives no embeddings.
    DatasetError
        If no track can be read, or the folder holds the collection of another
        place.
    """
    root = read_root(folder / COLLECTION_FILE)
    if root is not None and root.resolve() != index.root.resolve():
        raise DatasetError(
            f"{folder} holds the collection of {root}, not of {index.root}; name another folder "
            "(--to), or remove that one."
        )
    parts = _parts_folder(folder, index, model_digest(classifier.bundle))
    parts.mkdir(parents=True, exist_ok=True)
    done = _read_parts(parts, index)
    ids = index.frame["track_id"].tolist()
    todo = [row for row, track_id in enumerate(ids) if track_id not in done]
    waiting: list[Row] = []
    try:
        for number, found in enumerate(_listen(index, todo, classifier, jobs), start=1):
            waiting.append(found)
            done[found["track_id"]] = found
            if progress:
                note = f"{found['track_id']}: {found['error']}" if found["error"] else ""
                progress(len(ids) - len(todo) + number, len(ids), note)
            if len(waiting) >= _PART_ROWS:
                _write_part(parts, waiting)
                waiting = []
    finally:
        _write_part(parts, waiting)
    collection = _assemble(index, [done[i] for i in ids], classifier.bundle, out_of_fold or {})
    write_collection(collection, folder / COLLECTION_FILE)
    for other in folder.glob("parts-*"):
        if other != parts:
            shutil.rmtree(other)
    return collection


def read_out_of_fold(
    run_dir: Path, bundle: Bundle, *, runtime: str = "litert"
) -> dict[str, npt.NDArray[np.float64]]:
    """Read the predictions that `songnet evaluate` left for each fold.

    Parameters
    ----------
    run_dir : Path
        With a folder ``fold-N`` a fold.
    bundle : Bundle
        Its temperature calibrates them; its genres must be those of the run.
    runtime : str

    Returns
    -------
    probs : dict of str to np.ndarray [shape=(n_genres,), dtype=float64]

    Raises
    ------
    DatasetError
        If there are none, or they are of other genres.
    """
    from songnet.evaluation.out_of_fold import FoldPredictions

    paths = sorted(run_dir.glob("fold-*/predictions.npz"))
    if not paths:
        raise DatasetError(
            f"{run_dir} has no fold-*/predictions.npz; expected the folder of `songnet evaluate`."
        )
    found: dict[str, npt.NDArray[np.float64]] = {}
    for path in paths:
        fold = FoldPredictions.load(path)
        logits = fold.logits[runtime]
        genres = json.loads(path.with_name("run.json").read_text(encoding="utf-8"))["genres"]
        if genres != list(bundle.genres):
            raise DatasetError(
                f"{path} is of the genres {', '.join(genres)}, the model of "
                f"{', '.join(bundle.genres)}; evaluate the recipe of this model."
            )
        probs = softmax(logits / bundle.temperature, axis=1)
        found |= dict(zip(fold.track_ids.tolist(), probs, strict=True))
    return found


def _parts_folder(folder: Path, index: CollectionIndex, digest: str) -> Path:
    about = json.dumps([digest, index.name, str(index.root)])
    return folder / f"parts-{hashlib.sha256(about.encode()).hexdigest()[:12]}"


def _read_parts(parts: Path, index: CollectionIndex) -> dict[str, Row]:
    """Predictions that are there already; failures and changed files are tried again."""
    checksums = dict(zip(index.frame["track_id"], index.frame["sha256"], strict=True))
    return {
        row["track_id"]: row
        for part in sorted(parts.glob("*.parquet"))
        for row in pq.read_table(part).to_pylist()
        if row["embedding"] and row["sha256"] == checksums.get(row["track_id"])
    }


def _write_part(parts: Path, rows: list[Row]) -> None:
    if rows:
        number = len(list(parts.glob("*.parquet")))
        part = parts / f"{number:06}.{os.getpid()}.part"
        pq.write_table(pa.Table.from_pylist(rows), part)
        part.replace(parts / f"{number:06}.parquet")


def _listen(
    index: CollectionIndex, rows: list[int], classifier: Classifier, jobs: int
) -> Iterator[Row]:
    ids, checksums = index.frame["track_id"], index.frame["sha256"]
    tasks = [_Task(str(ids.iat[row]), str(checksums.iat[row]), index.path_of(row)) for row in rows]
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


def _listen_in_worker(task: _Task) -> Row:
    assert _worker is not None
    return _listen_to(task, _worker)


def _listen_to(task: _Task, classifier: Classifier) -> Row:
    if task.path is None:
        return _failed(task, "missing", NO_AUDIO)
    (result,) = predict_files(classifier, [task.path])
    prediction = result.prediction
    if prediction is None:
        return _failed(task, result.status, result.error or "")
    if prediction.embedding is None:
        raise BundleError(
            "This model gives no embeddings; export it again with this version of SongNet."
        )
    return {
        "track_id": task.track_id,
        "sha256": task.sha256,
        "status": result.status,
        "error": "",
        "duration_seconds": prediction.duration_seconds,
        "probs": prediction.probs.tolist(),
        "embedding": prediction.embedding.tolist(),
    }


def _failed(task: _Task, status: str, error: str) -> Row:
    return {
        "track_id": task.track_id,
        "sha256": task.sha256,
        "status": status,
        "error": error,
        "duration_seconds": float("nan"),
        "probs": [],
        "embedding": [],
    }


def _assemble(
    index: CollectionIndex,
    rows: list[Row],
    bundle: Bundle,
    out_of_fold: Mapping[str, npt.NDArray[np.float64]],
) -> Collection:
    """Put index, predictions, neighbours and map into one table."""
    is_read = np.array([bool(row["embedding"]) for row in rows])
    if not is_read.any():
        first = next((row["error"] for row in rows if row["error"]), "it is empty")
        raise DatasetError(f"No track of {index.name!r} could be read; the first one: {first}")
    read = np.flatnonzero(is_read)
    embeddings = np.zeros((len(rows), len(rows[read[0]]["embedding"])), dtype=np.float16)
    embeddings[read] = [rows[i]["embedding"] for i in read]
    probs = np.zeros((len(rows), len(bundle.genres)), dtype=np.float16)
    probs[read] = [out_of_fold.get(rows[i]["track_id"], rows[i]["probs"]) for i in read]
    space = EmbeddingSpace.of(embeddings[read])
    places, method = project_map(space.vectors)
    nearest, similarity = space.nearest_of_each()
    names = np.asarray(bundle.genres, dtype=object)
    basis = _basis(index, rows, bundle, out_of_fold)
    duration = index.frame["duration_seconds"].astype("float32")
    frame = index.frame.assign(
        duration_seconds=duration.fillna(
            dict(enumerate(row["duration_seconds"] for row in rows))
        ).astype("float32"),
        status=[row["status"] for row in rows],
        error=[row["error"] for row in rows],
        predicted=np.where(is_read, names[probs.argmax(axis=1)], ""),
        confidence=np.where(is_read, probs.max(axis=1).astype(np.float32), np.nan),
        basis=np.where(is_read, basis, ""),
        x=_spread(places[:, 0], read, len(rows)),
        y=_spread(places[:, 1], read, len(rows)),
        nearest=_spread(np.where(nearest >= 0, read[nearest], -1), read, len(rows), -1).astype(int),
        similarity=_spread(similarity, read, len(rows)),
    )
    return Collection(
        CollectionIndex(index.name, index.root, frame, index.citation, index.licence),
        bundle.genres,
        probs,
        embeddings,
        _facts(bundle, method),
    )


def _basis(
    index: CollectionIndex, rows: list[Row], bundle: Bundle, out_of_fold: Mapping[str, Any]
) -> list[str]:
    heard = "heard" if bundle.training.get("dataset") == index.name else "new"
    return ["out-of-fold" if row["track_id"] in out_of_fold else heard for row in rows]


def _spread(
    values: npt.NDArray[Any], rows: npt.NDArray[np.int64], n_rows: int, empty: float = np.nan
) -> npt.NDArray[np.float32]:
    spread = np.full(n_rows, empty, dtype=np.float32)
    spread[rows] = values
    return spread


def _facts(bundle: Bundle, map_method: str) -> dict[str, Any]:
    return {
        "model": bundle.name,
        "model_version": bundle.version,
        "model_sha256": model_digest(bundle),
        "model_data_hash": bundle.training.get("data_hash"),
        "map_method": map_method,
        "versions": versions(),
        "commit": git_commit(),
    }
