from __future__ import annotations

import dataclasses
from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import Result

from songnet.datasets.base import file_sha256
from songnet.datasets.folder import load_folder
from songnet.history.database import DatabaseHistory
from songnet.history.schema import open_database
from tests.cli.conftest import write_tone
from tests.history.examples import record

Songnet = Callable[..., Result]


@pytest.fixture
def url(tmp_path: Path) -> str:
    """A history with two corrected files, one of which is not there."""
    url = f"sqlite:///{tmp_path}/history.db"
    engine = open_database(url)
    history = DatabaseHistory(engine, owner="me")
    sha256 = file_sha256(write_tone(tmp_path / "music" / "a.wav"))
    write_tone(tmp_path / "music" / "b.wav", seconds=1)
    for made, genre in (
        (dataclasses.replace(record("a.wav"), sha256=sha256), "Folk"),
        (record("gone.wav"), "Polka"),
    ):
        history.add(made)
        history.correct(made.sha256, genre)
    engine.dispose()
    return url


def test_corrections_become_a_training_set(songnet: Songnet, url: str, tmp_path: Path) -> None:
    arguments = ("data", "from-feedback", tmp_path / "music", "--to", tmp_path / "set")
    result = songnet(*arguments, "--history", url)
    assert result.exit_code == 0, result.stderr
    assert result.stdout == f"1 tracks of Folk in {tmp_path / 'set'}\n"
    assert "gone.wav: " in result.stderr
    assert "two genres" in result.stderr
    write_tone(tmp_path / "set" / "Ska" / "c.wav", seconds=2)
    assert load_folder(tmp_path / "set").genres == ("Folk", "Ska")


def test_the_setting_of_the_app_names_the_history(
    songnet: Songnet, url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SONGNET_HISTORY", url)
    arguments = ("data", "from-feedback", tmp_path / "music", "--to", tmp_path / "set")
    assert songnet(*arguments).exit_code == 0


@pytest.mark.parametrize(
    ("history", "reason"),
    [("off", "No history"), ("nothing", "SONGNET_HISTORY"), (None, "none of them")],
)
def test_nothing_to_learn_from_is_one_line(
    history: str | None, reason: str, songnet: Songnet, url: str, tmp_path: Path
) -> None:
    empty = tmp_path / "empty"
    empty.mkdir()
    result = songnet(
        "data", "from-feedback", empty, "--to", tmp_path / "set", "--history", history or url
    )
    assert result.exit_code == 1
    assert reason in result.stderr
    assert not (tmp_path / "set").exists()
