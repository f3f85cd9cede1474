from __future__ import annotations

import hashlib
import re
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import Result

from songnet.datasets.download import Archive
from songnet.datasets.gtzan import GTZAN_GENRES
from songnet.datasets.index import read_index
from songnet.datasets.registry import DATASET_NAMES
from tests.cli.conftest import write_tone
from tests.datasets.fma_files import fma_row, write_clips, write_tracks_csv
from tests.datasets.server import FileServer, serve

Songnet = Callable[..., Result]


@pytest.fixture
def synthetic(songnet: Songnet, tmp_path: Path) -> Path:
    folder = tmp_path / "synthetic"
    result = songnet("data", "synthetic", folder, "--tracks-per-genre", 5, "--seconds", 1)
    assert result.exit_code == 0
    assert result.stdout.startswith("20 tracks of ")
    return folder


def test_list_describes_every_data_set(songnet: Songnet) -> None:
    lines = songnet("data", "list").stdout.splitlines()[1:]
    assert [line.split()[0] for line in lines] == list(DATASET_NAMES)


def test_info_counts_tracks_and_artists(songnet: Songnet, synthetic: Path) -> None:
    out = songnet("data", "info", "synthetic", "--root", synthetic).stdout
    rows = dict(line.split(maxsplit=1) for line in out.splitlines() if line)
    assert rows["Tracks"].strip() == "20"
    assert rows["Folds"].strip() == "0, 1, 2, 3, 4"
    assert rows["Techno"].split() == ["5", "5"]


