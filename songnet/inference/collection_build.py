"""Build a collection: listen to it, judge what was heard, place it on a map."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.special import softmax

from songnet.datasets.index import CollectionIndex
from songnet.exceptions import DatasetError
from songnet.inference.bundle import Bundle
from songnet.inference.classifier import Classifier
from songnet.inference.collection import Basis, Collection, read_root, write_collection
from songnet.inference.collection_listen import Failed, Heard, Progress, listen, model_digest
from songnet.inference.embedding import EmbeddingSpace, MapMethod, project_map
from songnet.inference.trust import judge
from songnet.provenance import git_commit, versions

__all__ = ["COLLECTION_FILE", "build_collection", "read_out_of_fold"]

COLLECTION_FILE = "collection.parquet"
FloatArray = npt.NDArray[np.float64]


def build_collection(
    index: CollectionIndex,
    classifier: Classifier,
    folder: Path,
    *,
    out_of_fold: Mapping[str, FloatArray] | None = None,
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
    tracks = listen(index, classifier, folder, jobs=jobs, progress=progress)
    collection = _assemble(index, tracks, classifier, out_of_fold or {})
    write_collection(collection, folder / COLLECTION_FILE)
    return collection


def read_out_of_fold(
    run_dir: Path, bundle: Bundle, *, runtime: str = "litert"
) -> dict[str, FloatArray]:
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
    found: dict[str, FloatArray] = {}
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


class _Answer(NamedTuple):
    """What the table says of a track; see `songnet.inference.collection.RESULTS`."""

    status: str
    error: str = ""
    predicted: str = ""
    confidence: float = math.nan
    basis: Basis = ""


def _assemble(
    index: CollectionIndex,
    tracks: list[Heard | Failed],
    classifier: Classifier,
    out_of_fold: Mapping[str, FloatArray],
) -> Collection:
    """Put index, answers, map and neighbours into one table."""
    heard = {row: track for row, track in enumerate(tracks) if isinstance(track, Heard)}
    if not heard:
        first = next((track.error for track in tracks if isinstance(track, Failed)), "it is empty")
        raise DatasetError(f"No track of {index.name!r} could be read; the first one: {first}")
    bundle, rows = classifier.bundle, list(heard)
    probs = np.zeros((len(tracks), len(bundle.genres)), np.float16)
    probs[rows] = [out_of_fold.get(track.track_id, track.probs) for track in heard.values()]
    embeddings = np.zeros((len(tracks), len(heard[rows[0]].embedding)), np.float16)
    embeddings[rows] = [track.embedding for track in heard.values()]
    basis = _basis(index, bundle)
    answers = [
        _answer(
            track,
            probs[row],
            classifier,
            basis="out-of-fold" if track.track_id in out_of_fold else basis,
        )
        for row, track in enumerate(tracks)
    ]
    places, method = _places(embeddings[rows], rows)
    seconds = pd.Series({row: track.duration_seconds for row, track in heard.items()})
    frame = pd.concat(
        [index.frame, pd.DataFrame(answers), places.reindex(range(len(tracks)))], axis=1
    )
    frame = frame.assign(
        duration_seconds=frame["duration_seconds"].fillna(seconds).astype(np.float32),
        confidence=frame["confidence"].astype(np.float32),
        nearest=frame["nearest"].fillna(-1).astype(np.int32),
    )
    return Collection(
        replace(index, frame=frame), bundle.genres, probs, embeddings, _facts(bundle, method)
    )


def _answer(
    track: Heard | Failed,
    probs: npt.NDArray[np.float16],
    classifier: Classifier,
    *,
    basis: Basis,
) -> _Answer:
    """Judge a track by its probabilities, as the classifier does."""
    if isinstance(track, Failed):
        return _Answer(track.status, track.error)
    confidence = float(probs.max())
    status = judge(
        track.quality,
        confidence=confidence,
        music_probability=track.music_probability,
        thresholds=classifier.thresholds,
    )
    return _Answer(status, "", classifier.genres[int(probs.argmax())], confidence, basis)


def _basis(index: CollectionIndex, bundle: Bundle) -> Basis:
    """Whether the network learned from exactly these tracks, whatever they are called."""
    try:
        learned_from_it = index.to_dataset().hash == bundle.training.get("data_hash")
    except DatasetError:  # there is no genre to learn
        return "new"
    return "heard" if learned_from_it else "new"


def _places(embeddings: npt.NDArray[np.float16], rows: list[int]) -> tuple[pd.DataFrame, MapMethod]:
    """Return map and nearest tracks of the rows that were heard."""
    space = EmbeddingSpace.of(embeddings)
    places, method = project_map(space.vectors)
    nearest, similarity = space.nearest_of_each()
    columns = {
        "x": places[:, 0],
        "y": places[:, 1],
        "nearest": np.where(nearest >= 0, np.asarray(rows)[nearest], -1),
        "similarity": similarity,
    }
    return pd.DataFrame(columns, index=rows), method


def _facts(bundle: Bundle, map_method: MapMethod) -> dict[str, Any]:
    return {
        "model": bundle.name,
        "model_version": bundle.version,
        "model_sha256": model_digest(bundle),
        "model_data_hash": bundle.training.get("data_hash"),
        "map_method": map_method,
        "versions": versions(),
        "commit": git_commit(),
    }
