"""The FMA loader, on generated clips with official tables and on the real excerpt."""

from __future__ import annotations

import csv
import shutil
from collections import Counter
from pathlib import Path

import pytest

from songnet.datasets.fma import BROKEN_IDS, load_fma, load_fma_metadata, verify_fma
from songnet.datasets.fma_metadata import read_fma_metadata, read_year
from songnet.exceptions import DatasetError
from tests.datasets.fma_files import fma_row, write_clips, write_tracks_csv

IDS = (2, 3, 4, 5, 1001)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    rows = {i: fma_row(i) for i in IDS}
    rows[3] = fma_row(3, set__split="validation", track__date_recorded="")
    rows[4] = fma_row(4, set__split="test", track__date_recorded="", album__date_released="")
    rows[5] = fma_row(5, set__subset="medium", track__title="  Ça\n va ")
    rows[6] = fma_row(6, set__subset="large", track__genre_top="")
    write_tracks_csv(tmp_path / "fma_metadata", rows)
    write_clips(tmp_path / "fma_small", (2, 3, 4, 1001))
    write_clips(tmp_path / "fma_medium", IDS)
    return tmp_path


def test_rows_become_tracks(root: Path) -> None:
    dataset = load_fma(root, subset="small")
    assert dataset.name == "fma-small"
    assert [t.track_id for t in dataset] == ["000002", "000003", "000004", "001001"]
    assert [t.split for t in dataset] == ["train", "validation", "test", "train"]
    assert [t.year for t in dataset] == [2008, 2009, None, 2008]
    first = dataset.tracks[0]
    assert first.path == root / "fma_small" / "000" / "000002.mp3"
    assert (first.genre, first.artist, first.title) == ("Rock", "Artist 1", "Song 2")
    assert (first.group, first.licence, first.source) == ("artist:1", "Attribution 3.0", "fma")
    assert first.duration_seconds == pytest.approx(1, abs=0.2)
    assert len(first.sha1) == 40
    assert len(first.sha256) == 64
    assert dataset.splits == ("train", "validation", "test")
    assert not dataset.skipped


def test_verify_compares_with_the_list_of_the_archive(root: Path) -> None:
    audio = root / "fma_small"
    assert verify_fma(audio) == 4
    (audio / "000" / "000002.mp3").write_bytes((audio / "000" / "000003.mp3").read_bytes())
    (audio / "000" / "000004.mp3").unlink()
    with pytest.raises(DatasetError, match=r"2 of 4 files .*\(000/000002\.mp3, 000/000004\.mp3\)"):
        verify_fma(audio)
    (audio / "checksums").unlink()
    with pytest.raises(DatasetError, match=r"nothing to compare with; run .*download fma-small`"):
        verify_fma(audio)


def test_subsets_hold_the_smaller_ones(root: Path) -> None:
    assert [t.track_id for t in load_fma(root, subset="medium")][-2:] == ["000005", "001001"]
    assert load_fma(root, subset="medium").tracks[3].title == "Ça va"
    shutil.move(root / "fma_medium", root / "fma_full")
    full = load_fma(root, subset="full")
    assert len(full) == 5
    assert full.skipped == {"000006": "its file is missing"}


def test_a_track_without_one_top_level_genre_is_skipped(root: Path) -> None:
    shutil.move(root / "fma_medium", root / "fma_large")
    write_clips(root / "fma_large", (*IDS, 6))
    assert load_fma(root, subset="large").skipped == {"000006": "it has no single top-level genre"}


@pytest.mark.parametrize("track_id", BROKEN_IDS)
def test_broken_clips_are_left_out_by_name(root: Path, track_id: int) -> None:
    write_tracks_csv(root / "fma_metadata", {i: fma_row(i) for i in (2, 3, track_id)})
    write_clips(root / "fma_small", (2, 3, track_id))
    dataset = load_fma(root, subset="small")
    assert [t.track_id for t in dataset] == ["000002", "000003"]
    assert dataset.skipped[f"{track_id:06d}"].startswith("known to ")


def test_bad_files_are_skipped_with_the_reason(root: Path) -> None:
    audio = root / "fma_small" / "000"
    (audio / "000002.mp3").unlink()
    (audio / "000003.mp3").write_bytes(b"no music")
    (audio / "000004.mp3").write_bytes((root / "fma_small/001/001001.mp3").read_bytes())
    dataset = load_fma(root, subset="small")
    assert [t.track_id for t in dataset] == ["001001"]
    assert dataset.skipped["000002"] == "its file is missing"
    assert "not audio that can be decoded" in dataset.skipped["000003"]
    assert dataset.skipped["000004"] == "its SHA-1 is not the official one"