def test_info_of_fma_names_what_is_left_out_and_needs_no_audio(
    songnet: Songnet, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SONGNET_CACHE", str(tmp_path / "cache"))
    write_tracks_csv(tmp_path / "fma_metadata", {i: fma_row(i) for i in (2, 3, 98565)})
    metadata = songnet("data", "info", "fma-metadata", "--root", tmp_path)
    assert metadata.exit_code == 0
    assert "3, without audio" in metadata.stdout
    assert re.search(r"Folk +2 +2", metadata.stdout)
    write_clips(tmp_path / "fma_small", (2,))
    out = songnet("data", "info", "fma-small", "--root", tmp_path).stdout
    assert "1: known to be too short (098565)" in out
    assert "1: its file is missing (000003)" in out
    refused = songnet("features", "--dataset", "fma-metadata", "--root", tmp_path)
    assert refused.exit_code == 1
    assert "fma-metadata holds no audio" in refused.stderr


def test_info_of_a_folder_of_genres(songnet: Songnet, tmp_path: Path) -> None:
    for seconds, name in enumerate(("Polka/a.wav", "Ska/b.wav", "Ska/c.wav"), start=1):
        write_tone(tmp_path / "music" / name, seconds=seconds)
    out = songnet("data", "info", tmp_path / "music").stdout
    assert re.search(r"Ska +2 +2", out)
    assert "unknown" in out
    assert "Doubtful" not in out
    for copy in ("Polka/again.wav", "Ska/again.wav"):
        shutil.copy(tmp_path / "music/Ska/b.wav", tmp_path / "music" / copy)
    out = songnet("data", "info", tmp_path / "music").stdout
    names = r"Polka/again\.wav, Ska/again\.wav, Ska/b\.wav"
    assert re.search(rf"Doubtful +3: the same bytes under several genres \({names}\)", out)
    assert re.search(r"Ska +3 +2", out)


def test_verify_passes_and_then_names_a_changed_file(songnet: Songnet, synthetic: Path) -> None:
    whole = songnet("data", "verify", "synthetic", "--root", synthetic)
    assert whole.stdout == "synthetic: 20 files are there and match their checksums.\n"
    write_tone(synthetic / "Bells" / "0001.flac")
    result = songnet("data", "verify", "synthetic", "--root", synthetic)
    assert result.exit_code == 1
    assert "0001.flac" in result.stderr
    nothing = songnet("data", "verify", "synthetic", "--root", synthetic / "elsewhere")
    assert nothing.exit_code == 1
    assert not (synthetic / "elsewhere").exists()


def check_verify_names(result: Result, *names: str) -> None:
    assert result.exit_code == 1
    assert result.stdout == ""
    assert len(result.stderr.splitlines()) == 1
    assert f"({', '.join(names)})" in result.stderr


def test_verify_of_a_folder_compares_with_its_index(
    songnet: Songnet, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SONGNET_CACHE", str(tmp_path / "cache"))
    music = tmp_path / "music"
    for name in ("Polka/a.wav", "Polka/b.wav", "Ska/a.wav", "Ska/b.wav"):
        write_tone(music / name, seconds=0.5)
    nothing = songnet("data", "verify", music)
    assert nothing.exit_code == 1
    assert "nothing to compare with" in nothing.stderr
    assert songnet("data", "index", music).exit_code == 0
    assert "4 files are there and match" in songnet("data", "verify", music).stdout
    by_name = songnet("data", "verify", "folder", "--root", music)
    assert by_name.stdout == "folder: 4 files are there and match their checksums.\n"
    write_tone(music / "Polka" / "b.wav", seconds=0.6)
    (music / "Ska" / "a.wav").unlink()
    for _ in range(2):
        check_verify_names(songnet("data", "verify", music), "Polka/b.wav", "Ska/a.wav")


def test_verify_of_gtzan_compares_with_its_index(
    songnet: Songnet, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SONGNET_CACHE", str(tmp_path / "cache"))
    for genre in GTZAN_GENRES:
        write_tone(tmp_path / "gtzan" / "genres" / genre / f"{genre}.00000.wav", seconds=0.2)
    verify = ("data", "verify", "gtzan", "--root", tmp_path)
    assert "nothing to compare with" in songnet(*verify).stderr
    songnet("data", "index", "gtzan", "--root", tmp_path)
    assert songnet(*verify).stdout == "gtzan: 10 files are there and match their checksums.\n"
    (tmp_path / "gtzan" / "genres" / "jazz" / "jazz.00000.wav").write_bytes(b"damaged")
    check_verify_names(songnet(*verify), "genres/jazz/jazz.00000.wav")


def test_an_unknown_data_set_is_one_line(songnet: Songnet) -> None:
    result = songnet("data", "info", "nothing")
    assert result.exit_code == 1
    assert len(result.stderr.splitlines()) == 1


def test_features_are_computed_once(songnet: Songnet, synthetic: Path, tmp_path: Path) -> None:
    arguments = ("features", "--dataset", "synthetic", "--root", synthetic, "--jobs", 1)
    first = songnet(*arguments, "--store", tmp_path / "store")
    again = songnet(*arguments, "--store", tmp_path / "store")
    assert (first.exit_code, again.exit_code) == (0, 0)
    assert "20 computed, 0 there before, 0 failed" in first.stderr
    assert "0 computed, 20 there before, 0 failed" in again.stderr


def test_features_name_the_tracks_that_cannot_be_read(
    songnet: Songnet, tmp_path: Path, broken: Path
) -> None:
    music = tmp_path / "music"
    write_tone(music / "Polka" / "a.wav")
    write_tone(music / "Ska" / "b.wav", seconds=2)
    broken.rename(music / "Ska" / "broken.mp3")
    result = songnet("features", "--dataset", music, "--jobs", 1, "--store", tmp_path / "store")
    assert result.exit_code == 1
    assert "Ska/broken.mp3: " in result.stderr
    assert "2 computed, 0 there before, 1 failed" in result.stderr


@pytest.fixture
def fma(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("SONGNET_CACHE", str(tmp_path / "cache"))
    rows = {i: fma_row(i) for i in (2, 3, 98565)}
    rows[3] = fma_row(3, set__split="test")
    write_tracks_csv(tmp_path / "fma" / "fma_metadata", rows)
    write_clips(tmp_path / "fma" / "fma_small", (2, 3))
    return tmp_path / "fma"


def test_info_shows_the_split_and_what_is_left_out(songnet: Songnet, fma: Path) -> None:
    out = songnet("data", "info", "fma-small", "--data-root", fma).stdout
    rows = dict(line.split(maxsplit=1) for line in out.splitlines() if line)
    assert rows["Split"].strip() == "train 1, test 1"
    assert re.search(r"Left out +1: known to be too short", out)


def test_verify_of_fma_compares_with_the_list_of_its_archive(songnet: Songnet, fma: Path) -> None:
    verify = ("data", "verify", "fma-small", "--root", fma)
    assert songnet(*verify).stdout == "fma-small: 2 files are there and match their checksums.\n"
    (fma / "fma_small" / "000" / "000002.mp3").write_bytes(b"damaged")
    (fma / "fma_small" / "000" / "000003.mp3").unlink()
    check_verify_names(songnet(*verify), "000/000002.mp3", "000/000003.mp3")
    metadata = songnet("data", "verify", "fma-metadata", "--root", fma)
    assert metadata.exit_code == 1
    assert "songnet data download fma-metadata" in metadata.stderr


def test_index_says_where_the_table_is(songnet: Songnet, fma: Path) -> None:
    out = songnet("data", "index", "fma-metadata", "--root", fma).stdout
    count, _, path = out.strip().partition(" tracks in ")
    assert count == "3"
    assert len(read_index(Path(path))) == 3


def test_download_fetches_once_and_then_says_so(
    songnet: Songnet, fma: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    packed = shutil.make_archive(str(tmp_path / "fma_small"), "zip", fma, "fma_small")
    data = Path(packed).read_bytes()
    with serve(FileServer({"/fma_small.zip": data})) as server:
        row = {
            "file": "fma_small.zip",
            "urls": [f"{server.url}/fma_small.zip"],
            "known_hash": f"sha1:{hashlib.sha1(data).hexdigest()}",
            "folder": "fma_small",
            "size_gib": 0.01,
            "unpacked_gib": 0.01,
        }
        archives = {"fma-small": Archive(name="fma-small", **row)}
        monkeypatch.setattr("songnet.datasets.download.load_archives", lambda: archives)
        monkeypatch.setenv("SONGNET_DATA", str(tmp_path / "fetched"))
        first = songnet("data", "download", "fma-small")
        assert first.stdout == f"fma-small: fetched and checked, in {tmp_path}/fetched/fma_small\n"
    again = songnet("data", "download", "fma-small")
    assert again.stdout == f"fma-small: there already, in {tmp_path}/fetched/fma_small\n"
    assert songnet("data", "download", "msd").exit_code == 1
    offline = songnet("data", "download", "fma-small", "--root", tmp_path / "other")
    assert offline.exit_code == 1
    assert len(offline.stderr.splitlines()) == 1
    assert "cannot be reached" in offline.stderr
