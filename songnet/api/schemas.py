"""What the API answers, as plain JSON."""

from __future__ import annotations

import json
from typing import Literal

from pydantic import BaseModel, ConfigDict

from songnet.api.problems import Problem
from songnet.datasets.recognise import TrackInfo
from songnet.inference.bundle import Bundle
from songnet.inference.prediction import Prediction, Status, Timeline
from songnet.inference.streaming import FIRST_SECONDS, StreamingClassifier

__all__ = [
    "FileAnswer",
    "LiveAnswer",
    "LiveEnd",
    "LiveError",
    "LiveReady",
    "ModelAnswer",
    "file_answer",
    "live_answer",
    "live_ready",
    "model_answer",
    "model_name",
]

Probabilities = dict[str, float]


class GenreProbability(BaseModel):
    """A genre and how probable it is."""

    genre: str
    probability: float


class Answer(BaseModel):
    """A prediction: the first six fields are those of ``songnet predict --json``.

    Genre, confidence and ``top`` are empty where there is nothing to name;
    a genre with the status "not_sure" is only the likeliest.
    """

    status: Status
    genre: str | None
    confidence: float | None
    top: list[GenreProbability]
    duration_seconds: float
    warnings: list[str]
    probs: Probabilities
    music_probability: float | None


class Window(BaseModel):
    """The genre of one stretch of a track; stretches overlap."""

    start_seconds: float
    end_seconds: float
    probs: Probabilities


class Track(BaseModel):
    """Who made a track, and how that is known; empty where it is not."""

    model_config = ConfigDict(from_attributes=True)

    found_by: str
    artist: str
    album: str
    title: str
    genre: str
    year: int | None
    licence: str
    source: str
    track_id: str


class FileAnswer(Answer):
    """A prediction of a file, who made it, and by which model."""

    model: str
    track: Track
    timeline: list[Window] | None


class Level(BaseModel):
    """Level of the last 0.3 s in dB re full scale."""

    rms_dbfs: float
    peak_dbfs: float
    is_clipped: bool


class LiveReady(BaseModel):
    """First message of a live connection: what will answer, and how often."""

    type: Literal["ready"] = "ready"
    model: str
    genres: list[str]
    first_seconds: float
    update_seconds: float


class LiveAnswer(Answer):
    """A rolling prediction: smoothed, of the sound up to ``seconds``."""

    type: Literal["prediction"] = "prediction"
    seconds: float
    level: Level


class LiveEnd(BaseModel):
    """Last message of a live connection that the client ended."""

    type: Literal["end"] = "end"
    seconds: float


class LiveError(BaseModel):
    """Last message of a live connection that cannot go on."""

    type: Literal["error"] = "error"
    problem: Problem


class Interval(BaseModel):
    """A measured value and its 95 % interval, bootstrapped over artists."""

    value: float
    low: float
    high: float


class Protocol(BaseModel):
    """How something was measured."""

    name: str
    dataset: str
    split: str


class Measured(BaseModel):
    """How good a model is on music by artists it never heard, from its report."""

    accuracy: Interval
    balanced_accuracy: Interval
    n_tracks: int
    protocol: Protocol
    seed: int
    commit: str


class ModelAnswer(BaseModel):
    """The model that answers here."""

    name: str
    version: str
    genres: list[str]
    sample_rate_hz: int
    window_seconds: float
    not_sure_below: float
    measured: Measured | None


def file_answer(
    prediction: Prediction, track: TrackInfo, *, model: str, top: int, timeline: bool
) -> FileAnswer:
    """Put the prediction of a file into the form of the API."""
    windows = _windows(prediction.timeline, prediction.genres) if timeline else None
    return FileAnswer(
        **_answer(prediction, top).model_dump(),
        model=model,
        track=Track.model_validate(track),
        timeline=windows,
    )


def live_answer(prediction: Prediction, stream: StreamingClassifier, *, top: int) -> LiveAnswer:
    """Put a rolling prediction into the form of the API."""
    return LiveAnswer(
        **_answer(prediction, top).model_dump(),
        seconds=stream.seconds_heard,
        level=Level(**vars(stream.level)),
    )


def live_ready(bundle: Bundle) -> LiveReady:
    """Say what will answer on a live connection."""
    return LiveReady(
        model=model_name(bundle),
        genres=list(bundle.genres),
        first_seconds=FIRST_SECONDS,
        update_seconds=bundle.live_hop_frames * bundle.features.frame_seconds,
    )


def model_answer(bundle: Bundle) -> ModelAnswer:
    """Describe a bundle, with the accuracy that the report beside it has."""
    path = bundle.folder / "report.json"
    report = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}
    return ModelAnswer(
        name=bundle.name,
        version=bundle.version,
        genres=list(bundle.genres),
        sample_rate_hz=bundle.features.sr,
        window_seconds=bundle.features.patch_seconds,
        not_sure_below=bundle.not_sure_below,
        measured=Measured.model_validate(report) if report else None,
    )


def model_name(bundle: Bundle) -> str:
    """Name a model and its version in one word or two."""
    return f"{bundle.name} {bundle.version}"


def _answer(prediction: Prediction, top: int) -> Answer:
    return Answer(
        **prediction.to_dict(top_k=top),
        probs=_named(prediction.genres, prediction.probs.tolist()),
        music_probability=prediction.music_probability,
    )


def _windows(timeline: Timeline, genres: tuple[str, ...]) -> list[Window]:
    rows = zip(
        timeline.start_seconds.tolist(),
        timeline.end_seconds.tolist(),
        timeline.probs.tolist(),
        strict=True,
    )
    return [
        Window(start_seconds=start, end_seconds=end, probs=_named(genres, probs))
        for start, end, probs in rows
    ]


def _named(genres: tuple[str, ...], probs: list[float]) -> Probabilities:
    return dict(zip(genres, probs, strict=True))
