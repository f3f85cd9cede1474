"""The tables of FMA: who made a track, when, under which licence, in which genre.

Read from ``tracks.csv`` with its three header rows; ``raw_tracks.csv`` fills
in licences and dates that it lacks, and stands in for it where it is missing.
"""

from __future__ import annotations

import ast
import csv
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from songnet.exceptions import DatasetError

__all__ = ["FmaEntry", "read_fma_metadata", "read_year"]

_TRACKS_COLUMNS = {
    ("track", "title"): "title",
    ("track", "genre_top"): "genre",
    ("track", "date_recorded"): "recorded",
    ("track", "license"): "licence",
    ("track", "duration"): "seconds",
    ("artist", "id"): "artist_id",
    ("artist", "name"): "artist",
    ("album", "title"): "album",
    ("album", "date_released"): "released",
    ("set", "split"): "split",
    ("set", "subset"): "subset",
}
_RAW_COLUMNS = {
    "track_id": "track_id",
    "track_title": "title",
    "track_genres": "genres",
    "track_date_recorded": "recorded",
    "license_title": "licence",
    "track_duration": "seconds",
    "artist_id": "artist_id",
    "artist_name": "artist",
    "album_title": "album",
}
_SPLIT_NAMES = {"training": "train", "validation": "validation", "test": "test"}
_YEAR = re.compile(r"(?<!\d)(1[89]\d\d|20\d\d)(?!\d)")
_SHORT_YEAR = re.compile(r"\d{1,2}/\d{1,2}/(\d\d)")
_LAST_YEAR_OF_FMA = 2017
_Row = dict[str, str]


@dataclass(frozen=True)
class FmaEntry:
    """What the tables say about one track; empty where they say nothing.

    Parameters
    ----------
    track_id : int
    title, artist, artist_id, album, licence : str
    genre : str
        The top-level genre; empty where the track has none or several.
    year : int, optional
        Of the recording, else of the album's release; never of the upload.
    seconds : float, optional
        Length of the whole track, not of its clip.
    split : str
        One of `songnet.datasets.base.SPLITS`, or empty.
    subset : str
        The smallest subset that holds it: small, medium, large, or empty.
    """

    track_id: int
    title: str = ""
    artist: str = ""
    artist_id: str = ""
    album: str = ""
    licence: str = ""
    genre: str = ""
    year: int | None = None
    seconds: float | None = None
    split: str = ""
    subset: str = ""


def read_fma_metadata(folder: Path) -> dict[int, FmaEntry]:
    """Read the tables of ``fma_metadata.zip``.

    Parameters
    ----------
    folder : Path
        Holds ``tracks.csv``, ``raw_tracks.csv`` or both. Without ``tracks.csv``
        genres come from ``genres.csv``, or from lines "id genre" in
        ``fma_<subset>_id_genre.txt``, and there is no split.

    Returns
    -------
    entries : dict of int to FmaEntry
        By track id, in the order of the table.

    Raises
    ------
    DatasetError
        If there is no table, or one cannot be read.
    """
    tracks, raw = folder / "tracks.csv", folder / "raw_tracks.csv"
    if not tracks.is_file() and not raw.is_file():
        raise DatasetError(
            f"{folder} has neither tracks.csv nor raw_tracks.csv; "
            "run `songnet data download fma-metadata`."
        )
    try:
        raw_rows = _read_raw(raw) if raw.is_file() else {}
        rows = _read_tracks(tracks) if tracks.is_file() else _with_genres(raw_rows, folder)
        return {i: _entry(i, row, raw_rows.get(i, {})) for i, row in rows.items()}
    except (OSError, ValueError, KeyError, SyntaxError) as error:
        raise DatasetError(
            f"The tables of FMA in {folder} cannot be read ({error}); fetch them again with "
            "`songnet data download fma-metadata`."
        ) from error


