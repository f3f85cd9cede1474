"""`Track` and `Dataset`: what every collection looks like to the rest."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from songnet.exceptions import DatasetError

__all__ = ["SPLITS", "Dataset", "Track", "artist_group", "file_sha256"]

SPLITS = ("train", "validation", "test")


def artist_group(artist: str) -> str:
    """Return the group of an artist whose name is all that is known; empty without a name."""
    return f"artist:{artist.casefold()}" if artist else ""


@dataclass(frozen=True)
class Track:
    """One labelled audio file.

    Parameters
    ----------
    track_id : str
        Unique within its data set.
    path : Path
    genre : str
    group : str
        The artist, or what else must stay on one side of every split.
    fold : int, optional
        Number of the cross-validation fold, where the data set has folds.
    split : str
        Side of the official split, one of `SPLITS`; empty where there is none.
    evaluate : bool
        False for material that may be trained on but never scored.
    artist, album, title, licence, source, sha1, sha256 : str
        Empty where unknown.
    year : int, optional
    duration_seconds : float, optional
    """

    track_id: str
    path: Path
    genre: str
    group: str
    fold: int | None = None
    split: str = ""
    evaluate: bool = True
    artist: str = ""
    album: str = ""
    title: str = ""
    year: int | None = None
    licence: str = ""
    source: str = ""
    sha1: str = ""
    sha256: str = ""
    duration_seconds: float | None = None


@dataclass(frozen=True)
class Dataset:
    """Tracks with their genres, and where they come from.

    Parameters
    ----------
    name : str
    tracks : tuple of Track
    citation, licence : str
        How to cite the collection, and its terms.
    skipped : mapping of str to str
        Id and reason of each track of the collection that is left out.

    Raises
    ------
    DatasetError
        If it is empty, or an id appears twice.
    """

    name: str
    tracks: tuple[Track, ...]
    citation: str = ""
    licence: str = ""
    skipped: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if not self.tracks:
            raise DatasetError(f"The data set {self.name!r} has no track; expected at least one.")
        repeated = [i for i, n in Counter(t.track_id for t in self.tracks).items() if n > 1]
        if repeated:
            raise DatasetError(
                f"The data set {self.name!r} has the track ids {repeated[:3]} more than once."
            )

    def __len__(self) -> int:
        return len(self.tracks)

    def __iter__(self) -> Iterator[Track]:
        return iter(self.tracks)

    @property
    def genres(self) -> tuple[str, ...]:
        """Names of the genres, sorted."""
        return tuple(sorted({track.genre for track in self.tracks}))

    @property
    def folds(self) -> tuple[int, ...]:
        """Numbers of the folds, sorted; empty where there are none."""
        return tuple(sorted({t.fold for t in self.tracks if t.fold is not None}))

    @property
    def splits(self) -> tuple[str, ...]:
        """Sides of the official split that have tracks; empty where there is none."""
        present = {track.split for track in self.tracks}
        return tuple(split for split in SPLITS if split in present)

    @property
    def hash(self) -> str:
        """SHA-256 over ids, genres, groups, folds, splits and checksums of the tracks."""
        digest = hashlib.sha256()
        for t in sorted(self.tracks, key=lambda track: track.track_id):
            row = (t.track_id, t.genre, t.group, t.fold, t.evaluate, t.sha256)
            digest.update(repr((*row, t.split) if t.split else row).encode())
        return digest.hexdigest()

    def select(self, keep: Callable[[Track], bool]) -> Dataset:
        """Return the data set of the tracks that ``keep`` accepts."""
        return self.with_tracks(track for track in self.tracks if keep(track))

    def with_tracks(self, tracks: Iterable[Track]) -> Dataset:
        """Return the same collection with other tracks."""
        return replace(self, tracks=tuple(tracks))

    def verify(self) -> None:
        """Compare every file with its checksum.

        Raises
        ------
        DatasetError
            Names the files that are missing or changed.
        """
        bad = [
            track.path.name
            for track in self.tracks
            if not track.path.is_file()
            or (track.sha256 and file_sha256(track.path) != track.sha256)
        ]
        if bad:
            raise DatasetError(
                f"{len(bad)} of {len(self)} files of {self.name!r} are missing or changed "
                f"({', '.join(bad[:3])}); fetch the data set again."
            )


def file_sha256(path: Path) -> str:
    """SHA-256 of a file, in hex."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
