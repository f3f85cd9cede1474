"""Unpacking where the folder cannot be written to; damage and malice are in test_download."""

from __future__ import annotations

import errno
import os
import zipfile
from pathlib import Path

import pytest

from songnet.datasets.unpack import UnpackLimits, unpack
from songnet.exceptions import DatasetError


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT, errno.EACCES, errno.EROFS])
def test_a_folder_that_cannot_be_written_is_not_blamed_on_the_archive(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    archive = tmp_path / "songs.zip"
    with zipfile.ZipFile(archive, "w") as file:
        file.writestr("songs/a.mp3", b"sound")

    def refuse(*_: object) -> int:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr("songnet.datasets.unpack._copy", refuse)
    with pytest.raises(DatasetError) as raised:
        unpack(archive, tmp_path / "unpacked", limits=UnpackLimits(max_bytes=100))
    assert str(raised.value) == (
        f"songs.zip cannot be unpacked ({os.strerror(number)}); make room or name another folder. "
        "The archive is kept."
    )
    assert archive.is_file()
