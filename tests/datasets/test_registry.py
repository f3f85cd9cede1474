"""Data sets by name."""

from __future__ import annotations

from pathlib import Path

import pytest

from songnet.datasets import registry
from songnet.datasets.registry import DATASET_NAMES, cache_root, load_dataset
from songnet.datasets.synthetic import generate_synthetic
from songnet.exceptions import DatasetError
from tests.encoders import encode_soundfile, sine


@pytest.fixture
def music(tmp_path: Path) -> Path:
    for genre in ("Jazz", "Rock"):
        folder = tmp_path / "music" / genre
        folder.mkdir(parents=True)
        (folder / "a.wav").write_bytes(encode_soundfile(sine(), sr=44_100, kind="WAV"))
    return tmp_path / "music"


def test_folder_by_name_and_by_path(music: Path) -> None:
    assert load_dataset("folder", root=music) == load_dataset(str(music))


def test_folder_needs_its_root() -> None:
    with pytest.raises(DatasetError, match='"folder" needs its folder'):
        load_dataset("folder")


def test_unknown_name_lists_the_known(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match="no data set 'gtzan'; expected one of corpus, folder"):
        load_dataset("gtzan", root=tmp_path)


def test_corpus_is_found_by_option_or_variable(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("SONGNET_CORPUS", raising=False)
    with pytest.raises(DatasetError, match="pass one or set the variable SONGNET_CORPUS"):
        load_dataset("corpus")
    with pytest.raises(DatasetError, match=r"has no manifest\.csv"):
        load_dataset("corpus", root=tmp_path)


def test_synthetic_is_generated_once_in_the_cache(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls = []

    def generate_small(root: Path) -> object:
        calls.append(root)
        return generate_synthetic(root, tracks_per_genre=5, seconds=0.2)

    monkeypatch.setenv("SONGNET_CACHE", str(tmp_path))
    monkeypatch.setattr(registry, "generate_synthetic", generate_small)
    first, second = load_dataset("synthetic"), load_dataset("synthetic")
    assert first == second
    assert calls == [tmp_path / "synthetic"]
    other = load_dataset("synthetic", root=tmp_path / "elsewhere")
    assert other.hash == first.hash
    assert calls == [tmp_path / "synthetic", tmp_path / "elsewhere"]


def test_cache_is_named_by_the_variable_or_the_system(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SONGNET_CACHE", str(tmp_path))
    assert cache_root() == tmp_path
    monkeypatch.delenv("SONGNET_CACHE")
    assert cache_root().name == "songnet"
    assert cache_root().is_absolute()


def test_names() -> None:
    assert DATASET_NAMES == ("corpus", "folder", "synthetic")
