"""CSV that a spreadsheet opens without running anything in it."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence

__all__ = ["rows_csv"]

_FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")


def rows_csv(rows: Sequence[Mapping[str, object]]) -> str:
    """Write rows as CSV.

    Parameters
    ----------
    rows : sequence of mapping
        At least one; all with the keys of the first.

    Returns
    -------
    text : str
        A text that a spreadsheet would run as a formula begins with an
        apostrophe.
    """
    buffer = io.StringIO()
    writer = csv.DictWriter(buffer, list(rows[0]), lineterminator="\n")
    writer.writeheader()
    for row in rows:
        writer.writerow({name: _inert(value) for name, value in row.items()})
    return buffer.getvalue()


def _inert(value: object) -> object:
    is_formula = isinstance(value, str) and value.startswith(_FORMULA_STARTS)
    return f"'{value}" if is_formula else value
