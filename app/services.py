"""The only cached functions of the app.

What takes long to import is imported by the function that needs it, so that a
page shows where to drop a song before the model is there.
"""

from __future__ import annotations

import json
import logging
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import streamlit as st

from app.playback import Playback, browser_mime, transcode_to_wav
from app.session import Clip
from songnet.datasets.places import index_root
from songnet.datasets.recognise import Recogniser, TrackInfo
from songnet.exceptions import AudioError, DatasetError, DecoderFaultError
from songnet.inference.live_places import LivePlaces
from songnet.signal.audio import DecodeLimits

if TYPE_CHECKING:
    from sqlalchemy.engine import Engine

    from app.analysis import Analysis
    from app.benchmark import Results
    from app.model_facts import ModelFiles
    from app.report import ReportFigure
    from songnet.inference.classifier import Classifier
    from songnet.inference.collection import Collection

__all__ = [
    "ModelFacts",
    "analyse",
    "live_places",
    "load_benchmark",
    "load_benchmark_story",
    "load_classifier",
    "load_collection",
    "load_model_files",
    "load_recogniser",
    "make_playback",
    "open_history_database",
    "read_model_facts",
    "recognise",
]

_LOG = logging.getLogger(__name__)
_Indexes = tuple[tuple[Path, int], ...]


@dataclass(frozen=True)
class ModelFacts:
    """What the app says about its model.

    Parameters
    ----------
    name, version : str
    genres : tuple of str
    not_sure_below : float
        Confidence under which no genre is named.
    report : dict
        The Report beside the model; empty if there is none.
    """

    name: str
    version: str
    genres: tuple[str, ...]
    not_sure_below: float
    report: dict[str, Any]


@st.cache_resource(max_entries=1, show_spinner=False)
def load_classifier() -> Classifier:
    """Open the shipped model, once for all visitors.

    Raises
    ------
    BundleError
    """
    from songnet.inference.classifier import Classifier

    return Classifier.load()


@st.cache_resource(show_spinner=False)
def live_places(n_places: int, of: Literal["ears", "stations"] = "ears") -> LivePlaces:  # noqa: ARG001
    """Return the places for live listening, the same for all visitors."""
    return LivePlaces(n_places)


@st.cache_data(max_entries=1, show_spinner=False)
def read_model_facts() -> ModelFacts:
    """Read name, threshold and measured accuracy of the shipped model.

    Raises
    ------
    BundleError
    """
    from songnet.inference.bundle import Bundle, find_bundle

    bundle = Bundle.load(find_bundle())
    path = bundle.folder / "report.json"
    report = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}
    return ModelFacts(
        name=bundle.name,
        version=bundle.version,
        genres=bundle.genres,
        not_sure_below=bundle.not_sure_below,
        report=report,
    )


def analyse(clip: Clip, *, limits: DecodeLimits) -> Analysis | AudioError:
    """Name the genre of a clip and collect what the page shows about it.

    Parameters
    ----------
    clip : Clip
    limits : DecodeLimits

    Returns
    -------
    result : Analysis or AudioError
        A fault of the decoder is not cached: the file can be tried again.

    Raises
    ------
    BundleError
        If there is no model; never cached.
    """
    try:
        return _analyse(clip.digest, limits, clip.data)
    except DecoderFaultError as error:
        return error


@st.cache_data(max_entries=32, show_spinner=False)
def _analyse(digest: str, limits: DecodeLimits, _data: bytes) -> Analysis | AudioError:
    from app.analysis import analyse_audio

    try:
        return analyse_audio(_data, digest=digest, classifier=load_classifier(), limits=limits)
    except DecoderFaultError:
        raise
    except AudioError as error:
        return error


def make_playback(clip: Clip, *, codec: str, limits: DecodeLimits) -> Playback:
    """Return the clip as the browser can play it.

    Parameters
    ----------
    clip : Clip
    codec : str
    limits : DecodeLimits

    Returns
    -------
    playback : Playback
    """
    mime = browser_mime(clip.data, codec=codec)
    if mime is not None:
        return Playback(data=clip.data, mime=mime, is_copy=False)
    wav = _transcode(clip.digest, limits, clip.data)
    return Playback(data=wav, mime="audio/wav", is_copy=True)


@st.cache_data(max_entries=4, show_spinner=False)
def _transcode(digest: str, limits: DecodeLimits, _data: bytes) -> bytes:  # noqa: ARG001 - the key
    return transcode_to_wav(_data, limits=limits)


