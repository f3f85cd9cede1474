"""The history in a database: SQLite, PostgreSQL, or what else SQLAlchemy knows."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection, Engine

from songnet.datasets.tags import Tags
from songnet.exceptions import HistoryError
from songnet.history.records import HistoryQuery, HistoryRecord, clean_genre
from songnet.history.schema import RECORDS

__all__ = ["DatabaseHistory", "read_corrections"]

_SAME = (
    "record_id", "sha256", "name", "genre", "status", "probabilities", "duration_seconds",
    "model", "classified_at", "corrected_genre", "corrected_at",
)  # fmt: skip
_CORRECTION = ("corrected_genre", "corrected_at", "searched_correction")
_NEWEST_FIRST = (RECORDS.c.classified_at.desc(), RECORDS.c.record_id)
_BATCH = 500


class DatabaseHistory:
    """The `songnet.history.records.History` of one owner in a shared database.

    Every question and every change names the owner, so nobody reaches the
    records of another. Safe to use from many threads and processes.

    Parameters
    ----------
    engine : Engine
        From `songnet.history.schema.open_database`.
    owner : str
        At most 64 characters.

    Raises
    ------
    HistoryError
        By every method, if the database does not answer.
    """

    def __init__(self, engine: Engine, *, owner: str) -> None:
        self._engine = engine
        self._owner = owner

    def add(self, record: HistoryRecord) -> None:
        """See `songnet.history.records.History`."""
        try:
            self._put(record)
        except sa.exc.IntegrityError:
            # Another session of the same owner wrote the same file in between.
            self._put(record)

    def search(
        self, query: HistoryQuery, *, limit: int | None = None, offset: int = 0
    ) -> tuple[HistoryRecord, ...]:
        """See `songnet.history.records.History`."""
        rows = sa.select(RECORDS).where(*self._conditions(query)).order_by(*_NEWEST_FIRST)
        with _connection(self._engine) as connection:
            found = connection.execute(rows.limit(limit).offset(offset)).mappings()
            return tuple(_to_record(row) for row in found)

    def count(self, query: HistoryQuery) -> int:
        """See `songnet.history.records.History`."""
        rows = sa.select(sa.func.count()).select_from(RECORDS).where(*self._conditions(query))
        with _connection(self._engine) as connection:
            return int(connection.scalar(rows) or 0)

    def correct(self, sha256: str, genre: str | None) -> None:
        """See `songnet.history.records.History`."""
        said = None if genre is None else clean_genre(genre)
        values = {
            "corrected_genre": said,
            "corrected_at": None if said is None else datetime.now(UTC),
            "searched_correction": (said or "").casefold(),
        }
        meant = self._conditions(HistoryQuery(sha256=sha256))
        with _connection(self._engine) as connection:
            connection.execute(sa.update(RECORDS).where(*meant).values(values))

    def delete(self, query: HistoryQuery) -> tuple[HistoryRecord, ...]:
        """See `songnet.history.records.History`."""
        deleted = self.search(query)
        ids = [record.record_id for record in deleted]
        with _connection(self._engine) as connection:
            for start in range(0, len(ids), _BATCH):
                some = RECORDS.c.record_id.in_(ids[start : start + _BATCH])
                mine = RECORDS.c.owner == self._owner
                connection.execute(sa.delete(RECORDS).where(mine, some))
        return deleted

    def restore(self, records: Iterable[HistoryRecord]) -> None:
        """See `songnet.history.records.History`."""
        for record in records:
            try:
                with _connection(self._engine) as connection:
                    connection.execute(sa.insert(RECORDS).values(self._to_row(record)))
            except sa.exc.IntegrityError:
                # The file was classified again since: the newer record stays.
                continue

    def _put(self, record: HistoryRecord) -> None:
        row = self._to_row(record)
        newer = {name: value for name, value in row.items() if name not in _CORRECTION}
        same_file = self._conditions(HistoryQuery(sha256=record.sha256))
        same_model = RECORDS.c.model == record.model
        said = sa.select(*(RECORDS.c[name] for name in _CORRECTION)).where(*same_file)
        with _connection(self._engine) as connection:
            # The change comes first: it takes SQLite's only lock for writing at once.
            changed = sa.update(RECORDS).where(*same_file, same_model).values(newer)
            if not connection.execute(changed).rowcount:
                before = connection.execute(said.limit(1)).mappings().first()
                connection.execute(sa.insert(RECORDS).values(row | dict(before or {})))

    def _conditions(self, query: HistoryQuery) -> list[sa.ColumnElement[bool]]:
        columns = RECORDS.c
        wanted: list[sa.ColumnElement[bool]] = [columns.owner == self._owner]
        for word in query.words:
            text = (columns.searched_text, columns.searched_correction)
            wanted.append(sa.or_(*(column.contains(word, autoescape=True) for column in text)))
        if query.genre is not None:
            named = sa.func.coalesce(columns.corrected_genre, columns.genre)
            wanted.append(named == query.genre)
        if query.is_corrected is not None:
            is_corrected = columns.corrected_genre.is_not(None)
            wanted.append(is_corrected if query.is_corrected else sa.not_(is_corrected))
        if query.record_id is not None:
            wanted.append(columns.record_id == query.record_id)
        if query.sha256 is not None:
            wanted.append(columns.sha256 == query.sha256)
        return wanted

    def _to_row(self, record: HistoryRecord) -> dict[str, Any]:
        tags = record.tags
        return {name: getattr(record, name) for name in _SAME} | {
            "owner": self._owner,
            "artist": tags.artist,
            "title": tags.title,
            "album": tags.album,
            "tag_genre": tags.genre,
            "year": tags.year,
            "searched_text": record.searched_text,
            "searched_correction": (record.corrected_genre or "").casefold(),
        }


def read_corrections(engine: Engine) -> tuple[HistoryRecord, ...]:
    """Return what people said about files, of all owners, the latest first.

    Parameters
    ----------
    engine : Engine

    Returns
    -------
    records : tuple of HistoryRecord
        Only records with a corrected genre.

    Raises
    ------
    HistoryError
        If the database does not answer.
    """
    rows = (
        sa.select(RECORDS)
        .where(RECORDS.c.corrected_genre.is_not(None))
        .order_by(RECORDS.c.corrected_at.desc(), RECORDS.c.record_id)
    )
    with _connection(engine) as connection:
        return tuple(_to_record(row) for row in connection.execute(rows).mappings())


def _to_record(row: sa.RowMapping) -> HistoryRecord:
    tags = Tags(
        artist=row["artist"],
        title=row["title"],
        album=row["album"],
        genre=row["tag_genre"],
        year=row["year"],
    )
    return HistoryRecord(tags=tags, **{name: row[name] for name in _SAME})


@contextmanager
def _connection(engine: Engine) -> Iterator[Connection]:
    """Open a transaction; what the database refuses becomes a HistoryError."""
    try:
        with engine.begin() as connection:
            yield connection
    except sa.exc.IntegrityError:
        raise
    except sa.exc.SQLAlchemyError as error:
        where = engine.url.render_as_string(hide_password=True)
        raise HistoryError(
            f"The history in {where} does not answer; check that the database runs, that its "
            "disk is not full, and try again."
        ) from error
