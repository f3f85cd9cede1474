"""The Explore page, and what it chooses, counts and writes."""

from __future__ import annotations

import csv
import io
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest
from streamlit.testing.v1 import AppTest

from app import explore
from app.explore import Choice
from app.explore_charts import MAP_POINTS, collection_colors, map_figure
from app.settings import Settings, read_settings
from songnet.datasets.base import Dataset, Track
from songnet.datasets.collections import index_path
from songnet.datasets.index import write_index
from songnet.exceptions import AudioDecodeError, AudioTooLongError
from songnet.inference.collection import Collection, write_collection
from songnet.signal.audio import DecodeLimits
from tests.app.conftest import html_text
from tests.app.stub import GENRES, clip
from tests.inference.collections_stub import generated_collection

N_TRACKS = 120
TITLE = "Song number 7"


@pytest.fixture(scope="module")
def collection() -> Collection:
    return generated_collection(N_TRACKS)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of the operator with one collection, whose tracks 7 and 8 can be heard."""
    music = tmp_path / "music"
    music.mkdir()
    (music / "seven.wav").write_bytes(clip(3))
    made = generated_collection(N_TRACKS, root=music)
    made.frame.loc[7, "path"] = "seven.wav"
    made.frame.loc[8, "path"] = "gone.wav"
    (music / "broken.wav").write_bytes(b"no music" * 100)
    made.frame.loc[9, ["path", "title"]] = ["broken.wav", "![x](https://evil.example/t.png)"]
    (music / "large.wav").write_bytes(bytes(2**20 + 1))
    made.frame.loc[10, "path"] = "large.wav"
    made.frame.loc[11, "status"] = "not_sure"
    made.frame.loc[12, "status"] = "not_music"
    write_collection(made, tmp_path / "built" / "mine" / "collection.parquet")
    monkeypatch.setenv("SONGNET_COLLECTIONS", str(tmp_path / "built"))
    monkeypatch.setenv("SONGNET_CACHE", str(tmp_path / "cache"))
    return tmp_path


def open_page(repo_root: Path) -> AppTest:
    visit = AppTest.from_file(repo_root / "app" / "main.py", default_timeout=300).run()
    visit.switch_page(str(repo_root / "pages" / "explore.py")).run()
    assert not visit.exception
    return visit


def choose(visit: AppTest, row: int) -> AppTest:
    """Choose a track as a click in table or map does; AppTest has neither."""
    visit.session_state["explore-selected"] = ("mine", row)
    visit.run()
    assert not visit.exception
    return visit


def table(visit: AppTest) -> pd.DataFrame:
    return visit.dataframe[0].value


def test_filter_and_choose(folder: Path, repo_root: Path) -> None:
    visit = open_page(repo_root)
    assert f"**{N_TRACKS}** of {N_TRACKS} tracks" in " ".join(m.value for m in visit.markdown)
    assert len(table(visit)) == explore.PAGE_ROWS  # one page travels, not the collection
    visit.text_input(key="explore-text-mine").set_value("number 7").run()
    assert TITLE in set(table(visit)["title"])
    visit.text_input(key="explore-text-mine").set_value("")
    visit.multiselect(key="explore-genre-mine").set_value([GENRES[0]]).run()
    assert set(table(visit)["genre"]) == {GENRES[0]}
    choose(visit, 7)
    assert TITLE in [heading.value for heading in visit.subheader]
    assert "CC BY-NC 4.0" in html_text(visit)
    (player,) = visit.get("audio")
    assert not player.proto.autoplay  # it was not chosen on this visit of the page
    choose(visit, 8)
    assert len(visit.get("audio")) == 0
    assert any("Its audio is not on" in c.value for c in visit.caption)
    choose(visit, N_TRACKS - 1)
    assert "It is broken." in html_text(visit)
    visit.button(key="explore-close").click().run()
    assert "It is broken." not in html_text(visit)
    visit.button(key="explore-clear-mine").click().run()
    assert not visit.exception
    assert len(set(table(visit)["genre"])) > 1
    assert visit.button(key="explore-clear-mine").disabled


@pytest.mark.parametrize(
    ("row", "title"), [(9, "This file cannot be read"), (10, "This file is over the limit")]
)
def test_it_says_why_a_track_cannot_be_heard(
    folder: Path, repo_root: Path, monkeypatch: pytest.MonkeyPatch, row: int, title: str
) -> None:
    monkeypatch.setenv("SONGNET_MAX_UPLOAD_MB", "1")
    visit = choose(open_page(repo_root), row)
    assert [error.proto.title for error in visit.error] == [title]
    assert not any("Its audio is not" in c.value for c in visit.caption)
    assert not visit.get("audio")
    assert "The model says (" in html_text(visit)  # what it said before


def test_a_title_is_no_markdown(folder: Path, repo_root: Path) -> None:
    visit = choose(open_page(repo_root), 9)
    (title,) = [heading.value for heading in visit.subheader if "evil" in heading.value]
    assert "](" not in title


@pytest.mark.parametrize(("row", "headline"), [(11, "Not sure"), (12, "Not music")])
def test_a_doubtful_track_gets_the_words_of_classify(
    folder: Path, repo_root: Path, row: int, headline: str
) -> None:
    text = html_text(choose(open_page(repo_root), row))
    assert headline in text
    assert "confident" not in text
    assert "The collection says" in text
    assert "as well" not in text


@pytest.mark.parametrize("view", explore.VIEWS)
def test_every_view(folder: Path, repo_root: Path, view: str) -> None:
    visit = open_page(repo_root)
    visit.segmented_control(key="explore-view").set_value(view).run()
    assert not visit.exception
    if view == "Mistakes":
        rows = table(visit)
        assert (rows["genre"] != rows["predicted"]).all()
    if view == "Map":
        assert any("PCA" in caption.value for caption in visit.caption)


def test_an_indexed_data_set_is_explored_before_it_was_listened_to(
    repo_root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SONGNET_CACHE", str(tmp_path))
    monkeypatch.delenv("SONGNET_COLLECTIONS", raising=False)
    (tmp_path / "three.wav").write_bytes(clip(3))
    tracks = tuple(
        Track(str(i), path, genre, "", artist=f"Artist {i}", title=f"Song {i}", licence="CC0")
        for i, (path, genre) in enumerate([(tmp_path / "three.wav", "Jazz"), (Path(), "Rock")])
    )
    write_index(Dataset("fma-small", tracks), index_path("fma-small", tmp_path), root=tmp_path)
    visit = open_page(repo_root)
    assert visit.selectbox(key="explore-collection").value == "fma-small (not listened to)"
    assert table(visit)["artist"].tolist() == ["Artist 0", "Artist 1"]
    assert visit.code[0].value == "songnet collection build --dataset fma-small"
    assert len(visit.segmented_control) == 0
    visit.session_state["explore-selected"] = ("fma-small (not listened to)", 0)
    visit.run()
    assert not visit.exception
    assert "just now" in html_text(visit)
    assert "The collection says Jazz" in html_text(visit)
    assert "CC0" in html_text(visit)
    gone = tmp_path / "gone"
    write_index(Dataset("gone", tracks[1:]), index_path("gone", gone), root=gone)
    index_path("broken", tmp_path).write_bytes(b"no index")
    assert [name for name in explore.find_collections(read_settings()) if "not" in name] == [
        "fma-small (not listened to)"
    ]
    monkeypatch.setenv("SONGNET_COLLECTIONS", str(tmp_path))  # the operator says what is shown
    assert not any("not listened" in name for name in explore.find_collections(read_settings()))


def test_a_damaged_collection_is_said_without_its_place(folder: Path, repo_root: Path) -> None:
    broken = folder / "built" / "broken" / "collection.parquet"
    broken.parent.mkdir()
    broken.write_bytes(b"no table")
    visit = open_page(repo_root)
    assert "damaged or of another version" in visit.error[0].value
    assert str(folder) not in visit.error[0].value
    visit.selectbox(key="explore-collection").set_value("mine").run()
    assert len(visit.error) == 0
    assert len(table(visit)) == explore.PAGE_ROWS


def test_nothing_to_explore_says_what_to_do(
    repo_root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SONGNET_COLLECTIONS", str(tmp_path))
    monkeypatch.setattr(explore, "NEIGHBOURS_FILE", "nothing.parquet")
    visit = open_page(repo_root)
    assert "songnet collection build --music" in visit.code[0].value


def test_only_folders_of_the_operator_are_found(folder: Path) -> None:
    settings = read_settings()
    assert settings.collection_folders == (folder / "built",)
    assert explore.find_collections(settings)["mine"].parent == folder / "built" / "mine"
    elsewhere = Settings(collection_folders=(folder / "cache",))
    assert "mine" not in explore.find_collections(elsewhere)


@pytest.mark.parametrize(
    ("choice", "expected"),
    [
        (Choice(text="NUMBER 11"), lambda f: f["title"].str.contains("11")),
        (Choice(genres=(GENRES[1],)), lambda f: f["genre"] == GENRES[1]),
        (Choice(artist="artist 3"), lambda f: f["artist"].str.contains("Artist 3")),
        (Choice(artist="nobody"), lambda f: f["artist"] == "nobody"),
        (Choice(licences=("CC BY 4.0",)), lambda f: f["licence"] == "CC BY 4.0"),
        (Choice(splits=("test",)), lambda f: f["split"] == "test"),
        (Choice(years=(1970, 1979)), lambda f: f["year"].between(1970, 1979).fillna(value=False)),
    ],
)
def test_filters(collection: Collection, choice: Choice, expected) -> None:  # type: ignore[no-untyped-def]
    found = choice.select(collection)
    frame = collection.frame
    assert found.index.tolist() == frame.index[expected(frame).astype(bool)].tolist()


def test_the_table_says_no_genre_where_the_model_says_none(collection: Collection) -> None:
    frame = collection.frame.head(3).assign(predicted="Pop", status=["ok", "not_sure", "not_music"])
    assert explore.table_rows(frame)["predicted"].tolist() == [
        "Pop", "Not sure, closest Pop", "Not music",
    ]  # fmt: skip


def test_order_puts_the_unknown_last(collection: Collection) -> None:
    frame = collection.frame
    years = explore.sort_rows(frame, "Year")["year"]
    assert years.head(90).is_monotonic_increasing
    assert years.tail(10).isna().all()
    assert (
        explore.sort_rows(frame, "Least confident")["confidence"].iloc[0]
        == frame["confidence"].min()
    )


def test_near_duplicates_come_in_pairs_of_what_was_chosen(collection: Collection) -> None:
    frame = collection.frame.assign(nearest=-1, similarity=0.0)
    frame.loc[[3, 20], "nearest"] = [9, 21]
    frame.loc[[3, 20], "similarity"] = [0.99, 0.995]
    made = replace(collection, index=replace(collection.index, frame=frame))
    rows = explore.near_duplicate_rows(made, frame, at_least=0.98)
    assert rows.index.tolist() == [20, 21, 3, 9]
    assert rows["pair"].tolist() == [1, 1, 2, 2]
    only = explore.near_duplicate_rows(made, frame.loc[[9]], at_least=0.98)
    assert only.index.tolist() == [3, 9]


def test_the_map_draws_a_sample_of_many(collection: Collection) -> None:
    sample = explore.map_sample(collection.frame, most=50)
    assert len(sample) == 50
    assert sample["x"].notna().all()
    everything = explore.map_sample(collection.frame, most=MAP_POINTS)
    assert len(everything) == N_TRACKS - 1  # but the one that failed
    figure = map_figure(everything, colors=collection_colors(GENRES, list(GENRES)), selected=7)
    drawn = [
        row for trace in figure.data if trace.customdata is not None for row in trace.customdata
    ]
    assert sorted(drawn) == everything.index.tolist()


def test_csv_holds_all_rows_and_no_formula(collection: Collection) -> None:
    frame = collection.frame.copy()
    frame.loc[0, "title"] = '=HYPERLINK("http://example.org")'
    rows = list(csv.DictReader(io.StringIO(explore.frame_csv(frame))))
    assert len(rows) == N_TRACKS
    assert rows[0]["title"].startswith("'=")
    assert rows[1]["title"] == "Song number 1"
    assert "path" not in rows[0]


def test_audio_stays_inside_the_folder_and_the_limit(tmp_path: Path) -> None:
    root = tmp_path / "music"
    root.mkdir()
    (tmp_path / "secret.wav").write_bytes(b"secret")
    (root / "link.wav").symlink_to(tmp_path / "secret.wav")
    (root / "song.wav").write_bytes(b"0123456789")
    made = generated_collection(12, root=root)
    made.frame.loc[[0, 1, 2], "path"] = ["song.wav", "link.wav", "../secret.wav"]
    limits = DecodeLimits()
    assert explore.audio_bytes(made, 0, limits=limits) == b"0123456789"
    assert explore.audio_bytes(made, 3, limits=limits) is None
    for row in (1, 2):
        with pytest.raises(AudioDecodeError, match="outside"):
            explore.audio_bytes(made, row, limits=limits)
    with pytest.raises(AudioTooLongError, match="larger"):
        explore.audio_bytes(made, 0, limits=replace(limits, max_bytes=5))


def test_the_table_shows_percents_and_no_none(collection: Collection) -> None:
    shown = explore.table_rows(collection.frame.head(2).assign(title=["", "Song"]))
    assert shown["year"].tolist() == ["", "1961"]
    assert shown["title"].tolist() == ["t000000", "Song"]
    assert shown["confidence"].iloc[0] == pytest.approx(
        100 * collection.frame["confidence"].iloc[0]
    )


def test_sound_begins_by_itself_where_it_was_just_chosen(folder: Path, repo_root: Path) -> None:
    visit = open_page(repo_root)
    visit.session_state["explore-chosen-in"] = visit.session_state["songnet_visit"].number
    assert choose(visit, 7).get("audio")[0].proto.autoplay
    for page in ("compare", "explore"):
        visit.switch_page(str(repo_root / "pages" / f"{page}.py")).run()
    assert not visit.get("audio")[0].proto.autoplay
