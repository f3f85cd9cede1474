"""Keras callbacks: dropout by epoch, validation on whole tracks, and a state to resume from."""

from __future__ import annotations

import csv
import math
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import keras
import numpy as np
import numpy.typing as npt
from scipy.special import logsumexp

from songnet.training.batches import TrackPatches

__all__ = ["EpochSeeds", "Progress", "ResumedEarlyStopping", "RunState", "TrackValidation"]

Progress = Callable[[int, int, dict[str, float]], None]


class EpochSeeds(keras.callbacks.Callback):
    """Seed each layer that draws, such as dropout, anew for each epoch.

    Keras does not save the state of its seed generators. So an epoch is a pure
    function of the seed and its number, as the crops of `CropBatches` are.

    Parameters
    ----------
    seed : int
    """

    def __init__(self, seed: int) -> None:
        super().__init__()
        self._seed = seed

    def on_epoch_begin(self, epoch: int, _logs: dict[str, Any] | None = None) -> None:
        """Set the states of the generators, which have their place among the variables."""
        states = [v for v in self.model.variables if v.name == "seed_generator_state"]
        for index, state in enumerate(states):
            drawn = np.random.SeedSequence([self._seed, index, epoch])
            state.assign(drawn.generate_state(2))


class TrackValidation(keras.callbacks.Callback):
    """Add ``val_loss`` and ``val_accuracy`` of whole tracks to the logs.

    Comes before every callback that reads them.

    Parameters
    ----------
    patches : TrackPatches
    y_true : np.ndarray [shape=(n_tracks,), dtype=int64]
    """

    def __init__(self, patches: TrackPatches, y_true: npt.NDArray[np.int64]) -> None:
        super().__init__()
        self._patches = patches
        self._y_true = y_true

    def on_epoch_end(self, _epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Predict the held-out tracks."""
        if logs is not None:
            logs.update(self.measure(self.model))

    def measure(self, network: keras.Model) -> dict[str, float]:
        """Return ``val_loss`` and ``val_accuracy`` of a network that gives logits."""
        logits = self._patches.pool(predict_logits(network, self._patches))
        rows = np.arange(len(logits))
        losses = logsumexp(logits, axis=1) - logits[rows, self._y_true]
        return {
            "val_loss": float(losses.mean()),
            "val_accuracy": float(np.mean(logits.argmax(axis=1) == self._y_true)),
        }


def predict_logits(
    network: keras.Model, patches: TrackPatches, *, batch_size: int = 128
) -> npt.NDArray[np.float32]:
    """Run a network that gives logits over patches, shape (n_patches, n_genres)."""
    return np.concatenate(
        [np.asarray(network.predict_on_batch(X)) for X in patches.batches(batch_size)]
    )


class ResumedEarlyStopping(keras.callbacks.EarlyStopping):
    """`keras.callbacks.EarlyStopping` that has seen the epochs of an earlier part.

    Parameters
    ----------
    history : list of dict
        Logs of the epochs before this part of the run.
    patience : int
    restarts : sequence of int
        Epochs after which it begins anew, for the loss rises with the rate.
    """

    def __init__(
        self, history: list[dict[str, float]], *, patience: int, restarts: Sequence[int] = ()
    ) -> None:
        super().__init__(monitor="val_loss", mode="min", patience=patience)
        self._restarts = restarts
        begin = max((epoch for epoch in restarts if epoch <= len(history)), default=0)
        self._before = [row["val_loss"] for row in history[begin:]]

    @property
    def is_over(self) -> bool:
        """The earlier part already ended for want of progress."""
        return bool(self._before) and self._stale_epochs() >= self.patience

    def _stale_epochs(self) -> int:
        return len(self._before) - 1 - int(np.argmin(self._before))

    def on_train_begin(self, logs: dict[str, Any] | None = None) -> None:
        """Start from the best loss and the wait of the earlier part."""
        super().on_train_begin(logs)
        if self._before:
            self.best = min(self._before)
            self.wait = self._stale_epochs()

    def on_epoch_begin(self, epoch: int, _logs: dict[str, Any] | None = None) -> None:
        """Forget the cycle before a restart."""
        if epoch in self._restarts:
            self.best, self.wait = math.inf, 0


class RunState(keras.callbacks.Callback):
    """Save the history, the best network and the last one, with its optimiser, after each epoch.

    Parameters
    ----------
    run_dir : Path
    history : list of dict
        Logs of earlier epochs; new ones are appended to this list.
    total : int
        Epochs at most.
    progress : callable, optional
    """

    def __init__(
        self,
        run_dir: Path,
        history: list[dict[str, float]],
        *,
        total: int,
        progress: Progress | None = None,
    ) -> None:
        super().__init__()
        self._run_dir = run_dir
        self._history = history
        self._total = total
        self._progress = progress

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Write the files of the run; a kill leaves the old ones whole.

        ``state.keras`` is the last: an epoch that it does not know is repeated.
        """
        best = min((row["val_loss"] for row in self._history), default=math.inf)
        row = {"epoch": float(epoch + 1)} | {k: float(v) for k, v in (logs or {}).items()}
        self._history.append(row)
        table = self._run_dir / "history.part"
        with table.open("w", newline="", encoding="utf-8") as file:
            writer = csv.DictWriter(file, fieldnames=list(row))
            writer.writeheader()
            writer.writerows(self._history)
        table.replace(self._run_dir / "history.csv")
        if row["val_loss"] < best:
            self._save_network("best")
        self._save_network("state")
        if self._progress:
            self._progress(epoch + 1, self._total, row)

    def _save_network(self, name: str) -> None:
        part = self._run_dir / f"{name}.part.keras"
        self.model.save(part)
        part.replace(self._run_dir / f"{name}.keras")
