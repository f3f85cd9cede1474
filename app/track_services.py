"""The cached functions of the pages Understand and Compare, as `app.services` has the others."""

from __future__ import annotations

import importlib.util
import logging
from dataclasses import dataclass
from pathlib import Path
from typing import get_args

import streamlit as st

from app import services
from app.playback import waveform_to_wav
from app.session import Clip
from app.views import PICTURES, Span, ViewData, draw_picture, loudness_view, rhythm_view
from songnet.config import FeatureConfig
from songnet.exceptions import AudioError, BundleError, DecoderFaultError
from songnet.inference.bundle import (
    RUNTIME_FILES,
    Bundle,
    RuntimeName,
    find_bundle,
)
from songnet.inference.classifier import Classifier
from songnet.inference.keras_process import predict_with_keras
from songnet.inference.prediction import Prediction
from songnet.inference.what_if import Edits, apply_edits
from songnet.signal.audio import DecodeLimits, Waveform, decode_audio, load_audio
from songnet.signal.features import mel_filterbank
from songnet.signal.loudness import Loudness, measure_loudness
from songnet.signal.rhythm import Rhythm, find_beats

__all__ = [
    "VIEWS",
    "Edited",
    "ModelChoice",
    "band_names",
    "can_explain",
    "find_models",
    "load_rhythm",
    "load_view",
    "load_waveform",
    "measure",
    "predict_edited",
    "predict_with",
]

_LOG = logging.getLogger(__name__)
_RHYTHM, _LOUDNESS = "Tempo and beats", "Loudness"
#: All views of a sound, as `load_view` computes them.
VIEWS = (*PICTURES, _RHYTHM, _LOUDNESS)


@dataclass(frozen=True)
class ModelChoice:
    """A model and the runtime that runs it.

    Parameters
    ----------
    folder : Path
    name : str
        Name and version, for a person.
    runtime : RuntimeName
    n_bytes : int
        Size of the network's file.
    """

    folder: Path
    name: str
    runtime: RuntimeName
    n_bytes: int

    @property
    def title(self) -> str:
        """What a list shows."""
        return f"{self.name}, {self.runtime}"


@dataclass(frozen=True)
class Edited:
    """An edited track: what is heard, and what the model says about it.

    Parameters
    ----------
    prediction : Prediction or AudioError
    wav : bytes
        Mono WAV at the rate of the model.
    """

    prediction: Prediction | AudioError
    wav: bytes


def load_waveform(clip: Clip, *, limits: DecodeLimits) -> Waveform:
    """Decode a clip as the model hears it.

    Parameters
    ----------
    clip : Clip
    limits : DecodeLimits

    Returns
    -------
    y : np.ndarray [shape=(n,), dtype=float32]
        Mono, at the rate of the shipped model; shared, so never to be changed.

    Raises
    ------
    AudioDecodeError, AudioTooLongError
    """
    sr = services.load_classifier().bundle.features.sr
    return _load_waveform(clip.digest, limits, sr, clip.data)


@st.cache_resource(max_entries=2, show_spinner=False)
def _load_waveform(
    digest: str,  # noqa: ARG001 - the key
    limits: DecodeLimits,
    sr: int,
    _data: bytes,
) -> Waveform:
    y, _ = load_audio(_data, sr=sr, limits=limits)
    y.setflags(write=False)
    return y


def load_rhythm(clip: Clip, *, limits: DecodeLimits) -> Rhythm:
    """Find tempo and beats of a clip; the first time of all loads librosa."""
    return _load_rhythm(clip.digest, limits, clip)


@st.cache_data(max_entries=8, show_spinner=False)
def _load_rhythm(digest: str, limits: DecodeLimits, _clip: Clip) -> Rhythm:  # noqa: ARG001
    sr = services.load_classifier().bundle.features.sr
    return find_beats(load_waveform(_clip, limits=limits), sr=sr)


def measure(clip: Clip, *, limits: DecodeLimits) -> Loudness:
    """Measure the loudness of a clip, on all its channels."""
    return _measure(clip.digest, limits, clip.data)


@st.cache_data(max_entries=8, show_spinner=False)
def _measure(digest: str, limits: DecodeLimits, _data: bytes) -> Loudness:  # noqa: ARG001 - the key
    return measure_loudness(_data, limits=limits)


