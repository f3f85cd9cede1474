"""Fit an entry on tracks, keep what it learned in a folder, and predict with it."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from songnet.benchmark.deadline import Deadline
from songnet.benchmark.entries import Entry
from songnet.benchmark.inputs import Inputs, LogMels
from songnet.datasets.base import Dataset, Track
from songnet.evaluation.calibration import apply_temperature, fit_temperature
from songnet.exceptions import DatasetError
from songnet.json_text import to_plain, write_object
from songnet.signal.conditions import CLEAN, Condition

__all__ = ["Learned", "learn", "load_learned"]

FloatArray = npt.NDArray[np.float64]
_NETWORK_FOLDER = "run"


class Learned(Protocol):
    """A fitted model."""

    def predict(
        self, tracks: Sequence[Track], inputs: Inputs, condition: Condition = CLEAN
    ) -> FloatArray:
        """Probabilities of whole tracks, shape (n_tracks, n_genres)."""
        ...


@dataclass(frozen=True)
class _LearnedVectors:
    """A baseline on vectors of tracks."""

    entry: Entry
    fitted: Any

    def predict(
        self, tracks: Sequence[Track], inputs: Inputs, condition: Condition = CLEAN
    ) -> FloatArray:
        assert self.entry.vectors is not None
        probs: FloatArray = self.fitted.predict_probs(
            inputs.vectors(self.entry.vectors, tracks, condition)
        )
        return probs


@dataclass(frozen=True)
class _LearnedNetwork:
    """A network with the temperature of the artists that its training held out."""

    entry: Entry
    network: Any
    temperature: float
    store: LogMels | None = None

    def predict(
        self, tracks: Sequence[Track], inputs: Inputs, condition: Condition = CLEAN
    ) -> FloatArray:
        settings = self.entry.settings
        store = self.store or inputs.log_mels(settings.features, condition)
        return apply_temperature(_track_logits(self.network, tracks, store), self.temperature)


def learn(  # noqa: PLR0913 - what, from what, where to and until when
    entry: Entry,
    dataset: Dataset,
    *,
    inputs: Inputs,
    folder: Path,
    genres: tuple[str, ...],
    seed: int,
    store: LogMels | None = None,
    deadline: Deadline | None = None,
) -> tuple[Learned, dict[str, Any]]:
    """Fit an entry, or go on with a training that the folder holds.

    Parameters
    ----------
    entry : Entry
    dataset : Dataset
        Tracks to learn from.
    inputs : Inputs
    folder : Path
    genres : tuple of str
    seed : int
    store : LogMels, optional
        Segments in place of the stored log-mel, for a network.
    deadline : Deadline, optional

    Returns
    -------
    learned : Learned
    about : dict
        ``train_seconds``, and what was chosen or how long it trained.

    Raises
    ------
    OutOfTimeError
        If the time is up; a network's training can be resumed.
    """
    if not entry.is_network:
        return _learn_vectors(
            entry, dataset, inputs=inputs, folder=folder, genres=genres, seed=seed
        )
    return _learn_network(
        entry,
        dataset,
        inputs=inputs,
        folder=folder,
        genres=genres,
        seed=seed,
        store=store,
        deadline=deadline,
    )


def load_learned(entry: Entry, folder: Path, *, store: LogMels | None = None) -> Learned:
    """Open what `learn` left in a folder; raises DatasetError if there is nothing."""
    if entry.is_network:
        return _open_network(entry, folder, store=store)
    import joblib

    path = folder / "model.joblib"
    if not path.is_file():
        raise DatasetError(f"{path} is missing; run the study 'folds' of {entry.name} first.")
    return _LearnedVectors(entry, joblib.load(path))


def _learn_vectors(
    entry: Entry,
    dataset: Dataset,
    *,
    inputs: Inputs,
    folder: Path,
    genres: tuple[str, ...],
    seed: int,
) -> tuple[Learned, dict[str, Any]]:
    import joblib

    from songnet.models.baselines import fit_baseline

    assert entry.vectors is not None
    # Excerpts of two seconds have other statistics than whole clips: they are left out.
    tracks = [track for track in dataset if track.evaluate]
    X = inputs.vectors(entry.vectors, tracks)
    y = np.array([genres.index(track.genre) for track in tracks])
    start = time.perf_counter()
    fitted = fit_baseline(
        entry.baseline,
        X,
        y,
        groups=[track.group for track in tracks],
        n_genres=len(genres),
        seed=seed,
    )
    about = {
        "train_seconds": time.perf_counter() - start,
        "n_train": len(tracks),
        "chosen": fitted.chosen,
        "inner_accuracy": fitted.inner_accuracy,
        "temperature": fitted.temperature,
    }
    folder.mkdir(parents=True, exist_ok=True)
    joblib.dump(fitted, folder / "model.joblib")
    return _LearnedVectors(entry, fitted), about


def _learn_network(  # noqa: PLR0913 - see learn
    entry: Entry,
    dataset: Dataset,
    *,
    inputs: Inputs,
    folder: Path,
    genres: tuple[str, ...],
    seed: int,
    store: LogMels | None,
    deadline: Deadline | None,
) -> tuple[Learned, dict[str, Any]]:
    from songnet.training.run_folder import TrainSettings
    from songnet.training.train import train

    settings = entry.settings
    training = settings.training.replace(seed=seed)
    if store is not None:  # a segment is one crop already
        training = training.replace(crops_per_track=1)
    settings = TrainSettings(settings.features, settings.model, training)
    source: Any = store or inputs.log_mels(settings.features)
    clock = _Clock(folder / "seconds.json", deadline, epochs=training.epochs)
    result = train(
        dataset,
        store=source,
        run_dir=folder / _NETWORK_FOLDER,
        settings=settings,
        degraded=inputs.degraded(settings.features) if settings.training.degraded_share else None,
        genres=genres,
        progress=clock,
    )
    path = folder / "temperature.json"
    if not path.is_file():
        write_object(path, {"temperature": _fit_temperature(dataset, folder, source, genres)})
    about = {
        "train_seconds": clock.seconds,
        "n_train": len(dataset),
        "epochs": result.epochs,
        "kept_epoch": result.kept_epoch,
        "val_accuracy": result.val_accuracy,
    }
    return _open_network(entry, folder, store=store), about


class _Clock:
    """Count the time of a training over its interruptions, and end a part of it in time."""

    def __init__(self, path: Path, deadline: Deadline | None, *, epochs: int) -> None:
        self._path = path
        self._deadline = deadline
        self._epochs = epochs
        self._since = time.perf_counter()
        self.seconds: float | None = _read_number(path, "train_seconds")

    def __call__(self, done: int, total: int, _logs: dict[str, float]) -> None:
        now = time.perf_counter()
        self.seconds = (self.seconds or 0.0) + now - self._since
        self._since = now
        write_object(self._path, to_plain({"train_seconds": self.seconds}))
        # The branch of statistics has another number of epochs; it could not go on.
        if self._deadline and done < total == self._epochs:
            self._deadline.check()


def _read_number(path: Path, name: str) -> float | None:
    import json

    if not path.is_file():
        return None
    return float(json.loads(path.read_text(encoding="utf-8"))[name])


def _open_network(entry: Entry, folder: Path, *, store: LogMels | None) -> Learned:
    from songnet.models.registry import load_network, logits_network

    path = folder / _NETWORK_FOLDER / "network.keras"
    temperature = _read_number(folder / "temperature.json", "temperature")
    if not path.is_file() or temperature is None:
        raise DatasetError(f"{path} is missing; run the study 'folds' of {entry.name} first.")
    return _LearnedNetwork(entry, logits_network(load_network(path)), temperature, store)


def _fit_temperature(
    dataset: Dataset, folder: Path, store: LogMels, genres: tuple[str, ...]
) -> float:
    """Fit on the tracks that the training held out."""
    from songnet.models.registry import load_network, logits_network
    from songnet.training.run_folder import read_held_out

    run_dir = folder / _NETWORK_FOLDER
    tracks = read_held_out(run_dir, dataset)
    if not tracks:
        return 1.0
    network = logits_network(load_network(run_dir / "network.keras"))
    y_true = [genres.index(track.genre) for track in tracks]
    return fit_temperature(_track_logits(network, tracks, store), y_true)


def _track_logits(network: Any, tracks: Sequence[Track], store: LogMels) -> FloatArray:
    from songnet.training.batches import track_patches
    from songnet.training.callbacks import predict_logits

    source: Any = store
    patches = track_patches(tracks, source, hop_frames=store.config.patch_hop_frames)
    return patches.pool(predict_logits(network, patches))
