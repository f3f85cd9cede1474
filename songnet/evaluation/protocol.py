"""Cross-validation: every track predicted by a network that never saw its artist.

For each fold, a network is trained on the others, where some artists are held
out for early stopping, temperature and the "not sure" threshold; then the
fold is predicted, once. Each fold leaves its predictions in a file, so an
interrupted evaluation goes on where it stopped.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing import active_children, get_context
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from songnet.datasets.base import Dataset, Track, file_sha256
from songnet.datasets.store import FeatureStore
from songnet.evaluation.out_of_fold import FoldPredictions, summarise_folds
from songnet.evaluation.report import Report
from songnet.exceptions import DatasetError
from songnet.signal.features import frame_patches

if TYPE_CHECKING:
    from songnet.inference.runtime import Runtime
    from songnet.training.run_folder import TrainSettings

__all__ = ["DegradedStores", "FoldProgress", "cross_validate", "predict_fold"]

FloatArray = npt.NDArray[np.float64]
FoldProgress = Callable[[int], None]


@dataclass(frozen=True)
class DegradedStores:
    """Features of the tracks as a microphone hears them.

    Parameters
    ----------
    training : FeatureStore
        Crops of it are learned from.
    test : FeatureStore
        Only predicted: other rooms, and fixed conditions.
    """

    training: FeatureStore
    test: FeatureStore


def cross_validate(  # noqa: PLR0913 - data, recipe and conditions, by keyword
    dataset: Dataset,
    *,
    store: FeatureStore,
    run_dir: Path,
    settings: TrainSettings,
    twins: Dataset | None = None,
    degraded: DegradedStores | None = None,
    jobs: int = 1,
    progress: FoldProgress | None = None,
) -> Report:
    """Evaluate a recipe over all folds of a data set.

    Parameters
    ----------
    dataset : Dataset
        With folds. Tracks with ``evaluate=False`` are trained on, never scored.
    store : FeatureStore
        Features of all tracks of ``dataset`` and ``twins``.
    run_dir : Path
        One folder a fold is made in it.
    settings : TrainSettings
    twins : Dataset, optional
        The same tracks in another codec, with the same ids.
    degraded : DegradedStores, optional
        The tracks as a microphone hears them, for training and for a test.
    jobs : int
        Folds trained at the same time, one core each.
    progress : callable, optional
        Called with each fold that is done.

    Returns
    -------
    report : Report

    Raises
    ------
    DatasetError
        If the data set has fewer than two folds, or a group is in two.
    """
    _check_folds(dataset)
    predictions: list[FoldPredictions] = []
    with _fold_processes(jobs) as pool:
        futures = {
            pool.submit(
                predict_fold,
                fold,
                dataset=dataset,
                store=store,
                run_dir=run_dir / f"fold-{fold}",
                settings=settings,
                twins=twins,
                degraded=degraded,
            ): fold
            for fold in dataset.folds
        }
        for future in as_completed(futures):
            predictions.append(future.result())
            if progress:
                progress(futures[future])
    predictions.sort(key=lambda fold: fold.fold)
    return summarise_folds(
        dataset,
        predictions,
        settings=settings,
        degradation=degraded.test.degradation if degraded else None,
    )


@contextmanager
def _fold_processes(jobs: int) -> Iterator[ProcessPoolExecutor]:
    """Processes that end at once with an error or Ctrl-C here; their folds can be resumed."""
    others = set(active_children())
    with ProcessPoolExecutor(
        jobs,
        mp_context=get_context("spawn"),
        initializer=_limit_threads,
        initargs=(max(1, (os.cpu_count() or 1) // jobs),),
    ) as pool:
        try:
            yield pool
        except BaseException:  # leaving the pool waits for every fold, queued ones too
            for process in set(active_children()) - others:
                process.terminate()
            raise


def _limit_threads(threads: int) -> None:
    import tensorflow as tf

    tf.config.threading.set_intra_op_parallelism_threads(threads)
    tf.config.threading.set_inter_op_parallelism_threads(1)


def _check_folds(dataset: Dataset) -> None:
    if len(dataset.folds) < 2:
        raise DatasetError(
            f"{dataset.name!r} has the folds {dataset.folds}; cross-validation needs at least two."
        )
    fold_of: dict[str, int | None] = {}
    for track in dataset:
        if fold_of.setdefault(track.group, track.fold) != track.fold:
            raise DatasetError(
                f"The artist {track.group!r} is in two folds of {dataset.name!r}; "
                "an artist must stay on one side."
            )


def predict_fold(
    fold: int,
    *,
    dataset: Dataset,
    store: FeatureStore,
    run_dir: Path,
    settings: TrainSettings,
    twins: Dataset | None = None,
    degraded: DegradedStores | None = None,
) -> FoldPredictions:
    """Train on all folds but one and predict that one; reuses what the same network said before.

    Parameters
    ----------
    fold : int
    dataset, store, settings, twins, degraded
        See `cross_validate`.
    run_dir : Path
        Folder of this fold.
    """
    from songnet.export.tflite import RUNTIME_PRECISIONS, export_tflite
    from songnet.inference.runtime import KerasRuntime, LiteRTRuntime
    from songnet.training.run_folder import read_held_out
    from songnet.training.train import train

    genres = dataset.genres
    result = train(
        dataset.select(lambda track: track.fold != fold),
        store=store,
        run_dir=run_dir,
        settings=settings,
        degraded=degraded.training if degraded else None,
        genres=genres,
    )
    path = run_dir / "predictions.npz"
    tested = [track for track in dataset if track.fold == fold and track.evaluate]
    held_out = read_held_out(run_dir, dataset)
    made_from = _made_from(result.network, (*tested, *held_out), twins, degraded)
    if path.is_file() and (found := FoldPredictions.load(path)).made_from == made_from:
        return found
    keras_runtime = KerasRuntime(result.network)
    runtimes: dict[str, Runtime] = {"keras": keras_runtime}
    for name, precision in RUNTIME_PRECISIONS.items():
        lite = run_dir / f"model_{precision}.tflite"
        export_tflite(keras_runtime.model, lite, features=settings.features, precision=precision)
        runtimes[name] = LiteRTRuntime(lite)
    in_other_codec = [track for track in twins or () if track.fold == fold]
    predictions = FoldPredictions(
        fold=fold,
        track_ids=_ids(tested),
        logits={
            name: _track_logits(runtime, tested, store, n_genres=len(genres))
            for name, runtime in runtimes.items()
        },
        held_out_ids=_ids(held_out),
        held_out_logits=_track_logits(keras_runtime, held_out, store, n_genres=len(genres)),
        twin_ids=_ids(in_other_codec),
        twin_logits=_track_logits(keras_runtime, in_other_codec, store, n_genres=len(genres)),
        degraded_logits=_track_logits(keras_runtime, tested, degraded.test, n_genres=len(genres))
        if degraded
        else None,
        made_from=made_from,
    )
    predictions.save(path)
    return predictions


def _made_from(
    network: Path,
    predicted: tuple[Track, ...],
    twins: Dataset | None,
    degraded: DegradedStores | None,
) -> str:
    """Name a network and all that it hears."""
    degradation = degraded.test.degradation if degraded else None
    heard = (
        Dataset("predicted", predicted).hash,
        twins.hash if twins else "",
        degradation.hash if degradation else "",
    )
    return "-".join((file_sha256(network), *heard))


def _ids(tracks: Sequence[Track]) -> npt.NDArray[np.str_]:
    return np.array([track.track_id for track in tracks], dtype=np.str_)


def _track_logits(
    runtime: Runtime, tracks: Sequence[Track], store: FeatureStore, *, n_genres: int
) -> FloatArray:
    logits = np.zeros((len(tracks), n_genres))
    for row, track in zip(logits, tracks, strict=True):
        S_db = store.load(track).T.astype(np.float32)
        patches = frame_patches(S_db, config=store.config)
        row[:] = store.config.patch_weights(S_db.shape[1]) @ runtime.predict(patches).logits
    return logits
