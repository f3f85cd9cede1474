"""CSV that a spreadsheet opens without running anything in it.

A text that it would run as a formula begins with an apostrophe [1]_.

References
----------
.. [1] OWASP, "CSV Injection",
   https://owasp.org/www-community/attacks/CSV_Injection
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Mapping, Sequence

__all__ = ["inert", "rows_csv"]

_FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")


def rows_csv(rows: Iterable[Mapping[str, object]], *, columns: Sequence[str]) -> str:
    """Write rows as CSV.

    Parameters
    ----------
    rows : iterable of mapping
        Each has the columns; what else they have is left out.
    columns : sequence of str

    Returns
    -------
    text : str
    """
    buffer = io.StringIO()
    writer = csv.DictWriter(buffer, columns, lineterminator="\n")
    writer.writeheader()
    for row in rows:
        writer.writerow({name: inert(row[name]) for name in columns})
    return buffer.getvalue()


def inert(value: object) -> object:
    """Return a value as a spreadsheet may have it: no text is a formula."""
    is_formula = isinstance(value, str) and value.startswith(_FORMULA_STARTS)
    return f"'{value}" if is_formula else value
