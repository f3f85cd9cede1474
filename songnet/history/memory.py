"""The history of one session, in memory: gone when the session ends."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable
from datetime import UTC, datetime

from songnet.history.records import HistoryQuery, HistoryRecord, clean_genre

__all__ = ["MemoryHistory"]


class MemoryHistory:
    """A `songnet.history.records.History` that keeps the newest records only.

    Parameters
    ----------
    max_records : int
        The oldest beyond it are forgotten.
    """

    def __init__(self, *, max_records: int = 500) -> None:
        self._max_records = max_records
        self._records: tuple[HistoryRecord, ...] = ()

    def add(self, record: HistoryRecord) -> None:
        """See `songnet.history.records.History`."""
        others = tuple(other for other in self._records if not _is_same(other, record))
        known = next((other for other in self._records if other.sha256 == record.sha256), None)
        if known is not None:
            record = dataclasses.replace(
                record, corrected_genre=known.corrected_genre, corrected_at=known.corrected_at
            )
        self._records = (record, *others)[: self._max_records]

    def search(
        self, query: HistoryQuery, *, limit: int | None = None, offset: int = 0
    ) -> tuple[HistoryRecord, ...]:
        """See `songnet.history.records.History`."""
        found = tuple(record for record in self._records if _is_meant(record, query))
        return found[offset:] if limit is None else found[offset : offset + limit]

    def count(self, query: HistoryQuery) -> int:
        """See `songnet.history.records.History`."""
        return len(self.search(query))

    def correct(self, sha256: str, genre: str | None) -> None:
        """See `songnet.history.records.History`."""
        said = None if genre is None else clean_genre(genre)
        now = None if genre is None else datetime.now(UTC)
        self._records = tuple(
            dataclasses.replace(record, corrected_genre=said, corrected_at=now)
            if record.sha256 == sha256
            else record
            for record in self._records
        )

    def delete(self, query: HistoryQuery) -> tuple[HistoryRecord, ...]:
        """See `songnet.history.records.History`."""
        deleted = self.search(query)
        ids = {record.record_id for record in deleted}
        self._records = tuple(r for r in self._records if r.record_id not in ids)
        return deleted

    def restore(self, records: Iterable[HistoryRecord]) -> None:
        """See `songnet.history.records.History`."""
        back = tuple(r for r in records if not any(_is_same(r, kept) for kept in self._records))
        joined = sorted((*self._records, *back), key=lambda r: r.classified_at, reverse=True)
        self._records = tuple(joined[: self._max_records])


def _is_same(one: HistoryRecord, other: HistoryRecord) -> bool:
    return (one.sha256, one.model) == (other.sha256, other.model)


def _is_meant(record: HistoryRecord, query: HistoryQuery) -> bool:
    text = f"{record.searched_text} {(record.corrected_genre or '').casefold()}"
    genre = record.corrected_genre or record.genre
    return (
        all(word in text for word in query.words)
        and query.genre in (None, genre)
        and query.is_corrected in (None, record.corrected_genre is not None)
        and query.record_id in (None, record.record_id)
        and query.sha256 in (None, record.sha256)
    )
