"""The history as CSV and JSON."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable

from songnet.history.records import HistoryRecord

__all__ = ["records_to_csv", "records_to_json"]

_COLUMNS = (
    "classified_at", "name", "artist", "title", "album", "year", "genre_in_tags", "genre",
    "status", "confidence", "corrected_genre", "corrected_at", "duration_seconds", "model",
    "sha256",
)  # fmt: skip
_FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")


def records_to_csv(records: Iterable[HistoryRecord]) -> str:
    """Write records as CSV, a row each.

    Parameters
    ----------
    records : iterable of HistoryRecord

    Returns
    -------
    text : str
        A text that a spreadsheet would run as a formula begins with an
        apostrophe [1]_; `records_to_json` changes nothing.

    References
    ----------
    .. [1] OWASP, "CSV Injection",
       https://owasp.org/www-community/attacks/CSV_Injection
    """
    buffer = io.StringIO()
    writer = csv.DictWriter(buffer, _COLUMNS, extrasaction="ignore", lineterminator="\n")
    writer.writeheader()
    for record in records:
        values = record.to_dict()
        tags = values["tags"]
        values |= tags | {"genre": record.genre, "genre_in_tags": tags["genre"]}
        writer.writerow({name: _inert(values[name]) for name in _COLUMNS})
    return buffer.getvalue()


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
    return json.dumps(values, indent=2, ensure_ascii=False) + "\n"


def _inert(value: object) -> object:
    is_formula = isinstance(value, str) and value.startswith(_FORMULA_STARTS)
    return f"'{value}" if is_formula else value
