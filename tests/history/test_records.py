"""Records: what they keep of a result, what is refused as a genre, how they are exported."""

from __future__ import annotations

import csv
import dataclasses
import io
import json

import pytest

from songnet.datasets.tags import Tags
from songnet.exceptions import ParameterError
from songnet.history.export import records_to_csv, records_to_json
from songnet.history.memory import MemoryHistory
from songnet.history.records import HistoryQuery, clean_genre, new_record
from tests.app.stub import beat, stub_classifier
from tests.history.examples import record


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("song.mp3", "song.mp3"),
        ("C:\\Users\\me\\song.mp3", "song.mp3"),
        ("/home/me/song.mp3", "song.mp3"),
        ("a\x00b\nc.mp3", "a b c.mp3"),
        ("\ud800.mp3", ".mp3"),
        ("", "Untitled"),
        ("x" * 1000, "x" * 300),
    ],
)
def test_a_record_keeps_the_result_but_no_path(given: str, kept: str) -> None:
    prediction = stub_classifier(0.0).predict_waveform(beat(3))
    tags = Tags(artist="a\x00" + "b" * 1000)
    made = new_record(prediction, sha256="0" * 64, name=given, tags=tags, model="songnet 1")
    assert made.name == kept
    assert made.genre == prediction.genre
    assert made.confidence == pytest.approx(prediction.confidence, abs=1e-4)
    assert tuple(made.probabilities) == prediction.genres
    assert len(made.tags.artist) == 300
    assert made.classified_at.tzinfo is not None


@pytest.mark.parametrize(
    "genre", ["Hip-Hop", "Drum & Bass", "R+B", "Ö-Pop", " Rock  'n' Roll ", "2"]
)
def test_genres_are_tidied(genre: str) -> None:
    assert clean_genre(genre) == " ".join(genre.split())


@pytest.mark.parametrize(
    "genre",
    ["", " ", "..", ".hidden", "a/b", "a\\b", "../up", "-x", "_x", "x.", "<b>", "x" * 41, "a:b"],
)
def test_what_cannot_be_the_name_of_a_folder_is_no_genre(genre: str) -> None:
    with pytest.raises(ParameterError, match="genre"):
        clean_genre(genre)


def test_a_title_needs_artist_and_title() -> None:
    assert record("a.mp3").title == "a.mp3"
    assert record("a.mp3", tags=Tags(title="Blue")).title == "a.mp3"
    assert record("a.mp3", tags=Tags("Ella", "Blue")).title == "Ella: Blue"


def test_exports_hold_every_record() -> None:
    tags = Tags("=HYPERLINK(1)", 'Blue, "Skies"', "+1", "@x", 1958)
    records = (
        record("-a.mp3", tags=tags),
        dataclasses.replace(record("b"), corrected_genre="Folk"),
    )
    rows = list(csv.DictReader(io.StringIO(records_to_csv(records))))
    assert [row["name"] for row in rows] == ["'-a.mp3", "b"]
    assert (rows[0]["artist"], rows[0]["album"]) == ("'=HYPERLINK(1)", "'+1")
    assert (rows[0]["title"], rows[0]["genre_in_tags"]) == ('Blue, "Skies"', "'@x")
    assert (rows[0]["genre"], rows[0]["confidence"]) == ("Jazz", "0.75")
    assert [row["corrected_genre"] for row in rows] == ["", "Folk"]
    values = json.loads(records_to_json(records))
    assert values[0]["tags"]["artist"] == "=HYPERLINK(1)"
    assert values[0]["probabilities"] == records[0].probabilities
    assert values[0]["classified_at"] == "2026-11-21T08:00:00+00:00"


def test_a_session_forgets_the_oldest() -> None:
    history = MemoryHistory(max_records=2)
    for minutes, name in enumerate("abc"):
        history.add(record(name, minutes=minutes))
    assert [r.name for r in history.search(HistoryQuery())] == ["c", "b"]
