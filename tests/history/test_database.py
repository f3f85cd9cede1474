"""The database: owners, other writers, its version, and what it holds on disk."""

from __future__ import annotations

import multiprocessing
import stat
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from pathlib import Path

import pytest
import sqlalchemy as sa
from sqlalchemy.engine import Engine

from songnet.exceptions import HistoryError
from songnet.history.database import DatabaseHistory, read_corrections
from songnet.history.place import history_url
from songnet.history.records import HistoryQuery
from songnet.history.schema import SCHEMA_VERSION, open_database
from tests.history.examples import record

ALL = HistoryQuery()
BOTH = pytest.mark.parametrize("url", ["sqlite", "postgresql"], indirect=True)


@BOTH
def test_owners_do_not_reach_one_another(engine: Engine) -> None:
    mine, yours = (DatabaseHistory(engine, owner=name) for name in ("me", "you"))
    mine.add(record("a"))
    yours.add(record("b", genre="Rock"))
    assert yours.search(HistoryQuery(sha256=record("a").sha256)) == ()
    yours.correct(record("a").sha256, "Folk")
    assert yours.delete(HistoryQuery(record_id=record("a").record_id)) == ()
    yours.delete(ALL)
    assert mine.search(ALL) == (record("a"),)
    assert yours.count(ALL) == 0


@BOTH
def test_corrections_of_all_owners_are_read_latest_first(engine: Engine) -> None:
    for owner, genre in (("me", "Folk"), ("you", "Blues")):
        history = DatabaseHistory(engine, owner=owner)
        history.add(record("a", model=f"of {owner}"))
        history.add(record("not corrected", model=f"of {owner}"))
        history.correct(record("a").sha256, genre)
    assert [r.corrected_genre for r in read_corrections(engine)] == ["Blues", "Folk"]


@BOTH
def test_threads_write_at_the_same_time(engine: Engine) -> None:
    def write(number: int) -> None:
        history = DatabaseHistory(engine, owner="me")
        history.add(record(f"own {number}", minutes=number))
        history.add(record("the same", minutes=number))

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(write, range(24)))
    assert DatabaseHistory(engine, owner="me").count(ALL) == 25


def _write_in_a_process(url: str, number: int) -> None:
    engine = open_database(url)
    history = DatabaseHistory(engine, owner="me")
    for minutes in range(5):
        history.add(record(f"own {number} {minutes}", minutes=minutes))
        history.add(record("the same", minutes=minutes))
    engine.dispose()


@BOTH
def test_processes_make_the_tables_and_write_at_the_same_time(url: str) -> None:
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(4, mp_context=context) as pool:
        for future in [pool.submit(_write_in_a_process, url, i) for i in range(4)]:
            future.result()
    engine = open_database(url)
    assert DatabaseHistory(engine, owner="me").count(ALL) == 4 * 5 + 1
    engine.dispose()


@BOTH
def test_records_are_there_after_a_restart(url: str) -> None:
    for _ in range(2):
        engine = open_database(url)
        DatabaseHistory(engine, owner="me").add(record("a"))
        assert DatabaseHistory(engine, owner="me").search(ALL) == (record("a"),)
        engine.dispose()


@BOTH
def test_tables_of_another_version_are_refused(engine: Engine, url: str) -> None:
    with engine.begin() as connection:
        newer = SCHEMA_VERSION + 1
        connection.execute(sa.text(f"UPDATE songnet_history_schema SET version = {newer}"))
    with pytest.raises(HistoryError, match=f"version {newer}"):
        open_database(url)


@BOTH
def test_a_database_that_stops_to_answer_is_an_error(engine: Engine) -> None:
    history = DatabaseHistory(engine, owner="me")
    with engine.begin() as connection:
        connection.execute(sa.text("DROP TABLE songnet_history"))
    with pytest.raises(HistoryError, match="does not answer"):
        history.add(record("a"))


def test_sqlite_is_private_and_forgets_what_is_deleted(engine: Engine, url: str) -> None:
    history = DatabaseHistory(engine, owner="me")
    history.add(record("a very private name"))
    file = Path(url.removeprefix("sqlite:///"))
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    with engine.connect() as connection:
        assert connection.execute(sa.text("PRAGMA journal_mode")).scalar() == "wal"
    history.delete(ALL)
    engine.dispose()
    contents = b"".join(path.read_bytes() for path in file.parent.iterdir())
    assert b"a very private name" not in contents


@pytest.mark.parametrize(
    "address",
    [
        "history.db",
        "",
        "sqlite://",
        "sqlite:///:memory:",
        "nothing://user:s3cret@host/name",
        "postgresql+psycopg://user:part@s3cret:part@host/name",
        "postgresql+psycopg://user:s3cret@127.0.0.1:1/name",
        "sqlite:////proc/nowhere/history.db",
    ],
)
def test_wrong_addresses_are_refused_without_their_password(address: str) -> None:
    with pytest.raises(HistoryError) as raised:
        open_database(address)
    assert "s3cret" not in str(raised.value)
    assert str(raised.value).endswith(".")


def test_on_means_a_file_in_the_data_folder_of_the_user(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    monkeypatch.setenv("SONGNET_HISTORY", "on")
    url = history_url()
    assert url is not None
    open_database(url).dispose()
    assert (tmp_path / "songnet" / "history.db").is_file()


@pytest.mark.parametrize("setting", [None, "", "off", "OFF"])
def test_off_is_the_default(setting: str | None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SONGNET_HISTORY", raising=False)
    assert history_url(setting) is None


def test_any_other_setting_is_the_url() -> None:
    assert history_url("postgresql://host/name") == "postgresql://host/name"
