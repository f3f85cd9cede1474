"""Histories to test: in memory, in SQLite, and in a PostgreSQL server started for it."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa
from sqlalchemy.engine import Engine

from songnet.history.database import DatabaseHistory
from songnet.history.memory import MemoryHistory
from songnet.history.records import History
from songnet.history.schema import open_database

NOBODY = "nobody"


def find_postgres() -> Path | None:
    """Folder of PostgreSQL's own programs; Debian keeps them out of PATH."""
    found = shutil.which("initdb")
    if found:
        return Path(found).parent
    folders = Path("/usr/lib/postgresql").glob("*/bin")
    return max((f for f in folders if (f / "initdb").is_file()), default=None)


@pytest.fixture(scope="session")
def postgres_url() -> Iterator[str]:
    """A private server on a socket in a folder of its own, gone after the tests."""
    programs = find_postgres()
    if programs is None:
        pytest.skip("PostgreSQL is not installed: apt-get install postgresql")
    # It refuses to run as root, and a socket's path must be short.
    user = NOBODY if os.geteuid() == 0 else None
    with tempfile.TemporaryDirectory(prefix="songnet-pg-") as name:
        folder = Path(name)
        if user:
            shutil.chown(folder, user)

        def run(program: str, *arguments: str) -> None:
            command = [str(programs / program), "-D", str(folder / "data"), *arguments]
            done = subprocess.run(
                command, user=user, cwd=folder, stdout=subprocess.DEVNULL,
                stderr=subprocess.PIPE, text=True, check=False,
            )  # fmt: skip
            assert done.returncode == 0, done.stderr

        run("initdb", "-U", "songnet", "-A", "trust", "-E", "UTF8", "--locale=C", "--no-sync")
        options = f"-c listen_addresses='' -c unix_socket_directories='{folder}' -c fsync=off"
        run("pg_ctl", "-w", "-t", "120", "-l", str(folder / "log"), "-o", options, "start")
        try:
            yield f"postgresql+psycopg://songnet@/postgres?host={folder}"
        finally:
            run("pg_ctl", "-w", "-m", "immediate", "stop")


def address_of(kind: str, request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The address of an empty database."""
    if kind == "sqlite":
        return f"sqlite:///{tmp_path}/folder/history.db"
    server = str(request.getfixturevalue("postgres_url"))
    name = f"test_{uuid.uuid4().hex}"
    engine = sa.create_engine(server, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.execute(sa.text(f"CREATE DATABASE {name}"))
    engine.dispose()
    return server.replace("/postgres?", f"/{name}?")


@pytest.fixture
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    return address_of(getattr(request, "param", "sqlite"), request, tmp_path)


@pytest.fixture
def engine(url: str) -> Iterator[Engine]:
    engine = open_database(url)
    yield engine
    engine.dispose()


@pytest.fixture(params=["memory", "sqlite", "postgresql"])
def history(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[History]:
    """The same history, kept in three ways."""
    if request.param == "memory":
        yield MemoryHistory()
        return
    engine = open_database(address_of(request.param, request, tmp_path))
    yield DatabaseHistory(engine, owner="me")
    engine.dispose()