def read_year(*dates: str) -> int | None:
    """Return the year of the first date that has one.

    Parameters
    ----------
    *dates : str
        As FMA writes them: "2008-11-26 00:00:00", "11/26/2008", "8/01/02", "2008".
    """
    for date in dates:
        if match := _YEAR.search(date):
            return int(match[1])
        if match := _SHORT_YEAR.fullmatch(date.strip()):
            return _full_year(int(match[1]))
    return None


def _full_year(last_two: int) -> int:
    """The latest year up to FMA's time that ends so."""
    return 2000 + last_two if last_two <= _LAST_YEAR_OF_FMA - 2000 else 1900 + last_two


def _read_tracks(path: Path) -> dict[int, _Row]:
    with path.open(newline="", encoding="utf-8") as file:
        lines = csv.reader(file)
        headings = list(zip(next(lines), next(lines), strict=True))
    position = {headings.index(heading): name for heading, name in _TRACKS_COLUMNS.items()}
    position[0] = "track_id"
    return _rows(
        pd.read_csv(
            path,
            header=None,
            skiprows=3,
            usecols=sorted(position),
            names=[position[index] for index in sorted(position)],
            dtype=str,
            keep_default_na=False,
            encoding_errors="replace",  # FMA has a few broken characters
        )
    )


def _read_raw(path: Path) -> dict[int, _Row]:
    table = pd.read_csv(
        path,
        usecols=list(_RAW_COLUMNS),
        dtype=str,
        keep_default_na=False,
        encoding_errors="replace",
    )
    return _rows(table.rename(columns=_RAW_COLUMNS))


def _rows(table: pd.DataFrame) -> dict[int, _Row]:
    return {int(row["track_id"]): row for row in table.to_dict("records")}


def _with_genres(rows: dict[int, _Row], folder: Path) -> dict[int, _Row]:
    """Complete rows of ``raw_tracks.csv`` with their top-level genre and subset."""
    if (folder / "genres.csv").is_file():
        top_level = _read_top_levels(folder / "genres.csv")
        return {i: row | {"genre": _top_genre(row["genres"], top_level)} for i, row in rows.items()}
    known: dict[int, _Row] = {}
    for path in sorted(folder.glob("fma_*_id_genre.txt")):
        for line in path.read_text(encoding="utf-8").splitlines():
            number, _, genre = line.partition(" ")
            known[int(number)] = {"genre": genre, "subset": path.name.split("_")[1]}
    return {i: row | known.get(i, {}) for i, row in rows.items()}


def _read_top_levels(path: Path) -> dict[str, str]:
    with path.open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    titles = {row["genre_id"]: row["title"] for row in rows}
    return {row["genre_id"]: titles[row["top_level"]] for row in rows}


def _top_genre(genres: str, top_level: Mapping[str, str]) -> str:
    """The top-level genre that all genres of a track share, if they share one."""
    ids = [genre["genre_id"] for genre in ast.literal_eval(genres)] if genres else []
    tops = {top_level[i] for i in ids if i in top_level}
    return tops.pop() if len(tops) == 1 else ""


def _entry(track_id: int, row: _Row, raw: _Row) -> FmaEntry:
    def text(name: str) -> str:
        return " ".join((row.get(name) or raw.get(name) or "").split())

    return FmaEntry(
        track_id=track_id,
        title=text("title"),
        artist=text("artist"),
        artist_id=text("artist_id"),
        album=text("album"),
        licence=text("licence"),
        genre=text("genre"),
        year=read_year(text("recorded"), text("released")),
        seconds=_seconds(text("seconds")),
        split=_SPLIT_NAMES.get(text("split"), ""),
        subset=text("subset"),
    )


def _seconds(text: str) -> float | None:
    """Seconds of "168" or "02:48"."""
    parts = text.split(":")
    if not all(part.strip().isdigit() for part in parts):
        return None
    return float(sum(int(part) * 60**power for power, part in enumerate(reversed(parts))))