def load_collection(path: Path) -> Collection:
    """Open a built collection, once for all visitors and again when it was rebuilt.

    Parameters
    ----------
    path : Path
        One of `app.explore.find_collections`.

    Raises
    ------
    DatasetError
    """
    try:
        changed_ns = path.stat().st_mtime_ns
    except OSError as error:
        raise DatasetError(f"{path.name} is not there any more; reload the page.") from error
    return _load_collection(path, changed_ns)


@st.cache_resource(max_entries=3, show_spinner=False)
def _load_collection(path: Path, changed_ns: int) -> Collection:  # noqa: ARG001 - the key
    from songnet.datasets.index import read_index
    from songnet.inference.collection import not_heard_collection, read_collection

    try:
        if path.parent == index_root():
            return not_heard_collection(read_index(path), genres=read_model_facts().genres)
        return read_collection(path)
    except DatasetError as error:
        _LOG.warning("%s", error)
        raise DatasetError(
            "It is damaged or of another version of SongNet. Choose another one; whoever runs the "
            "app builds it again with `songnet collection build`."
        ) from error


@st.cache_resource(max_entries=1, show_spinner=False)
def open_history_database(url: str) -> Engine:
    """Connect to the database of the history, once for all visitors.

    Parameters
    ----------
    url : str

    Returns
    -------
    engine : Engine

    Raises
    ------
    HistoryError
    """
    from songnet.history.schema import open_database

    return open_database(url)


def recognise(clip: Clip) -> TrackInfo:
    """Say who made a clip: by the indexes of the data sets at hand, or else by its tags.

    Parameters
    ----------
    clip : Clip
        Its name counts only where it has exactly the form of FMA's names.
    """
    return _recognise(clip.digest, clip.name, _index_state(), clip.data)


@st.cache_data(max_entries=64, show_spinner=False)
def _recognise(
    digest: str,  # noqa: ARG001 - the key
    name: str,
    indexes: _Indexes,
    _data: bytes,
) -> TrackInfo:
    return _load_recogniser(indexes).recognise(_data, name=name)


def load_recogniser() -> Recogniser:
    """Open the indexes of the data sets at hand, again when one was written again."""
    return _load_recogniser(_index_state())


def _index_state() -> _Indexes:
    paths = sorted(index_root().glob("*.parquet"))
    return tuple((path, path.stat().st_mtime_ns) for path in paths)


@st.cache_resource(max_entries=1, show_spinner=False)
def _load_recogniser(indexes: _Indexes) -> Recogniser:
    return Recogniser([path for path, _ in indexes])


def load_benchmark(folder: Path) -> Results | None:
    """Read the results of the benchmark, again when they were written again.

    Parameters
    ----------
    folder : Path

    Raises
    ------
    ResultsError
        If a file is damaged.
    """
    return _load_benchmark(folder, _changed_ns(folder))


def load_benchmark_story(folder: Path) -> list[ReportFigure]:
    """Draw all charts of the benchmark, see `app.benchmark_story.tell_story`."""
    return _load_benchmark_story(folder, _changed_ns(folder))


def _changed_ns(folder: Path) -> int:
    return max((path.stat().st_mtime_ns for path in folder.glob("*")), default=0)


@st.cache_resource(max_entries=1, show_spinner=False)
def _load_benchmark(folder: Path, changed_ns: int) -> Results | None:  # noqa: ARG001 - the key
    from app.benchmark import read_results

    return read_results(folder)


@st.cache_resource(max_entries=1, show_spinner=False)
def _load_benchmark_story(folder: Path, changed_ns: int) -> list[ReportFigure]:
    from app.benchmark_story import tell_story

    results = _load_benchmark(folder, changed_ns)
    return tell_story(results) if results else []


def load_model_files() -> ModelFiles:
    """Read the shipped network and what was measured of it.

    Raises
    ------
    BundleError
    """
    from app.model_facts import LATENCY, MFCC
    from songnet.inference.bundle import find_bundle

    folder = find_bundle()
    paths = (*folder.glob("*.json"), LATENCY, MFCC)
    changed_ns = max((path.stat().st_mtime_ns for path in paths if path.is_file()), default=0)
    return _load_model_files(folder, changed_ns)


@st.cache_resource(max_entries=1, show_spinner=False)
def _load_model_files(folder: Path, changed_ns: int) -> ModelFiles:  # noqa: ARG001 - the key
    from app.model_facts import read_model_files

    return read_model_files(folder)
