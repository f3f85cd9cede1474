"""What a model costs: size, operations, time for a track and for a window, memory, training.

Each model is measured in a process of its own, so that the peak of one is not
that of another; Keras and LiteRT apart, on one thread. A network is measured
as it is built, untrained: the values of its weights cost nothing. Its training
is one step, times the steps of the recipe, without what makes the crops; that
of a classifier is its fit, without the search for its hyperparameters.
"""

from __future__ import annotations

import os
import platform
import re
import resource
import sys
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from songnet.benchmark.entries import Entry
from songnet.config import TrainConfig

if TYPE_CHECKING:
    import keras

__all__ = ["TrainingData", "measure_cost"]

_WARM_UP, _REPEATS = 2, 50
_STEPS = 5
_TRACK_SECONDS = 30.0
_KERAS, _LITE = "network.keras", "model.tflite"
_THREAD_VARIABLES = (
    "OMP_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "TF_NUM_INTRAOP_THREADS",
    "TF_NUM_INTEROP_THREADS",
)


@dataclass(frozen=True)
class TrainingData:
    """What the models of one fold learn from.

    Parameters
    ----------
    n_tracks : int
        That a network sees in an epoch.
    n_genres : int
    X : np.ndarray [shape=(n_tracks, n_features), dtype=float32], optional
        Vectors of whole tracks, for a classifier.
    y : np.ndarray [shape=(n_tracks,), dtype=int64], optional
        Their genres.
    """

    n_tracks: int
    n_genres: int
    X: npt.NDArray[np.float32] | None = None
    y: npt.NDArray[np.int64] | None = None


def measure_cost(entry: Entry, folder: Path, track: Path, data: TrainingData) -> dict[str, Any]:
    """Measure an entry in processes of its own.

    Parameters
    ----------
    entry : Entry
    folder : Path
        What `songnet.benchmark.learners.learn` left of a classifier.
    track : Path
        Audio of a track; repeated or cut to 30 s.
    data : TrainingData

    Returns
    -------
    cost : dict
        ``parameters``, ``weights_bytes``, ``macs`` of one window, and
        ``runtimes``: for each its latency in ms of a 30 s track (decoded
        already) and of a window, p50 and p95, and its peak memory in MiB.
        ``train_seconds`` of a fold, of all epochs of the recipe.
    """
    runtimes = ("keras", "litert") if entry.is_network else ("scikit-learn",)
    sizes: dict[str, Any] = {}
    measured: dict[str, Any] = {}
    with tempfile.TemporaryDirectory() as temporary:
        if entry.is_network:
            folder = Path(temporary)
            sizes = _in_own_process(_build_network, entry, folder, data.n_genres)
        sizes["train_seconds"] = _in_own_process(_measure_training, entry, folder, data)
        for runtime in runtimes:
            measured[runtime] = _in_own_process(_measure_runtime, runtime, entry, folder, track)
    if not entry.is_network:
        path = folder / "model.joblib"
        sizes |= {"parameters": None, "macs": None, "weights_bytes": path.stat().st_size}
    machine = {"cores": os.cpu_count(), "machine": platform.machine(), "threads": 1}
    return {**sizes, "runtimes": measured, "machine": machine, "load": os.getloadavg()[0]}


def _in_own_process(function: Callable[..., Any], *args: Any) -> Any:
    """Call a function in a new process whose libraries use one thread each.

    They read the variables when they are loaded, which is before the function is called.
    """
    before = dict(os.environ)
    os.environ |= dict.fromkeys(_THREAD_VARIABLES, "1")
    try:
        with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
            return pool.submit(function, *args).result()
    finally:
        os.environ.clear()
        os.environ |= before


def _build_network(entry: Entry, folder: Path, n_genres: int) -> dict[str, Any]:
    """Count a network and write it for Keras and as a TFLite file."""
    from songnet.export.layers import count_macs
    from songnet.export.tflite import export_tflite
    from songnet.models.registry import load_network
    from songnet.models.statistics_branch import join_branches

    features = entry.settings.features
    network, branch = _build_parts(entry, n_genres)
    if branch is not None:
        network = join_branches(network, branch)
    network.save(folder / _KERAS)
    network = load_network(folder / _KERAS)  # only a saved one forgets where its parts came from
    lite = folder / _LITE
    export_tflite(network, lite, features=features, precision="fp32")
    return {
        "parameters": int(network.count_params()),
        "macs": count_macs(network, (features.patch_frames, features.n_mels)),
        "weights_bytes": lite.stat().st_size,
    }


def _build_parts(entry: Entry, n_genres: int) -> tuple[keras.Model, keras.Model | None]:
    """Build a network, and SongNet's statistics branch, with made-up means: no data is read."""
    from songnet.models.registry import has_statistics_branch, network_builder
    from songnet.models.statistics_branch import build_statistics_branch, clip_statistics

    features, model = entry.settings.features, entry.settings.model
    network = network_builder(model)(
        model,
        n_mels=features.n_mels,
        n_classes=n_genres,
        mean=np.full(features.n_mels, -30, np.float32),
        std=np.full(features.n_mels, 12, np.float32),
    )
    if not has_statistics_branch(model):
        return network, None
    n_statistics = clip_statistics(features).output_shape[-1]
    branch = build_statistics_branch(
        features,
        units=model.statistics_units,
        n_classes=n_genres,
        mean=np.linspace(-1, 1, n_statistics, dtype=np.float32),
        std=np.linspace(1, 2, n_statistics, dtype=np.float32),
    )
    return network, branch


