"""Corrections become a folder of genres, with the files they are about."""

from __future__ import annotations

import csv
import dataclasses
import hashlib
from pathlib import Path

import pytest

from songnet.datasets.folder import load_folder
from songnet.exceptions import DatasetError
from songnet.history.feedback import MANIFEST, match_feedback, write_feedback
from songnet.history.records import HistoryRecord
from tests.cli.conftest import write_tone
from tests.history.examples import MORNING, record


def correction(path: Path, genre: str) -> HistoryRecord:
    return dataclasses.replace(
        record(path.name),
        sha256=hashlib.sha256(path.read_bytes()).hexdigest(),
        corrected_genre=genre,
        corrected_at=MORNING,
    )


@pytest.fixture
def music(tmp_path: Path) -> Path:
    for i, name in enumerate(("a.wav", "deep/er/b.wav", "c.wav")):
        write_tone(tmp_path / "music" / name, seconds=1 + i / 10)
    return tmp_path / "music"


def test_files_are_found_by_their_contents(music: Path, tmp_path: Path) -> None:
    corrections = [
        correction(music / "a.wav", "Folk"),
        correction(music / "deep/er/b.wav", "Polka & Ska"),
        dataclasses.replace(record("gone"), corrected_genre="Jazz"),
    ]
    (music / "a.wav").rename(music / "renamed.wav")
    feedback = match_feedback(corrections, [music])
    assert {path.name for _, path in feedback.matched} == {"renamed.wav", "b.wav"}
    assert [r.name for r in feedback.missing] == ["gone"]
    write_feedback(feedback, tmp_path / "set")
    dataset = load_folder(tmp_path / "set")
    assert dataset.genres == ("Folk", "Polka & Ska")
    assert {track.sha256 for track in dataset} == {c.sha256 for c in corrections[:2]}
    manifest = (tmp_path / "set" / MANIFEST).read_text(encoding="utf-8")
    rows = list(csv.DictReader(manifest.splitlines()))
    assert {row["path"] for row in rows} == {track.track_id for track in dataset}
    assert all(row["predicted_genre"] == "Jazz" for row in rows)


def test_the_latest_correction_counts(music: Path) -> None:
    latest, earlier = (correction(music / "a.wav", genre) for genre in ("Folk", "Jazz"))
    same = correction(music / "a.wav", "Folk")
    feedback = match_feedback([latest, earlier, same], [music])
    assert [r.corrected_genre for r, _ in feedback.matched] == ["Folk"]
    assert feedback.disputed == (earlier,)


def test_a_folder_that_holds_something_is_left_alone(music: Path) -> None:
    feedback = match_feedback([correction(music / "a.wav", "Folk")], [music])
    before = sorted(music.rglob("*"))
    for target in (music, music / "a.wav"):
        with pytest.raises(DatasetError, match="not empty"):
            write_feedback(feedback, target)
    assert sorted(music.rglob("*")) == before


def test_files_on_another_disk_are_copied(
    music: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise OSError(18, "Invalid cross-device link")

    monkeypatch.setattr("os.link", refuse)
    feedback = match_feedback([correction(music / "a.wav", "Folk")], [music])
    write_feedback(feedback, tmp_path / "set")
    (copy,) = (tmp_path / "set" / "Folk").iterdir()
    assert copy.read_bytes() == (music / "a.wav").read_bytes()
