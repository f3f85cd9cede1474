"""The history as CSV and JSON."""

from __future__ import annotations

from collections.abc import Iterable

from songnet.history.records import HistoryRecord
from songnet.json_text import readable_json
from songnet.spreadsheet import rows_csv

__all__ = ["records_to_csv", "records_to_json"]

_COLUMNS = (
    "classified_at", "name", "artist", "title", "album", "year", "genre_in_tags", "genre",
    "status", "confidence", "corrected_genre", "corrected_at", "duration_seconds", "model",
    "sha256",
)  # fmt: skip


def records_to_csv(records: Iterable[HistoryRecord]) -> str:
    """Write records as CSV, a row each.

    Parameters
    ----------
    records : iterable of HistoryRecord

    Returns
    -------
    text : str
        For a spreadsheet, see `songnet.spreadsheet`; `records_to_json` changes
        nothing.
    """
    rows = []
    for record in records:
        values = record.to_dict()
        tags = values["tags"]
        rows.append(values | tags | {"genre": record.genre, "genre_in_tags": tags["genre"]})
    return rows_csv(rows, columns=_COLUMNS)


def records_to_json(records: Iterable[HistoryRecord]) -> str:
    """Write records as a JSON array, with all probabilities.

    Parameters
    ----------
    records : iterable of HistoryRecord

    Returns
    -------
    text : str
    """
    values = [record.to_dict() for record in records]
    return readable_json(values)
