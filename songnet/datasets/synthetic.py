"""Generated music of four made-up genres, for tests and a smoke training.

The genres differ by rhythm, harmony and timbre; the artists of a genre by
tempo, key and brightness. A small network tells them apart in a few epochs.
"""

from __future__ import annotations

import csv
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import soundfile as sf

from songnet.datasets.base import Dataset, Track, file_sha256
from songnet.exceptions import DatasetError, ParameterError

__all__ = ["generate_synthetic", "load_synthetic"]

_SR = 16_000
_N_FOLDS = 5
_INDEX = "index.csv"
_COLUMNS = ("track_id", "file", "genre", "group", "fold", "seconds", "sha256")
_Samples = npt.NDArray[np.float64]


@dataclass(frozen=True)
class _Style:
    """What the tracks of an artist share."""

    beats_per_minute: float
    root_hz: float
    brightness: float


def generate_synthetic(
    root: Path, *, tracks_per_genre: int = 20, seconds: float = 6.0, seed: int = 0
) -> Dataset:
    """Write a data set of generated tracks, with its index.

    Parameters
    ----------
    root : Path
        Folder to fill.
    tracks_per_genre : int
        At least five, for five artists; each artist is one fold of its genre.
    seconds : float
        Length of each track.
    seed : int
        The same seed gives the same samples.

    Returns
    -------
    dataset : Dataset

    Raises
    ------
    ParameterError
        If a number is too small.
    """
    if tracks_per_genre < _N_FOLDS or seconds <= 0:
        raise ParameterError(
            f"tracks_per_genre is {tracks_per_genre} and seconds {seconds}; expected at least "
            f"{_N_FOLDS} (one for each artist) and more than 0."
        )
    rows = []
    for genre in _GENRES:
        for number in range(tracks_per_genre):
            artist = number % _N_FOLDS
            path = root / genre / f"{number:04d}.flac"
            path.parent.mkdir(parents=True, exist_ok=True)
            y = _generate_track(genre, artist, number, seconds=seconds, seed=seed)
            sf.write(path, y, _SR, subtype="PCM_16")
            file = path.relative_to(root).as_posix()
            group = f"{genre} artist {artist}"
            row = (f"{genre}-{number:04d}", file, genre, group, artist, seconds, file_sha256(path))
            rows.append(row)
    part = root / f"{_INDEX}.part"
    with part.open("w", newline="", encoding="utf-8") as index:
        csv.writer(index).writerows([_COLUMNS, *rows])
    part.replace(root / _INDEX)
    return load_synthetic(root)


def load_synthetic(root: Path) -> Dataset:
    """Load what `generate_synthetic` wrote.

    Raises
    ------
    DatasetError
        If there is no index, or it cannot be read.
    """
    path = root / _INDEX
    if not path.is_file():
        raise DatasetError(f"{root} has no {_INDEX}; generate the synthetic data set first.")
    try:
        with path.open(newline="", encoding="utf-8") as index:
            tracks = tuple(
                Track(
                    track_id=row["track_id"],
                    path=root / row["file"],
                    genre=row["genre"],
                    group=row["group"],
                    fold=int(row["fold"]),
                    artist=row["group"],
                    licence="CC0-1.0",
                    source="synthetic",
                    sha256=row["sha256"],
                    duration_seconds=float(row["seconds"]),
                )
                for row in csv.DictReader(index)
            )
    except (KeyError, TypeError, ValueError) as error:
        raise DatasetError(f"{path} cannot be read ({error!r}); generate it again.") from error
    return Dataset("synthetic", tracks, licence="CC0-1.0")


def _generate_track(genre: str, artist: int, number: int, *, seconds: float, seed: int) -> _Samples:
    key = zlib.crc32(genre.encode())
    style_rng = np.random.default_rng([seed, key, artist])
    style = _Style(
        beats_per_minute=style_rng.uniform(0.9, 1.1),
        root_hz=110 * 2 ** (style_rng.integers(0, 12) / 12),
        brightness=style_rng.uniform(0.7, 1.3),
    )
    rng = np.random.default_rng([seed, key, artist, number])
    t = np.arange(round(seconds * _SR)) / _SR
    y = _GENRES[genre](t, style, rng) + rng.normal(0, 0.003, t.size)
    track: _Samples = y * rng.uniform(0.3, 0.9) / np.abs(y).max()
    return track


def _tone(t: _Samples, hz: float, *, n_partials: int, roll_off: float) -> _Samples:
    partials = [np.sin(2 * np.pi * k * hz * t) / k**roll_off for k in range(1, n_partials + 1)]
    tone: _Samples = np.sum(partials, axis=0)
    return tone


def _pulses(t: _Samples, per_minute: float, *, decay_seconds: float) -> _Samples:
    """An envelope that jumps to 1 at each beat and decays."""
    envelope: _Samples = np.exp(-((t * per_minute / 60) % 1) * 60 / per_minute / decay_seconds)
    return envelope


def _drone(t: _Samples, style: _Style, rng: np.random.Generator) -> _Samples:
    """A sustained minor chord that swells slowly."""
    swell = 0.7 + 0.3 * np.sin(2 * np.pi * 0.2 * t + rng.uniform(0, 6))
    tones = [_tone(t, style.root_hz * r, n_partials=6, roll_off=1.2) for r in (1, 6 / 5, 3 / 2)]
    chord: _Samples = swell * np.sum(tones, axis=0) / style.brightness
    return chord


def _techno(t: _Samples, style: _Style, rng: np.random.Generator) -> _Samples:
    """A low kick on every beat under noise on every half."""
    tempo = 130 * style.beats_per_minute
    kick = _pulses(t, tempo, decay_seconds=0.08) * np.sin(2 * np.pi * 55 * t)
    hiss = _pulses(t, 2 * tempo, decay_seconds=0.03) * rng.normal(0, 1, t.size)
    return kick + 0.3 * style.brightness * hiss


def _bells(t: _Samples, style: _Style, rng: np.random.Generator) -> _Samples:
    """High, inharmonic tones that ring, on a random melody."""
    per_minute = 180 * style.beats_per_minute
    n_notes = int(t[-1] * per_minute / 60) + 1
    steps = np.array([0, 2, 4, 7, 9])[rng.integers(0, 5, n_notes)]
    note = (t * per_minute / 60).astype(int)
    hz = 8 * style.root_hz * 2 ** (steps[note] / 12)
    ring = np.sin(2 * np.pi * hz * t) + 0.5 * np.sin(2 * np.pi * 2.76 * hz * t)
    melody: _Samples = ring * _pulses(t, per_minute, decay_seconds=0.15 * style.brightness)
    return melody


def _march(t: _Samples, style: _Style, rng: np.random.Generator) -> _Samples:
    """Bright brass on a slow beat, over a snare of noise."""
    tempo = 80 * style.beats_per_minute
    bass = np.where((t * tempo / 60).astype(int) % 2 == 0, 1.0, 1.5) * style.root_hz
    partials = [np.sin(2 * np.pi * k * bass * t) / k**0.4 for k in range(1, 16)]
    brass = 0.3 * np.sum(partials, axis=0) * _pulses(t, tempo, decay_seconds=0.4)
    snare = _pulses(t, 2 * tempo, decay_seconds=0.1) * rng.normal(0, 1, t.size)
    band: _Samples = brass + 0.2 * style.brightness * snare
    return band


_GENRES: dict[str, Callable[[_Samples, _Style, np.random.Generator], _Samples]] = {
    "Bells": _bells,
    "Drone": _drone,
    "March": _march,
    "Techno": _techno,
}
