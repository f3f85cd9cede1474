"""What a visitor explores: which collections there are, which tracks of one, in which order."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from app.neighbours import NEIGHBOURS_FILE
from app.settings import Settings
from songnet.datasets.index import IndexFilter, has_its_files
from songnet.datasets.places import cache_root, index_root
from songnet.exceptions import AudioDecodeError, AudioTooLongError, DatasetError
from songnet.inference.bundle import find_bundle
from songnet.inference.collection import Collection
from songnet.inference.collection_build import COLLECTION_FILE
from songnet.inference.label_check import confident_mistakes, likely_label_errors
from songnet.signal.audio import DecodeLimits
from songnet.spreadsheet import inert

__all__ = [
    "PAGE_ROWS",
    "SORTS",
    "VIEWS",
    "Choice",
    "audio_bytes",
    "counts_by_genre",
    "find_collections",
    "frame_csv",
    "map_sample",
    "near_duplicate_rows",
    "rows_of_view",
    "sort_rows",
    "table_rows",
    "track_names",
    "years_of",
    "years_span",
]

PAGE_ROWS = 25
VIEWS = ("Tracks", "Map", "Mistakes", "Doubtful genres", "Near-duplicates")
SORTS = {
    "As listed": (),
    "Artist": ("artist", "title"),
    "Title": ("title",),
    "Year": ("year", "artist"),
    "Least confident": ("confidence",),
}
_OUTSIDE = "It lies outside of the folder of its collection."
_EXPORTED = (
    "track_id", "artist", "title", "album", "year", "licence", "split", "fold", "source",
    "genre", "predicted", "confidence", "basis", "status", "error",
)  # fmt: skip


@dataclass(frozen=True)
class Choice:
    """What the filters ask for.

    Parameters
    ----------
    genres, licences, splits : tuple of str
        Accepted values; all where empty.
    artist, text : str
        Part of the artist's name; words that title, artist or album hold.
    years : tuple of int, optional
        First and last year; tracks of unknown year are then left out.
    """

    genres: tuple[str, ...] = ()
    licences: tuple[str, ...] = ()
    splits: tuple[str, ...] = ()
    artist: str = ""
    text: str = ""
    years: tuple[int, int] | None = None

    def select(self, collection: Collection) -> pd.DataFrame:
        """Return the rows of the collection that are asked for."""
        artists: Sequence[str] = ()
        if self.artist.strip():
            names = pd.Series(collection.frame["artist"].unique())
            part = self.artist.strip().casefold()
            found = names[names.str.casefold().str.contains(part, regex=False)]
            artists = tuple(found) or ("\0",)
        wanted = IndexFilter(
            genres=self.genres,
            artists=artists,
            licences=self.licences,
            splits=self.splits,
            years=self.years,
            text=self.text,
        )
        return collection.index.select(wanted)


def find_collections(settings: Settings) -> dict[str, Path]:
    """Find the collections of the folders that the operator allows.

    Parameters
    ----------
    settings : Settings

    Returns
    -------
    paths : dict of str to Path
        By name, sorted: those that were listened to; where the operator names
        no folder, the indexed data sets that were not and are still there; last the tracks that
        the model is shipped with. Two of one name are told apart.
    """
    folders = settings.collection_folders or (cache_root() / "collections",)
    found: dict[str, Path] = {}
    for folder in folders:
        for path in sorted(folder.glob(f"*/{COLLECTION_FILE}")):
            name = path.parent.name
            found[f"{name} ({folder.name})" if name in found else name] = path
    if not settings.collection_folders:
        found |= _find_indexes(heard=set(found))
    shipped = find_bundle() / NEIGHBOURS_FILE
    if shipped.is_file():
        found["What the model learned from (no audio)"] = shipped
    return found


def _find_indexes(heard: set[str]) -> dict[str, Path]:
    found: dict[str, Path] = {}
    for path in sorted(index_root().glob("*.parquet")):
        name, _, place = path.stem.rpartition("-")
        if name in heard or not has_its_files(path):
            continue
        label = f"{name} (not listened to)"
        found[f"{name}, {place} (not listened to)" if label in found else label] = path
    return found


def rows_of_view(view: str, collection: Collection, chosen: pd.DataFrame) -> pd.DataFrame:
    """Return the tracks that a view lists, of those that the filters chose."""
    if view == "Mistakes":
        frame = confident_mistakes(collection)
    elif view == "Doubtful genres":
        frame = likely_label_errors(collection)
    else:
        return chosen
    return frame[frame.index.isin(chosen.index)]


def near_duplicate_rows(
    collection: Collection, chosen: pd.DataFrame, *, at_least: float
) -> pd.DataFrame:
    """List near-duplicates, two rows a pair, of which at least one was chosen.

    Returns
    -------
    frame : pandas.DataFrame
        Rows of the collection with ``pair`` (a number from 1) and the
        ``similarity`` of the pair.
    """
    pairs = collection.near_duplicates(at_least=at_least)
    keep = pairs["first"].isin(chosen.index) | pairs["second"].isin(chosen.index)
    pairs = pairs[keep].reset_index(drop=True)
    rows = pairs[["first", "second"]].to_numpy().ravel()
    return collection.frame.iloc[rows].assign(
        pair=(pairs.index + 1).repeat(2), similarity=pairs["similarity"].repeat(2).to_numpy()
    )


def sort_rows(frame: pd.DataFrame, sort: str) -> pd.DataFrame:
    """Order rows by one of `SORTS`; what is unknown comes last."""
    columns = list(SORTS[sort])
    if not columns:
        return frame
    return frame.sort_values(
        columns, key=lambda column: column.replace("", None), na_position="last", kind="stable"
    )


def counts_by_genre(frame: pd.DataFrame) -> pd.Series:
    """Number of tracks of each genre: of the label, or of the prediction where none has one."""
    column = "genre" if (frame["genre"] != "").any() else "predicted"
    return frame[column].value_counts()


def years_of(frame: pd.DataFrame) -> pd.Series:
    """Years of the tracks whose year is known."""
    return frame["year"].dropna().astype(int)


def years_span(frame: pd.DataFrame) -> tuple[int, int] | None:
    """First and last known year; None where there are not two."""
    years = years_of(frame)
    span = (int(years.min()), int(years.max())) if len(years) else (0, 0)
    return span if span[0] < span[1] else None


def table_rows(frame: pd.DataFrame) -> pd.DataFrame:
    """Return rows as the table shows them: percents, no unknown year, no track without a name.

    A genre is only said where the model says it, not where it is merely the closest one.
    """
    said = frame["predicted"].astype("string").fillna("")
    not_sure, not_music = frame["status"] == "not_sure", frame["status"] == "not_music"
    return frame.assign(
        predicted=said.mask(not_sure, "Not sure, closest " + said).mask(not_music, "Not music"),
        title=track_names(frame),
        year=frame["year"].astype("string").fillna(""),
        confidence=100 * frame["confidence"],
    )


def track_names(frame: pd.DataFrame) -> pd.Series:
    """Title of each track, or its id where the title is unknown."""
    return frame["title"].where(frame["title"] != "", frame["track_id"])


def map_sample(frame: pd.DataFrame, *, most: int, seed: int = 0) -> pd.DataFrame:
    """Choose the tracks that the map draws: all, or ``most`` of them at random.

    Returns
    -------
    frame : pandas.DataFrame
        With ``colour_genre``: the label, or the prediction where there is none.
    """
    placed = frame[frame["x"].notna()]
    if len(placed) > most:
        placed = placed.sample(most, random_state=seed)
    label = placed["genre"].where(placed["genre"] != "", placed["predicted"])
    return placed.assign(colour_genre=label)


def frame_csv(frame: pd.DataFrame) -> str:
    """Write tracks as CSV for a spreadsheet, a row a track."""
    extra = [name for name in ("suggested", "margin", "pair", "similarity") if name in frame]
    kept = frame[[*_EXPORTED, *extra]].copy()
    for name in kept.columns[[not pd.api.types.is_numeric_dtype(kept[c]) for c in kept]]:
        kept[name] = kept[name].astype(object).map(inert)
    return str(kept.to_csv(index=False, lineterminator="\n", float_format="%.4f"))


def audio_bytes(collection: Collection, row: int, *, limits: DecodeLimits) -> bytes | None:
    """Read the audio of a track, where it is on this machine.

    Returns
    -------
    data : bytes or None
        None where the collection has no path or the file is gone.

    Raises
    ------
    AudioDecodeError
        If the file is outside of the collection's folder.
    AudioTooLongError
        If it is over the limit.
    """
    try:
        path = collection.index.path_of(row)
    except DatasetError as error:
        raise AudioDecodeError(_OUTSIDE) from error
    if path is None or not path.is_file():
        return None
    root = collection.index.root.resolve()
    if not path.resolve().is_relative_to(root):
        raise AudioDecodeError(_OUTSIDE)
    if path.stat().st_size > limits.max_bytes:
        raise AudioTooLongError(
            f"This file is larger than the {limits.max_bytes / 2**20:.0f} MB that the app opens."
        )
    return path.read_bytes()
