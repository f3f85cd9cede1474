"""GTZAN, the genre collection of Tzanetakis and Cook: 10 genres, 100 clips each.

It repeats artists, recordings and faults [2]_. Figures mean something only on
the fault-filtered lists, or on folds that keep each artist on one side.

References
----------
.. [1] G. Tzanetakis, P. Cook, "Musical genre classification of audio signals",
   IEEE Transactions on Speech and Audio Processing 10 (5), 2002.
.. [2] B. L. Sturm, "The GTZAN dataset: Its contents, its faults, their effects
   on evaluation, and its future use", arXiv:1306.1461, 2013.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from songnet.datasets.audio_files import FileFacts, inspect_files
from songnet.datasets.base import Dataset, Track, artist_group
from songnet.datasets.splits import assign_folds
from songnet.exceptions import DatasetError

__all__ = ["GTZAN_GENRES", "SPLIT_LISTS", "find_gtzan_audio", "load_gtzan"]

GTZAN_GENRES = {
    "blues": "Blues",
    "classical": "Classical",
    "country": "Country",
    "disco": "Disco",
    "hiphop": "Hip-Hop",
    "jazz": "Jazz",
    "metal": "Metal",
    "pop": "Pop",
    "reggae": "Reggae",
    "rock": "Rock",
}
SPLIT_LISTS = {
    "train": "train_filtered.txt",
    "validation": "valid_filtered.txt",
    "test": "test_filtered.txt",
}
_ARTISTS = "artists.csv"
_PLACES = ("genres", "genres_original", "Data/genres_original", ".")
_CLIP = re.compile(r"([a-z]+\.\d{5})\.(au|wav)")
_N_FOLDS = 5


def load_gtzan(root: Path, *, progress: Callable[[int, int], None] | None = None) -> Dataset:
    """Load GTZAN as unpacked from its archive or from Kaggle's.

    Parameters
    ----------
    root : Path
        Holds ``genres/blues/blues.00000.au`` and so on, or Kaggle's
        ``genres_original``. What a person puts beside it is used: the three
        fault-filtered lists of `SPLIT_LISTS` (443, 197 and 290 lines as
        "blues/blues.00029.wav") give the split; ``artists.csv`` with the
        columns ``track_id`` and ``artist`` gives artists and folds.
    progress : callable, optional
        Called with (files read, files).

    Returns
    -------
    dataset : Dataset
        Without ``artists.csv`` every clip counts as an artist of its own.
        ``skipped`` names clips that do not open (``jazz.00054`` in Kaggle's
        copy) or that the lists leave out.

    Raises
    ------
    DatasetError
        If there is no audio, or a list cannot be used.
    """
    audio = find_gtzan_audio(root)
    paths = _find_clips(audio)
    splits, artists = _read_splits(root), _read_artists(root / _ARTISTS)
    facts = dict(zip(paths, inspect_files(paths.values(), progress=progress), strict=True))
    skipped = {i: fact.problem for i, fact in facts.items() if fact.problem}
    if splits:
        skipped |= {i: "the fault-filtered lists leave it out" for i in facts if i not in splits}
        skipped |= {i: "its file is missing" for i in splits if i not in facts}
    tracks = tuple(
        _track(track_id, path, facts=facts[track_id], split=splits.get(track_id, ""))
        for track_id, path in paths.items()
        if track_id not in skipped
    )
    dataset = Dataset(
        "gtzan",
        tuple(_with_artist(track, artists) for track in tracks),
        citation="Tzanetakis and Cook, Musical genre classification of audio signals, 2002",
        licence="none stated; for research use",
        skipped=skipped,
    )
    return assign_folds(dataset, n_folds=_N_FOLDS, seed=0) if artists else dataset


def find_gtzan_audio(root: Path) -> Path:
    """Return the folder with one folder for each genre.

    Raises
    ------
    DatasetError
        If there is none.
    """
    for place in _PLACES:
        if all((root / place / genre).is_dir() for genre in GTZAN_GENRES):
            return root / place
    raise DatasetError(
        f"{root} has no folder with the ten genres of GTZAN; run `songnet data download gtzan`."
    )


def _find_clips(audio: Path) -> dict[str, Path]:
    """Clips by id; the .au of the archive comes before a .wav of the same name."""
    found: dict[str, Path] = {}
    for genre in GTZAN_GENRES:
        for path in sorted((audio / genre).iterdir()):
            match = _CLIP.fullmatch(path.name)
            if match and match[1].startswith(f"{genre}."):
                found.setdefault(match[1], path)
    if not found:
        raise DatasetError(f"{audio} holds no clip such as blues/blues.00000.wav.")
    return found


def _read_splits(root: Path) -> dict[str, str]:
    paths = {split: root / name for split, name in SPLIT_LISTS.items()}
    present = [path for path in paths.values() if path.is_file()]
    if not present:
        return {}
    if len(present) < len(paths):
        raise DatasetError(
            f"{root} has {', '.join(path.name for path in present)} only; the split needs all of "
            f"{', '.join(SPLIT_LISTS.values())}."
        )
    split_of: dict[str, str] = {}
    for split, path in paths.items():
        for line in path.read_text(encoding="utf-8").split():
            track_id = Path(line).stem
            if split_of.setdefault(track_id, split) != split:
                raise DatasetError(f"{track_id} is in two lists of the split, the second {path}.")
    return split_of


def _read_artists(path: Path) -> dict[str, str]:
    if not path.is_file():
        return {}
    try:
        with path.open(newline="", encoding="utf-8") as file:
            return {row["track_id"]: row["artist"].strip() for row in csv.DictReader(file)}
    except (KeyError, AttributeError) as error:
        raise DatasetError(f"{path} needs the columns track_id and artist.") from error


def _track(track_id: str, path: Path, *, facts: FileFacts, split: str) -> Track:
    return Track(
        track_id=track_id,
        path=path,
        genre=GTZAN_GENRES[track_id.partition(".")[0]],
        group=f"track:{track_id}",
        split=split,
        licence="none stated; for research use",
        source="gtzan",
        sha1=facts.sha1,
        sha256=facts.sha256,
        duration_seconds=facts.duration_seconds,
    )


def _with_artist(track: Track, artists: dict[str, str]) -> Track:
    artist = artists.get(track.track_id, "")
    if not artist:
        return track
    return replace(track, artist=artist, group=artist_group(artist))
