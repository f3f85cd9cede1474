"""Plug-ins: any model that turns sound into vectors, frozen, as input of a classifier.

A plug-in is a JSON file, for example of YAMNet as a TFLite file::

    {"name": "yamnet", "kind": "tflite", "path": "yamnet.tflite", "sr": 16000,
     "window_seconds": 0.975, "hop_seconds": 0.4875, "output": "embeddings"}
"""

from __future__ import annotations

import importlib
import importlib.util
import json
from collections.abc import Callable
from dataclasses import dataclass, fields
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from songnet.config import Config
from songnet.datasets.base import file_sha256
from songnet.exceptions import AudioTooShortError, BundleError, ParameterError
from songnet.signal.audio import Waveform

__all__ = ["KINDS", "EmbeddingConfig", "embed", "read_embedding"]

FloatArray = npt.NDArray[np.float32]
EmbedWindows = Callable[[FloatArray], FloatArray]
KINDS = ("tflite", "saved_model", "python")


@dataclass(frozen=True)
class EmbeddingConfig(Config):
    """Which model, and how a track is cut for it.

    Parameters
    ----------
    name : str
    kind : {"tflite", "saved_model", "python"}
    path : str
        TFLite file or folder of a SavedModel.
    entry_point : str
        For "python": ``module:function``. The function takes windows of shape
        (n_windows, n_samples), float32 in [-1, 1] at ``sr``, and returns
        vectors of shape (n_windows, n_values).
    sr : int
        In Hz.
    window_seconds, hop_seconds : float
        Windows of a track; the vector of the track is the mean over them.
    output : str
        Name of the output that holds the vectors; may be empty where there is
        only one.
    sha256 : str
        Of the model's files, for "python" of the module's source alone; filled
        in by `read_embedding`.
    """

    name: str
    kind: str
    path: str = ""
    entry_point: str = ""
    sr: int = 16_000
    window_seconds: float = 1.0
    hop_seconds: float = 0.5
    output: str = ""
    sha256: str = ""

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise ParameterError(f"kind is {self.kind!r}; expected one of {KINDS}.")
        needed = "entry_point" if self.kind == "python" else "path"
        if not getattr(self, needed):
            raise ParameterError(f"A plug-in of the kind {self.kind} needs {needed}.")
        if not self.name.isidentifier():
            raise ParameterError(f"name is {self.name!r}; expected letters, digits and _ only.")
        if not 0 < self.hop_seconds <= self.window_seconds:
            raise ParameterError(
                f"hop_seconds is {self.hop_seconds}; expected more than 0, at most "
                f"window_seconds = {self.window_seconds}."
            )


def read_embedding(path: Path) -> EmbeddingConfig:
    """Read a plug-in.

    Parameters
    ----------
    path : Path
        JSON file; paths in it are relative to its folder.

    Raises
    ------
    ParameterError
        If it cannot be read, or a setting is wrong.
    BundleError
        If the model that it names is not there.
    """
    try:
        values = json.loads(path.read_text(encoding="utf-8"))
        known = {field.name for field in fields(EmbeddingConfig)}
        config = EmbeddingConfig(**{k: v for k, v in values.items() if k in known})
    except (OSError, ValueError, TypeError, AttributeError) as error:
        raise ParameterError(f"{path} is not a plug-in of an embedding model: {error}") from error
    if unknown := sorted(set(values) - known):
        raise ParameterError(
            f"{path} has the settings {unknown}; expected some of {sorted(known)}."
        )
    if config.kind == "python":
        return config.replace(sha256=_module_sha256(config.entry_point))
    model = (path.parent / config.path).resolve()
    files = sorted(p for p in model.rglob("*") if p.is_file()) if model.is_dir() else [model]
    if not files or not all(file.is_file() for file in files):
        raise BundleError(f"{model}, the model of the plug-in {config.name}, is missing.")
    return config.replace(path=str(model), sha256="-".join(file_sha256(f)[:12] for f in files))


def _module_sha256(entry_point: str) -> str:
    """Hash the source of a module; what it reads itself is not seen."""
    name = entry_point.partition(":")[0]
    try:
        spec = importlib.util.find_spec(name)
    except (ImportError, ValueError):
        spec = None
    if spec is None or spec.origin is None or not Path(spec.origin).is_file():
        return ""
    return file_sha256(Path(spec.origin))[:12]


