"""The tables of the history, and opening a database that holds them."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import URL, Dialect, Engine, make_url

from songnet.exceptions import HistoryError
from songnet.history.place import HISTORY_VARIABLE
from songnet.history.records import MAX_GENRE, MAX_MODEL, MAX_TEXT

__all__ = ["RECORDS", "SCHEMA_VERSION", "open_database"]

SCHEMA_VERSION = 2
_BUSY_SECONDS = 15
_ID_LENGTH = 64
_STATUS_LENGTH = 16


class UtcDateTime(sa.TypeDecorator[datetime]):
    """A moment in UTC; stored without zone, since SQLite has none."""

    impl = sa.DateTime
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002
        """Take the zone away."""
        return value and value.astimezone(UTC).replace(tzinfo=None)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002
        """Give the zone back."""
        return value and value.replace(tzinfo=UTC)


_METADATA = sa.MetaData()
_VERSION = sa.Table(
    "songnet_history_schema",
    _METADATA,
    sa.Column("version", sa.Integer, primary_key=True, autoincrement=False),
)
#: A `songnet.history.records.HistoryRecord` a row, and whose it is.
RECORDS = sa.Table(
    "songnet_history",
    _METADATA,
    sa.Column("record_id", sa.String(_ID_LENGTH), primary_key=True),
    sa.Column("owner", sa.String(_ID_LENGTH), nullable=False),
    sa.Column("sha256", sa.String(_ID_LENGTH), nullable=False, index=True),
    sa.Column("name", sa.String(MAX_TEXT), nullable=False),
    sa.Column("artist", sa.String(MAX_TEXT), nullable=False),
    sa.Column("title", sa.String(MAX_TEXT), nullable=False),
    sa.Column("album", sa.String(MAX_TEXT), nullable=False),
    sa.Column("tag_genre", sa.String(MAX_TEXT), nullable=False),
    sa.Column("year", sa.Integer),
    sa.Column("genre", sa.String(MAX_MODEL), nullable=False),
    sa.Column("status", sa.String(_STATUS_LENGTH), nullable=False),
    sa.Column("probabilities", sa.JSON, nullable=False),
    sa.Column("duration_seconds", sa.Double, nullable=False),
    sa.Column("model", sa.String(MAX_MODEL), nullable=False),
    sa.Column("classified_at", UtcDateTime, nullable=False),
    sa.Column("corrected_genre", sa.String(MAX_GENRE)),
    sa.Column("corrected_at", UtcDateTime),
    # Case is folded here: the databases' own functions know only ASCII, or a locale.
    sa.Column("searched_text", sa.Text, nullable=False),
    sa.Column("searched_correction", sa.Text, nullable=False),
    sa.UniqueConstraint("owner", "sha256", "model"),
    sa.Index("ix_songnet_history_owner_time", "owner", "classified_at"),
)


def open_database(url: str) -> Engine:
    """Connect to a database and make its tables if they are missing.

    Parameters
    ----------
    url : str
        Any that SQLAlchemy knows; the folder of a SQLite file is made.

    Returns
    -------
    engine : Engine
        To be shared by all threads.

    Raises
    ------
    HistoryError
        If the URL is wrong, the database cannot be reached, or its tables are
        of another version. No message holds the password of the URL.
    """
    try:
        parsed = make_url(url)
        engine = _create_engine(parsed)
    # A ValueError, as of a port that is no number, repeats a part of the password.
    except (sa.exc.ArgumentError, ImportError, ValueError):
        raise HistoryError(
            f"{HISTORY_VARIABLE} is not a URL that SQLAlchemy can open; expected off, on, or one "
            "such as sqlite:////home/me/history.db or postgresql+psycopg://user:password@host/name "
            "(in a password, @ is written %40, : is %3A and / is %2F)."
        ) from None
    where = parsed.render_as_string(hide_password=True)
    try:
        version = _make_tables(engine)
    except (sa.exc.SQLAlchemyError, OSError) as error:
        engine.dispose()
        raise HistoryError(
            f"The history in {where} cannot be opened; check that the database runs and that "
            "user, password and folder are right."
        ) from error
    if version != SCHEMA_VERSION:
        engine.dispose()
        raise HistoryError(
            f"The history in {where} is of version {version}, this program reads {SCHEMA_VERSION}; "
            "name another database, or use the program that made it."
        )
    return engine


def _create_engine(url: URL) -> Engine:
    if url.get_backend_name() != "sqlite":
        return sa.create_engine(url, pool_pre_ping=True)
    if url.database in (None, "", ":memory:"):
        raise sa.exc.ArgumentError("in memory every thread would have a history of its own")
    engine = sa.create_engine(url, connect_args={"timeout": _BUSY_SECONDS})

    @sa.event.listens_for(engine, "connect")
    def _prepare(connection: Any, _: Any) -> None:
        # Readers and a writer at the same time; a crash of the machine loses at most the last.
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("PRAGMA synchronous=NORMAL")
        # What is deleted is overwritten, in the file too.
        connection.execute("PRAGMA secure_delete=ON")

    return engine


def _make_tables(engine: Engine) -> int:
    """Make what is missing, and return the version of what is there."""
    if engine.dialect.name == "sqlite":
        _make_private_file(Path(str(engine.url.database)))
    try:
        return _read_or_write_version(engine)
    except (sa.exc.OperationalError, sa.exc.ProgrammingError, sa.exc.IntegrityError):
        # Another process made the tables at the same moment, or nothing helps.
        return _read_or_write_version(engine)


def _read_or_write_version(engine: Engine) -> int:
    with engine.begin() as connection:
        if engine.dialect.name == "sqlite":
            # The lock for writing from the start, so that the others wait for the tables.
            connection.exec_driver_sql("BEGIN IMMEDIATE")
        if not sa.inspect(connection).has_table(_VERSION.name):
            _METADATA.create_all(connection)
            connection.execute(sa.insert(_VERSION).values(version=SCHEMA_VERSION))
        return int(connection.scalar(sa.select(sa.func.max(_VERSION.c.version))) or 0)


def _make_private_file(path: Path) -> None:
    """Make the file readable by its owner alone; SQLite gives its side files the same rights."""
    path.parent.mkdir(parents=True, exist_ok=True)
    os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))
