"""Data sets by name."""

from __future__ import annotations

from pathlib import Path

import pytest

from songnet.datasets import registry
from songnet.datasets.registry import DATASET_NAMES, cache_root, load_dataset, open_collection
from songnet.datasets.synthetic import generate_synthetic
from songnet.exceptions import DatasetError
from tests.datasets.fma_files import fma_row, write_clips, write_tracks_csv
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
    with pytest.raises(DatasetError, match="no data set 'msd'; expected one of corpus, folder"):
        load_dataset("msd", root=tmp_path)


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
    assert (
        *("corpus", "folder", "synthetic", "fma-small", "fma-medium", "fma-large", "fma-full"),
        *("fma-metadata", "gtzan"),
    ) == DATASET_NAMES


@pytest.fixture
def fma(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("SONGNET_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("SONGNET_DATA", str(tmp_path / "data"))
    write_tracks_csv(tmp_path / "data" / "fma_metadata", {i: fma_row(i) for i in (2, 3)})
    write_clips(tmp_path / "data" / "fma_small", (2, 3))
    return tmp_path / "data"


def test_fma_is_read_once_and_again_when_a_file_changes(
    fma: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[tuple[int, int]] = []

    def note(done: int, total: int) -> None:
        seen.append((done, total))

    first = load_dataset("fma-small", progress=note)
    assert seen == [(1, 2), (2, 2)]
    assert load_dataset("fma-small", root=fma, progress=note) == first
    assert len(seen) == 2
    (fma / "fma_small" / "000" / "000003.mp3").unlink()
    assert [t.track_id for t in load_dataset("fma-small", progress=note)] == ["000002"]
    assert open_collection("fma-small").skipped == {"000003": "its file is missing"}


def test_any_collection_opens_as_a_table(fma: Path, music: Path) -> None:
    assert open_collection("fma-metadata").frame["path"].tolist() == ["", ""]
    own = open_collection(str(music))
    assert own.frame["genre"].tolist() == ["Jazz", "Rock"]
    assert own.path_of(0) == music.resolve() / "Jazz" / "a.wav"
    assert own.to_dataset().hash == load_dataset(str(music)).hash


def test_what_was_not_downloaded_is_said(fma: Path) -> None:
    with pytest.raises(DatasetError, match="run `songnet data download gtzan`"):
        load_dataset("gtzan")
