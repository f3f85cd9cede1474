"""The sounds that are not music, as their manifest lists them."""

from __future__ import annotations

from pathlib import Path

import pytest

from songnet.datasets.sounds import find_sounds, load_sounds
from songnet.exceptions import DatasetError
from songnet.signal.degrade import SOUNDS_VARIABLE

ROWS = (
    "speech/a.opus,speech,speech,x,y",
    "environment/rain/1-17367-A.opus,environment,rain,x,y",
    "environment/rain/1-17367-B.opus,environment,rain,x,y",
    "rooms/hall.wav,room,hall,x,y",
)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for row in ROWS:
        path = tmp_path / row.partition(",")[0]
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(row.encode())
    text = "\n".join(["file,kind,label,source,licence", *ROWS])
    (tmp_path / "manifest.csv").write_text(text)
    return tmp_path


def test_rooms_are_left_out_and_takes_stay_together(folder: Path) -> None:
    sounds = load_sounds(folder)
    assert [(t.genre, t.title) for t in sounds] == [
        ("speech", "speech"),
        ("environment", "rain"),
        ("environment", "rain"),
    ]
    speech, one, two = sounds
    assert one.group == two.group != speech.group
    assert one.sha256 != two.sha256


def test_the_variable_names_the_folder(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(SOUNDS_VARIABLE, str(folder))
    assert find_sounds() == folder
    monkeypatch.delenv(SOUNDS_VARIABLE)
    with pytest.raises(DatasetError, match=SOUNDS_VARIABLE):
        find_sounds()


def test_missing_files_and_columns_are_named(folder: Path) -> None:
    (folder / "speech" / "a.opus").unlink()
    with pytest.raises(DatasetError, match=r"a\.opus is in the manifest and missing"):
        load_sounds(folder)
    (folder / "manifest.csv").write_text("file,label\n")
    with pytest.raises(DatasetError, match=r"no column .'kind'"):
        load_sounds(folder)
