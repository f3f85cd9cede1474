"""Who made a file: by checksum, by a name of exactly FMA's form, by tags, or unknown."""

from __future__ import annotations

from pathlib import Path

import pytest

from songnet.datasets.base import Dataset, Track
from songnet.datasets.index import write_index
from songnet.datasets.recognise import FoundBy, Recogniser
from tests.encoders import encode_pyav, sine

TAGS = {"artist": "AWOL", "title": "Food", "album": "AWOL - A Way Of Life"}


def encode(tags: dict[str, str] | None = None, *, hz: float = 440.0) -> bytes:
    y = sine(seconds=0.2, hz=hz)
    return encode_pyav(y, sr=44_100, container="mp3", codec="libmp3lame", tags=tags)


@pytest.fixture(scope="module")
def recogniser(tmp_path_factory: pytest.TempPathFactory) -> Recogniser:
    import hashlib

    folder = tmp_path_factory.mktemp("index")
    common = {"path": Path(), "group": "g"}
    food = Track(
        track_id="000002",
        genre="Hip-Hop",
        artist="A.W.O.L.",
        title="Food",
        album="A Way of Life",
        year=2008,
        licence="BY-NC-SA",
        source="fma",
        sha1=hashlib.sha1(encode(hz=880)).hexdigest(),
        **common,
    )
    other = Track(track_id="000005", genre="Rock", source="elsewhere", **common)
    write_index(Dataset("fma", (food,)), folder / "a.parquet", root=folder)
    write_index(Dataset("own", (other,)), folder / "b.parquet", root=folder)
    return Recogniser([folder / "a.parquet", folder / "b.parquet"])


def test_by_checksum_whatever_its_name(recogniser: Recogniser) -> None:
    info = recogniser.recognise(encode(hz=880), name="07 Intro.mp3")
    assert info.found_by is FoundBy.SHA1
    assert (info.artist, info.title, info.year) == ("A.W.O.L.", "Food", 2008)
    assert (info.genre, info.licence, info.track_id) == ("Hip-Hop", "BY-NC-SA", "000002")


def test_by_a_name_of_exactly_the_form(recogniser: Recogniser) -> None:
    info = recogniser.recognise(encode(), name="000002.mp3")
    assert info.found_by is FoundBy.FMA_ID
    assert "by its name alone" in info.found_by
    assert info.title == "Food"


@pytest.mark.parametrize(
    "name",
    [
        *("02 Intro.mp3", "2.mp3", "000002", "000002.MP3", "x000002.mp3", "000002 - Food.mp3"),
        *("0000002.mp3", "000002.wav", "000002.mp3.mp3", "000002.mp3\n", "a/000002.mp3", ""),
        *("٠٠٠٠٠٢.mp3", "000003.mp3", "000005.mp3"),
    ],
)
def test_no_other_name_counts(recogniser: Recogniser, name: str) -> None:
    assert recogniser.recognise(encode(), name=name).found_by is FoundBy.UNKNOWN


def test_tags_that_agree_leave_the_name_its_word(recogniser: Recogniser) -> None:
    assert recogniser.recognise(encode(TAGS), name="000002.mp3").found_by is FoundBy.FMA_ID


def test_tags_of_another_track_contradict_the_name(recogniser: Recogniser) -> None:
    info = recogniser.recognise(encode({"artist": "X", "title": "Y"}), name="000002.mp3")
    assert (info.found_by, info.artist, info.licence) == (FoundBy.TAGS, "X", "")


def test_tags_then_nothing(recogniser: Recogniser) -> None:
    info = recogniser.recognise(encode(TAGS | {"date": "2001"}), name="song.mp3")
    assert (info.found_by, info.artist, info.year) == (FoundBy.TAGS, "AWOL", 2001)
    assert recogniser.recognise(b"no audio").found_by is FoundBy.UNKNOWN


def test_without_an_index_only_tags_count() -> None:
    assert Recogniser().recognise(encode(), name="000002.mp3").found_by is FoundBy.UNKNOWN
    assert Recogniser().recognise(encode(TAGS), name="000002.mp3").found_by is FoundBy.TAGS


def test_with_a_damaged_index_the_tags_count(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / "fma.parquet"
    path.write_bytes(b"no parquet")
    info = Recogniser([path]).recognise(encode(TAGS), name="000002.mp3")
    assert (info.found_by, info.artist) == (FoundBy.TAGS, "AWOL")
    assert str(tmp_path) in caplog.text


@pytest.mark.corpus
def test_real_clips_of_fma(corpus_root: Path, tmp_path: Path) -> None:
    from songnet.datasets.fma import load_fma_metadata

    write_index(load_fma_metadata(corpus_root), tmp_path / "fma.parquet", root=corpus_root)
    recogniser = Recogniser([tmp_path / "fma.parquet"])
    paths = sorted((corpus_root / "fma_small").rglob("*.mp3"))
    for path in paths:
        data = path.read_bytes()
        assert recogniser.recognise(data, name="upload").found_by is FoundBy.SHA1
        assert recogniser.recognise(data + b"\0", name=path.name).found_by is FoundBy.FMA_ID
        assert recogniser.recognise(data + b"\0", name="upload").found_by is FoundBy.TAGS
    assert len(paths) == 12
