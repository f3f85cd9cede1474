"""Tags of generated files."""

from __future__ import annotations

from pathlib import Path

import pytest

from songnet.datasets.tags import Tags, read_tags
from tests.encoders import encode_pyav, encode_soundfile, sine

TAGS = {
    "artist": "Sigur Rós",
    "title": "Ára bátur",
    "album": "Með suð",
    "genre": "Rock",
    "date": "2008-06-20",
}
KINDS = [
    ("mp3", "libmp3lame"),
    ("flac", "flac"),
    ("ogg", "libopus"),
    ("ipod", "aac"),
    ("asf", "wmav2"),
]


def encode(container: str, codec: str, tags: dict[str, str] | None = None) -> bytes:
    y = sine(seconds=0.2, sr=48_000)
    return encode_pyav(y, sr=48_000, container=container, codec=codec, tags=tags)


@pytest.mark.parametrize(("container", "codec"), KINDS)
def test_tags_are_read_from_bytes_and_path(container: str, codec: str, tmp_path: Path) -> None:
    data = encode(container, codec, TAGS)
    path = tmp_path / "song"
    path.write_bytes(data)
    # FFmpeg writes the date of WMA where no reader of tags looks.
    year = None if container == "asf" else 2008
    expected = Tags("Sigur Rós", "Ára bátur", "Með suð", "Rock", year)
    assert read_tags(data) == expected
    assert read_tags(path) == expected


@pytest.mark.parametrize(("container", "codec"), KINDS)
def test_no_tags_are_no_error(container: str, codec: str) -> None:
    assert read_tags(encode(container, codec)) == Tags()


@pytest.mark.parametrize("data", [b"", b"text", b"ID3\x04\0\0\0\0\x7f\x7f", bytes(5_000)])
def test_what_is_no_audio_has_no_tags(data: bytes) -> None:
    assert read_tags(data) == Tags()


@pytest.mark.parametrize("container", ["mp3", "flac", "ipod", "ogg", "asf"])
def test_damaged_tags_are_no_error(container: str) -> None:
    data = encode(container, dict(KINDS)[container], TAGS)
    for end in range(0, min(len(data), 600), 7):
        assert isinstance(read_tags(data[:end]), Tags)
    for position in range(0, min(len(data), 600), 3):
        broken = data[:position] + b"\xff" * 4 + data[position + 4 :]
        assert isinstance(read_tags(broken), Tags)


def test_missing_file_has_no_tags(tmp_path: Path) -> None:
    assert read_tags(tmp_path / "none.mp3") == Tags()


def test_a_year_that_is_none_is_left_out() -> None:
    assert read_tags(encode("mp3", "libmp3lame", TAGS | {"date": "soon"})).year is None


def test_white_space_is_tidied() -> None:
    tags = read_tags(encode("flac", "flac", {"artist": "  The \n Band "}))
    assert tags.artist == "The Band"


def test_an_endless_tag_is_cut() -> None:
    tags = read_tags(encode("mp3", "libmp3lame", {"artist": "x" * 100_000}))
    assert tags.artist == "x" * 300


def test_audio_without_a_place_for_tags() -> None:
    assert read_tags(encode_soundfile(sine(), sr=44_100, kind="AU")) == Tags()
