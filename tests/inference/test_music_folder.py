"""Anyone's music as an index: who is one artist."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from songnet.inference.music_folder import index_music
from tests.encoders import encode_soundfile, sine


def test_copies_of_a_file_without_tags_share_a_group(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SONGNET_CACHE", str(tmp_path / "cache"))
    music = tmp_path / "music"
    music.mkdir()
    for seconds, name in ((0.1, "a.wav"), (0.2, "other.wav")):
        (music / name).write_bytes(encode_soundfile(sine(seconds=seconds), sr=44_100, kind="WAV"))
    shutil.copy(music / "a.wav", music / "copy of a.wav")
    frame = index_music(music).frame.set_index("track_id")
    assert frame["group"]["a.wav"] == frame["group"]["copy of a.wav"]
    assert frame["group"]["a.wav"] != frame["group"]["other.wav"]
