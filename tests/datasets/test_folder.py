"""Folders of genres: anyone's own music."""

from __future__ import annotations

from pathlib import Path

import pytest

from songnet.datasets.base import file_sha256
from songnet.datasets.folder import load_folder
from songnet.exceptions import DatasetError
from tests.encoders import encode_pyav, encode_soundfile, sine

WAV = encode_soundfile(sine(seconds=0.1), sr=44_100, kind="WAV")


def write(path: Path, data: bytes = WAV) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
    return path


def tagged(artist: str, title: str = "") -> bytes:
    tags = {"artist": artist, "title": title, "album": "Album", "date": "1999"}
    return encode_pyav(sine(seconds=0.1), sr=44_100, container="mp3", codec="libmp3lame", tags=tags)


def test_genres_are_folders_searched_at_any_depth(tmp_path: Path) -> None:
    write(tmp_path / "Jazz" / "a.wav")
    write(tmp_path / "Jazz" / "Album" / "CD 1" / "b.FLAC")
    write(tmp_path / "Rock" / "c.mp3")
    dataset = load_folder(tmp_path)
    assert [(t.track_id, t.genre) for t in dataset] == [
        ("Jazz/Album/CD 1/b.FLAC", "Jazz"),
        ("Jazz/a.wav", "Jazz"),
        ("Rock/c.mp3", "Rock"),
    ]
    assert dataset.name == tmp_path.name
    assert dataset.folds == ()
    assert all(t.path.is_file() and t.sha256 == file_sha256(t.path) for t in dataset)


def test_artist_in_the_tags_is_the_group(tmp_path: Path) -> None:
    write(tmp_path / "Jazz" / "1.mp3", tagged("Ella", "One"))
    write(tmp_path / "Jazz" / "2.mp3", tagged("ELLA", "Two"))
    write(tmp_path / "Rock" / "3.wav")
    write(tmp_path / "Rock" / "4.wav", WAV + b"other")
    first, second, third, fourth = load_folder(tmp_path)
    assert (first.artist, first.title, first.album, first.year) == ("Ella", "One", "Album", 1999)
    assert first.group == second.group
    assert len({first.group, third.group, fourth.group}) == 3


def test_copies_of_a_file_share_a_group(tmp_path: Path) -> None:
    write(tmp_path / "Jazz" / "1.wav")
    write(tmp_path / "Jazz" / "Best of" / "2.wav")
    write(tmp_path / "Rock" / "3.wav", WAV + b"other")
    first, copy, other = load_folder(tmp_path)
    assert first.group == copy.group
    assert first.group != other.group


def test_a_file_is_never_taken_for_an_artist(tmp_path: Path) -> None:
    write(tmp_path / "Jazz" / "1.mp3", tagged("Rock/3.wav"))
    write(tmp_path / "Rock" / "3.wav")
    first, second = load_folder(tmp_path)
    assert first.group != second.group


def test_what_is_hidden_or_no_audio_is_left_out(tmp_path: Path) -> None:
    write(tmp_path / "Jazz" / "a.wav")
    write(tmp_path / "Rock" / "b.wav")
    write(tmp_path / "Rock" / ".c.wav")
    write(tmp_path / "Rock" / ".trash" / "d.wav")
    write(tmp_path / "Rock" / "cover.jpg")
    write(tmp_path / "Rock" / "wav")
    write(tmp_path / ".git" / "e.wav")
    write(tmp_path / "beside the folders.wav")
    assert [t.path.name for t in load_folder(tmp_path)] == ["a.wav", "b.wav"]


def test_unreadable_audio_is_listed_for_the_feature_store_to_report(tmp_path: Path) -> None:
    write(tmp_path / "Jazz" / "a.wav", b"no audio")
    write(tmp_path / "Rock" / "b.mp3", b"")
    assert len(load_folder(tmp_path)) == 2


def test_folder_that_is_none_is_refused(tmp_path: Path) -> None:
    for root in (tmp_path / "missing", write(tmp_path / "file.wav")):
        with pytest.raises(DatasetError, match="is not a folder; expected one with a folder"):
            load_folder(root)


def test_folder_without_genres_is_refused(tmp_path: Path) -> None:
    write(tmp_path / "song.wav")
    with pytest.raises(DatasetError, match="holds no folders; put the audio of each genre"):
        load_folder(tmp_path)


def test_genres_without_audio_are_refused(tmp_path: Path) -> None:
    write(tmp_path / "Jazz" / "notes.txt")
    with pytest.raises(DatasetError, match=r"at least two genre.*\['Jazz'\], none holds any"):
        load_folder(tmp_path)


def test_one_genre_is_refused(tmp_path: Path) -> None:
    write(tmp_path / "Jazz" / "a.wav")
    (tmp_path / "Rock").mkdir()
    with pytest.raises(DatasetError, match=r"\['Jazz', 'Rock'\], only 'Jazz' holds any"):
        load_folder(tmp_path)