def embed(y: Waveform, *, config: EmbeddingConfig) -> FloatArray:
    """Embed a track.

    Parameters
    ----------
    y : np.ndarray [shape=(n,), dtype=float32]
        Mono audio at ``config.sr``; completed with silence to one window.
    config : EmbeddingConfig

    Returns
    -------
    vector : np.ndarray [shape=(n_values,), dtype=float32]
        Mean over the windows.

    Raises
    ------
    AudioTooShortError
        If there is no sample.
    BundleError
        If the model cannot be loaded or gives something else than vectors.
    """
    if y.size == 0:
        raise AudioTooShortError("The audio has no sample; an embedding needs some.")
    size = round(config.window_seconds * config.sr)
    hop = round(config.hop_seconds * config.sr)
    whole = np.pad(y.astype(np.float32), (0, max(0, size - y.size)))
    windows = np.lib.stride_tricks.sliding_window_view(whole, size)[::hop]
    vectors = np.asarray(_load(config)(np.ascontiguousarray(windows)))
    if vectors.ndim != 2 or len(vectors) != len(windows) or not np.isfinite(vectors).all():
        raise BundleError(
            f"The plug-in {config.name} gave values of shape {vectors.shape} for {len(windows)} "
            f"windows; expected finite ones of shape ({len(windows)}, n_values)."
        )
    mean: FloatArray = vectors.mean(axis=0).astype(np.float32)
    return mean


@lru_cache(maxsize=2)
def _load(config: EmbeddingConfig) -> EmbedWindows:
    try:
        loaders = {"tflite": _load_tflite, "saved_model": _load_saved_model}
        return loaders.get(config.kind, _load_python)(config)
    except (OSError, ValueError, RuntimeError, ImportError, AttributeError) as error:
        raise BundleError(f"The plug-in {config.name} cannot be loaded: {error}") from error


def _load_tflite(config: EmbeddingConfig) -> EmbedWindows:
    """Load a file whose input is one window, (n_samples,) or (1, n_samples)."""
    from ai_edge_litert.interpreter import Interpreter

    interpreter = Interpreter(model_path=config.path, num_threads=1)
    (source,) = interpreter.get_input_details()
    outputs = interpreter.get_output_details()
    names = [str(details["name"]) for details in outputs]
    found = [d for d, name in zip(outputs, names, strict=True) if config.output in name]
    if len(found) != 1:
        raise ValueError(f"output is {config.output!r}; expected part of one of {names}.")
    size = round(config.window_seconds * config.sr)
    shape = (size,) if len(source["shape"]) == 1 else (1, size)
    if tuple(source["shape"]) != shape:
        interpreter.resize_tensor_input(source["index"], shape)
    interpreter.allocate_tensors()

    def run(windows: FloatArray) -> FloatArray:
        vectors = []
        for window in windows:
            interpreter.set_tensor(source["index"], window.reshape(shape))
            interpreter.invoke()
            vectors.append(_one_vector(interpreter.get_tensor(found[0]["index"])))
        return np.stack(vectors)

    return run


def _load_saved_model(config: EmbeddingConfig) -> EmbedWindows:
    """Load a SavedModel whose signature takes windows, all at once or one by one."""
    import tensorflow as tf

    model = tf.saved_model.load(config.path)
    signature = model.signatures["serving_default"]
    ((name, spec),) = signature.structured_input_signature[1].items()
    takes_batch = spec.shape.rank == 2

    def call(values: FloatArray) -> FloatArray:
        outputs: dict[str, Any] = signature(**{name: tf.constant(values)})
        chosen = config.output or next(iter(outputs))
        return np.asarray(outputs[chosen].numpy())

    def run(windows: FloatArray) -> FloatArray:
        if takes_batch:
            return call(windows)
        return np.stack([_one_vector(call(window)) for window in windows])

    run.model = model  # type: ignore[attr-defined] # its variables live as long as it does
    return run


def _load_python(config: EmbeddingConfig) -> EmbedWindows:
    module, _, function = config.entry_point.partition(":")
    found: EmbedWindows = getattr(importlib.import_module(module), function)
    return found


def _one_vector(values: npt.NDArray[Any]) -> FloatArray:
    """Return (n_values,) of one window; the mean over frames, where there are frames."""
    vector: FloatArray = values.reshape(-1, values.shape[-1]).mean(axis=0)
    return vector
