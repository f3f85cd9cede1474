"""Tags of generated files."""

from __future__ import annotations

import os
import struct
from pathlib import Path

import pytest

from songnet.datasets.tags import Tags, read_tags
from songnet.exceptions import DecoderStartError, WorkerStartError
from songnet.signal import decoding_process
from songnet.signal.decoding_process import in_decoding_process
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


def test_tags_that_take_hours_are_given_up() -> None:
    """tinytag compares each value of a field with all others."""
    frames = b"".join(b"TPE1" + struct.pack(">I2x", 8) + b"\0%07x" % i for i in range(400_000))
    size = bytes(len(frames) >> shift & 127 for shift in (21, 14, 7, 0))
    pid = in_decoding_process(os.getpid)
    assert read_tags(b"ID3\3\0\0" + size + frames) == Tags()
    assert in_decoding_process(os.getpid) == pid
    assert read_tags(encode("mp3", "libmp3lame", TAGS)).artist == TAGS["artist"]


def test_a_path_counts_from_the_folder_of_the_caller(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "song").write_bytes(encode("mp3", "libmp3lame", TAGS))
    assert read_tags(Path("song")) == Tags()
    monkeypatch.chdir(tmp_path)
    assert read_tags(Path("song")).artist == TAGS["artist"]


def test_without_a_process_no_file_is_said_to_be_without_tags(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def fail(_: object) -> None:
        raise WorkerStartError("A process does not start.")

    monkeypatch.setattr(decoding_process, "_awake", fail)
    with pytest.raises(DecoderStartError, match="does not start"):
        read_tags(b"song")