def _measure_training(entry: Entry, folder: Path, data: TrainingData) -> float:
    """Seconds that a fold's training takes, as the head of this module says."""
    if not entry.is_network:
        return _fit_seconds(folder, data)
    from songnet.models.registry import logits_network
    from songnet.training.statistics_branch import branch_recipe

    recipe = entry.settings.training
    network, branch = _build_parts(entry, data.n_genres)
    seconds = _steps_seconds(logits_network(network), recipe, entry, data)
    if branch is not None:
        seconds += _steps_seconds(branch, branch_recipe(recipe), entry, data)
    return seconds


def _fit_seconds(folder: Path, data: TrainingData) -> float:
    import joblib

    from songnet.models.baselines import refit

    assert data.X is not None
    assert data.y is not None
    fitted = joblib.load(folder / "model.joblib")
    start = time.perf_counter()
    refit(fitted, data.X, data.y)
    return time.perf_counter() - start


def _steps_seconds(
    network: keras.Model, recipe: TrainConfig, entry: Entry, data: TrainingData
) -> float:
    from songnet.training.fitting import compile_network

    features = entry.settings.features
    steps = recipe.steps_of_epoch(data.n_tracks)
    compile_network(network, recipe, steps=steps, global_clipnorm=1.0)
    rng = np.random.default_rng(0)
    shape = (recipe.batch_size, features.patch_frames, features.n_mels)
    X = rng.normal(-30, 12, shape).astype(np.float32)
    targets = np.eye(data.n_genres, dtype=np.float32)[rng.integers(data.n_genres, size=len(X))]
    step_ms = _latency_ms(lambda: network.train_on_batch(X, targets), repeats=_STEPS)["p50"]
    return step_ms / 1000 * steps * recipe.epochs


def _measure_runtime(runtime: str, entry: Entry, folder: Path, track: Path) -> dict[str, Any]:
    calls = _network_calls if entry.is_network else _vector_calls
    whole, window = calls(runtime, entry, folder, track)
    return {
        "track_ms": _latency_ms(whole, repeats=_REPEATS),
        "window_ms": _latency_ms(window, repeats=_REPEATS) if window else None,
        "peak_mib": _peak_mib(),
    }


def _vector_calls(
    _runtime: str, entry: Entry, folder: Path, track: Path
) -> tuple[Callable[[], Any], None]:
    import joblib

    from songnet.benchmark.arrays import extract

    fitted = joblib.load(folder / "model.joblib")
    extractor = entry.vectors
    assert extractor is not None
    y = _thirty_seconds(track, extractor.sr)

    def predict() -> Any:
        array = np.asarray(extract(y, extractor), np.float32)
        vector = array.mean(axis=0) if array.ndim == 2 else array
        return fitted.predict_probs(vector[None])

    return predict, None


def _network_calls(
    runtime: str, entry: Entry, folder: Path, track: Path
) -> tuple[Callable[[], Any], Callable[[], Any]]:
    from songnet.inference.runtime import KerasRuntime, LiteRTRuntime, Runtime
    from songnet.signal.features import frame_patches, log_mel

    features = entry.features  # not its settings: they would load TensorFlow beside LiteRT
    assert features is not None
    is_keras = runtime == "keras"
    network: Runtime = KerasRuntime(folder / _KERAS) if is_keras else LiteRTRuntime(folder / _LITE)
    y = _thirty_seconds(track, features.sr)
    one = frame_patches(log_mel(y, config=features), config=features)[:1]

    def predict() -> Any:
        return network.predict(frame_patches(log_mel(y, config=features), config=features))

    return predict, lambda: network.predict(one)


def _thirty_seconds(track: Path, sr: int) -> Any:
    from songnet.signal.audio import load_audio

    y, _ = load_audio(track, sr=sr)
    return np.resize(y, round(_TRACK_SECONDS * sr))


def _latency_ms(call: Callable[[], Any], *, repeats: int) -> dict[str, float]:
    for _ in range(_WARM_UP):
        call()
    seconds = []
    for _ in range(repeats):
        start = time.perf_counter()
        call()
        seconds.append(time.perf_counter() - start)
    p50, p95 = np.quantile(seconds, [0.5, 0.95]) * 1000
    return {"p50": float(p50), "p95": float(p95)}


def _peak_mib() -> float:
    """Peak resident memory of this process.

    On Linux `getrusage` begins with the peak of the process that started this one.
    """
    status = Path("/proc/self/status")
    if status.is_file():
        found = re.search(r"VmHWM:\s+(\d+) kB", status.read_text(encoding="ascii"))
        if found:
            return int(found[1]) / 2**10
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / (2**20 if sys.platform == "darwin" else 2**10)