def load_view(name: str, clip: Clip, *, span: Span, limits: DecodeLimits) -> ViewData:
    """Compute one of `VIEWS` of a clip between two moments.

    Parameters
    ----------
    name : str
        One of `VIEWS`.
    clip : Clip
    span : Span
    limits : DecodeLimits

    Returns
    -------
    view : ViewData
    """
    if name == _RHYTHM:
        return rhythm_view(load_rhythm(clip, limits=limits), span=span)
    if name == _LOUDNESS:
        return loudness_view(measure(clip, limits=limits), span=span)
    config = services.load_classifier().bundle.features
    return draw_picture(name, load_waveform(clip, limits=limits), config=config, span=span)


def band_names(features: FeatureConfig) -> list[str]:
    """Name each mel band by its number and the frequency at which it peaks."""
    peaks = mel_filterbank(features).argmax(axis=1) * features.sr / features.n_fft
    return [f"{i + 1}: {hz:.0f} Hz" for i, hz in enumerate(peaks)]


def predict_edited(clip: Clip, edits: Edits, *, limits: DecodeLimits) -> Edited:
    """Edit a clip and predict it again.

    Parameters
    ----------
    clip : Clip
    edits : Edits
    limits : DecodeLimits

    Returns
    -------
    edited : Edited

    Raises
    ------
    ParameterError
        If the edits do not fit the rate of the model.
    """
    return _predict_edited(clip.digest, edits, limits, clip)


@st.cache_data(max_entries=2, show_spinner=False)
def _predict_edited(digest: str, edits: Edits, limits: DecodeLimits, _clip: Clip) -> Edited:  # noqa: ARG001
    classifier = services.load_classifier()
    sr = classifier.bundle.features.sr
    y = apply_edits(load_waveform(_clip, limits=limits), edits, sr=sr)
    prediction: Prediction | AudioError
    try:
        prediction = classifier.predict_waveform(y)
    except AudioError as error:
        prediction = error
    return Edited(prediction=prediction, wav=waveform_to_wav(y, sr=sr))


def can_explain() -> bool:
    """Whether gradients can be computed: TensorFlow and ``model.keras`` are there."""
    if importlib.util.find_spec("tensorflow") is None:
        return False
    return RUNTIME_FILES["keras"] in services.load_classifier().bundle.files


def find_models() -> tuple[ModelChoice, ...]:
    """List the models beside the shipped one, with each runtime that is installed.

    Returns
    -------
    models : tuple of ModelChoice
        The shipped model first; folders that hold no whole bundle are left out.

    Raises
    ------
    BundleError
        If the shipped model is missing or was changed.
    """
    shipped = find_bundle()
    folders = sorted(path.parent for path in shipped.parent.glob("*/bundle.json"))
    folders.sort(key=lambda folder: folder != shipped)
    has_keras = importlib.util.find_spec("keras") is not None
    found = []
    for folder in folders:
        try:
            bundle = Bundle.load(folder)
        except BundleError as error:
            if folder == shipped:
                raise
            _LOG.warning("%s", error)
            continue
        for runtime in get_args(RuntimeName):
            file = RUNTIME_FILES[runtime]
            path = folder / file
            if file in bundle.files and path.is_file() and (runtime != "keras" or has_keras):
                title = f"{bundle.name} {bundle.version}"
                found.append(ModelChoice(folder, title, runtime, path.stat().st_size))
    return tuple(found)


@st.cache_resource(max_entries=4, show_spinner=False)
def _open_model(folder: Path, runtime: RuntimeName) -> Classifier:
    return Classifier.load(folder, runtime=runtime)


def predict_with(
    clip: Clip, model: ModelChoice, *, limits: DecodeLimits
) -> Prediction | AudioError:
    """Predict a clip with any model.

    Parameters
    ----------
    clip : Clip
    model : ModelChoice
    limits : DecodeLimits

    Returns
    -------
    prediction : Prediction or AudioError

    Raises
    ------
    BundleError
        If the model is missing or was changed.
    """
    try:
        return _predict_with(clip.digest, model, limits, clip.data)
    except DecoderFaultError as error:
        return error


@st.cache_data(max_entries=16, show_spinner=False)
def _predict_with(
    digest: str,  # noqa: ARG001 - the key
    model: ModelChoice,
    limits: DecodeLimits,
    _data: bytes,
) -> Prediction | AudioError:
    try:
        sr = Bundle.load(model.folder).features.sr
        decoded = decode_audio(_data, sr=sr, limits=limits)
        if model.runtime == "keras":
            prediction, _ = predict_with_keras(model.folder, decoded)
            return prediction
        return _open_model(model.folder, model.runtime).predict_decoded(decoded)
    except DecoderFaultError:
        raise
    except AudioError as error:
        return error
