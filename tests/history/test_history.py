"""What every history does, wherever it is kept."""

from __future__ import annotations

import dataclasses
from datetime import UTC, datetime, timedelta

import pytest

from songnet.datasets.tags import Tags
from songnet.exceptions import ParameterError
from songnet.history import database
from songnet.history.records import History, HistoryQuery, HistoryRecord
from tests.history.examples import record

ALL = HistoryQuery()


def names(records: tuple[HistoryRecord, ...]) -> list[str]:
    return [r.name for r in records]


def fill(history: History, *names: str) -> None:
    for minutes, name in enumerate(names):
        history.add(record(name, minutes=minutes))


def test_what_is_added_comes_back_whole_and_newest_first(history: History) -> None:
    tags = Tags("Ella 🎤", "Ünïcode", "Album", "Swing", 1958)
    first = record("a.mp3", tags=tags)
    second = dataclasses.replace(record("b.mp3", minutes=1), status="not_music")
    history.add(first)
    history.add(second)
    assert history.search(ALL) == (second, first)
    assert history.search(ALL)[0].classified_at.tzinfo is UTC
    assert history.count(ALL) == 2


def test_pages_follow_one_another(history: History) -> None:
    fill(history, "a", "b", "c", "d", "e")
    assert names(history.search(ALL, limit=2)) == ["e", "d"]
    assert names(history.search(ALL, limit=2, offset=4)) == ["a"]


def test_a_file_stands_once_for_each_model(history: History) -> None:
    history.add(record("a", genre="Jazz"))
    history.add(record("b", minutes=1))
    history.add(record("a", genre="Rock", minutes=2))
    assert [(r.name, r.genre) for r in history.search(ALL)] == [("a", "Rock"), ("b", "Jazz")]
    history.add(record("a", minutes=3, model="other 1"))
    assert names(history.search(ALL)) == ["a", "a", "b"]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("", ["b", "a"]),
        ("ELLA", ["a"]),
        ("blue ella", ["a"]),
        ("ünïcode", ["a"]),
        ("swing", ["a"]),
        ("ROCK", ["b"]),
        ("100%", ["a"]),
        ("0%B", []),
        ("_", []),
        ("ella nobody", []),
        ("' OR 1=1 --", []),
        ("el\x00la", ["a"]),
        ("\\", []),
    ],
)
def test_search_finds_words_in_names_tags_and_genres(
    text: str, found: list[str], history: History
) -> None:
    history.add(record("a", tags=Tags("Ella", "ÜNÏCODE 100% Blues", "", "Swing", None)))
    history.add(record("b", genre="Rock", minutes=1))
    assert names(history.search(HistoryQuery(text=text))) == found
    assert history.count(HistoryQuery(text=text)) == len(found)


def test_correction_belongs_to_the_file_not_to_the_model(history: History) -> None:
    fill(history, "a", "b")
    history.add(record("a", minutes=5, model="other 1"))
    before = datetime.now(UTC) - timedelta(seconds=1)
    history.correct(record("a").sha256, "Österreich-Pop")
    corrected = history.search(HistoryQuery(is_corrected=True))
    assert [r.corrected_genre for r in corrected] == ["Österreich-Pop"] * 2
    assert all(r.corrected_at and r.corrected_at > before for r in corrected)
    assert names(history.search(HistoryQuery(is_corrected=False))) == ["b"]
    assert names(history.search(HistoryQuery(genre="Jazz"))) == ["b"]
    assert history.count(HistoryQuery(genre="Österreich-Pop")) == 2
    assert history.count(HistoryQuery(text="ÖSTERREICH")) == 2


def test_correction_stays_when_the_file_is_classified_again(history: History) -> None:
    fill(history, "a")
    history.correct(record("a").sha256, "Folk")
    for minutes, model in ((3, "songnet 1"), (4, "songnet 2")):
        history.add(record("a", minutes=minutes, model=model))
    assert [r.corrected_genre for r in history.search(ALL)] == ["Folk", "Folk"]
    assert history.count(HistoryQuery(text="folk")) == 2


def test_correction_can_be_taken_back(history: History) -> None:
    fill(history, "a")
    before = history.search(ALL)
    history.correct(before[0].sha256, "Folk")
    history.correct(before[0].sha256, None)
    assert history.search(ALL) == before
    assert not history.search(HistoryQuery(text="folk"))


def test_a_correction_that_is_no_genre_changes_nothing(history: History) -> None:
    fill(history, "a")
    with pytest.raises(ParameterError, match="genre"):
        history.correct(record("a").sha256, "../../etc")
    assert history.search(ALL)[0].corrected_genre is None


def test_deleted_records_can_be_restored_in_their_places(history: History) -> None:
    fill(history, "a", "b", "c")
    history.correct(record("b").sha256, "Folk")
    before = history.search(ALL)
    deleted = history.delete(HistoryQuery(record_id=before[1].record_id))
    assert names(deleted) == ["b"]
    assert names(history.search(ALL)) == ["c", "a"]
    history.restore(deleted)
    assert history.search(ALL) == before


def test_all_that_a_search_found_can_be_deleted(history: History) -> None:
    fill(history, "one a", "one b", "other")
    assert len(history.delete(HistoryQuery(text="one"))) == 2
    assert names(history.search(ALL)) == ["other"]
    history.delete(ALL)
    assert history.count(ALL) == 0


def test_more_records_than_a_query_takes_are_deleted_and_restored(
    history: History, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(database, "_BATCH", 20)
    fill(history, *(f"{i:04}" for i in range(41)))
    deleted = history.delete(ALL)
    assert len(deleted) == 41
    assert history.count(ALL) == 0
    history.restore(deleted)
    assert history.search(ALL) == deleted


def test_undo_does_not_bring_back_what_was_classified_again(history: History) -> None:
    fill(history, "a")
    deleted = history.delete(ALL)
    again = record("a", genre="Rock", minutes=9)
    history.add(again)
    history.restore(deleted)
    assert history.search(ALL) == (again,)
