from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import Result

from songnet.inference.classifier import Classifier
from songnet.inference.collection import read_collection, write_collection
from tests.cli.conftest import write_tone
from tests.inference.collections_stub import embedding_classifier, generated_collection

Songnet = Callable[..., Result]


@pytest.fixture(autouse=True)
def model(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A small model with embeddings, and a cache of its own."""
    monkeypatch.setattr(Classifier, "load", lambda *_, **__: embedding_classifier())
    monkeypatch.setenv("SONGNET_CACHE", str(tmp_path / "cache"))


def test_a_folder_of_music_goes_where_the_app_looks(
    songnet: Songnet, tmp_path: Path, broken: Path
) -> None:
    music = tmp_path / "music"
    write_tone(music / "any" / "where.wav")
    broken.rename(music / "broken.mp3")
    result = songnet("collection", "build", "--music", music)
    assert result.exit_code == 1
    assert "broken.mp3" in result.stderr
    assert result.stdout.startswith("1 of 2 tracks")
    made = read_collection(tmp_path / "cache" / "collections" / "music" / "collection.parquet")
    assert made.frame["status"].tolist() == ["ok", "error"]


def test_one_source_is_needed(songnet: Songnet, tmp_path: Path) -> None:
    for arguments in ((), ("--dataset", "corpus", "--music", tmp_path)):
        result = songnet("collection", "build", *arguments)
        assert result.exit_code == 2
        assert "--dataset or --music" in result.stderr


def test_share_writes_no_path(songnet: Songnet, tmp_path: Path) -> None:
    made = generated_collection(12, root=tmp_path)
    made.frame["path"] = "song.wav"
    write_collection(made, tmp_path / "c" / "collection.parquet")
    target = tmp_path / "neighbours.parquet"
    assert songnet("collection", "share", tmp_path / "c", "--to", target).exit_code == 0
    shared = read_collection(target)
    assert len(shared) == 12
    assert set(shared.frame["path"]) == {""}


def test_a_place_that_cannot_be_written_is_one_line(songnet: Songnet, tmp_path: Path) -> None:
    write_collection(generated_collection(12), tmp_path / "collection.parquet")
    for target in ("collection.parquet/no/folder.parquet", "collection.parquet/file.parquet"):
        result = songnet("collection", "share", tmp_path, "--to", tmp_path / target)
        assert result.exit_code == 1
        (line,) = result.stderr.splitlines()
        assert line.startswith(str(tmp_path / "collection.parquet"))
        assert line.endswith((": Not a directory", ": File exists"))


def test_doubts_name_the_wrong_labels(songnet: Songnet, tmp_path: Path) -> None:
    write_collection(generated_collection(120), tmp_path / "collection.parquet")
    lines = songnet("collection", "doubts", tmp_path, "--top", 3).stdout.splitlines()
    assert len(lines) == 4
    assert all(int(line.split()[0].removeprefix("t")) % 10 == 0 for line in lines[1:])


def test_what_is_no_collection_is_one_line(songnet: Songnet, tmp_path: Path) -> None:
    result = songnet("collection", "doubts", tmp_path)
    assert result.exit_code == 1
    assert result.stderr.count("\n") == 1