def test_without_audio_or_tables_it_says_what_to_fetch(root: Path, tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match="run `songnet data download fma-large`"):
        load_fma(root, subset="large")
    shutil.rmtree(root / "fma_metadata")
    with pytest.raises(DatasetError, match="run `songnet data download fma-metadata`"):
        load_fma(root, subset="small")


def test_a_damaged_table_is_refused(root: Path) -> None:
    (root / "fma_metadata" / "tracks.csv").write_text("track_id,title\n2,x\n3,y\n")
    with pytest.raises(DatasetError, match="cannot be read"):
        load_fma(root, subset="small")


def test_metadata_alone_lists_every_track(root: Path) -> None:
    shutil.rmtree(root / "fma_medium")
    dataset = load_fma_metadata(root)
    assert [t.track_id for t in dataset] == [*(f"{i:06d}" for i in IDS), "000006"]
    by_id = {t.track_id: t for t in dataset}
    assert by_id["000006"].genre == ""
    assert by_id["000002"].sha1 == load_fma(root, subset="small").tracks[0].sha1
    assert by_id["000005"].sha1 == ""
    assert by_id["000002"].duration_seconds == 168


def write_raw(folder: Path) -> None:
    columns = (
        *("track_id", "album_title", "artist_id", "artist_name", "license_title"),
        *("track_date_recorded", "track_duration", "track_genres", "track_title"),
    )
    genres = "[{{'genre_id': '{}', 'genre_title': 'x', 'genre_url': 'u'}}]"
    rows = [
        (2, "A", 1, "B", "CC0", "8/01/02", "02:48", genres.format(85), "T"),
        (
            3,
            "A",
            1,
            "B",
            "CC0",
            "",
            "168",
            genres.format(12)[:-1] + "," + genres.format(17)[1:],
            "U",
        ),
    ]
    with (folder / "raw_tracks.csv").open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([columns, *rows])


def test_raw_tracks_fill_what_tracks_lack(root: Path) -> None:
    folder = root / "fma_metadata"
    write_tracks_csv(folder, {2: fma_row(2, track__license="", track__date_recorded="")})
    write_raw(folder)
    entry = read_fma_metadata(folder)[2]
    assert (entry.licence, entry.year) == ("CC0", 2002)


def test_raw_tracks_stand_in_with_the_tree_of_genres(tmp_path: Path) -> None:
    write_raw(tmp_path)
    lines = ["genre_id,#tracks,parent,title,top_level", "12,1,0,Rock,12", "85,1,12,Garage,12"]
    (tmp_path / "genres.csv").write_text("\n".join([*lines, "17,1,0,Folk,17", ""]))
    entries = read_fma_metadata(tmp_path)
    assert [entry.genre for entry in entries.values()] == ["Rock", ""]
    assert [entry.seconds for entry in entries.values()] == [168, 168]
    assert [entry.split for entry in entries.values()] == ["", ""]


@pytest.mark.parametrize(
    ("dates", "year"),
    [
        (("2008-11-26 00:00:00", "1999-01-01"), 2008),
        (("", "1999-01-01 00:00:00"), 1999),
        (("11/26/2008",), 2008),
        (("8/01/02",), 2002),
        (("8/01/85",), 1985),
        (("2008",), 2008),
        (("0000-00-00", "12345", ""), None),
        ((), None),
    ],
)
def test_years(dates: tuple[str, ...], year: int | None) -> None:
    assert read_year(*dates) == year


@pytest.mark.corpus
def test_the_real_excerpt(corpus_root: Path) -> None:
    dataset = load_fma(corpus_root, subset="small")
    assert len(dataset) == 12
    assert Counter(t.genre for t in dataset) == {
        "Folk": 7,
        "Hip-Hop": 2,
        "Pop": 1,
        "Rock": 1,
        "Experimental": 1,
    }
    tracks = {t.track_id: t for t in dataset}
    food = tracks["000002"]
    assert (food.artist, food.title, food.year) == ("AWOL", "Food", 2008)
    assert food.licence == "Attribution-NonCommercial-ShareAlike 3.0 International"
    assert food.sha1 == "6976e70271234351250ada3fc49c5afd69ba9864"
    assert food.duration_seconds == pytest.approx(30, abs=0.2)
    assert tracks["000148"].year == 2002
    assert tracks["000190"].year is None
    assert all(t.licence for t in dataset)
    assert set(dataset.skipped.values()) <= {"its file is missing", *BROKEN_IDS.values()}


@pytest.mark.corpus
def test_the_real_rows_of_the_metadata(corpus_root: Path) -> None:
    entries = read_fma_metadata(corpus_root / "fma_metadata")
    assert len(entries) == 2000
    assert all(entry.artist and entry.title for entry in entries.values())
    years = Counter(entry.year for entry in entries.values())
    assert min(year for year in years if year) >= 1900
    assert max(year for year in years if year) <= 2017
