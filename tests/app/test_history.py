"""The history, driven without a browser: on the Classify page and on its own."""

from __future__ import annotations

import dataclasses
import hashlib
from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa
from streamlit.testing.v1 import AppTest

from app import history, services
from app.history import COOKIE, TAKE_BACK
from songnet.history.database import DatabaseHistory
from songnet.history.records import HistoryQuery
from songnet.history.schema import open_database
from tests.app.conftest import html_text, parse_html
from tests.app.stub import GENRES, SR, beat, clip
from tests.encoders import encode_pyav

ROOT = Path(__file__).parents[2]
PAGE = str(ROOT / "pages" / "history.py")


def upload(visit: AppTest, name: str, *, hz: float = 220.0) -> AppTest:
    visit.switch_page(str(ROOT / "pages" / "classify.py")).run()
    visit.file_uploader[0].set_value((name, clip(3, hz=hz), "audio/wav")).run()
    assert not visit.exception
    return visit


def open_history(visit: AppTest) -> AppTest:
    visit.switch_page(PAGE).run()
    assert not visit.exception
    return visit


def click(visit: AppTest, label: str) -> AppTest:
    next(button for button in visit.button if label in button.label).click().run()
    assert not visit.exception
    return visit


@pytest.fixture
def database(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    url = f"sqlite:///{tmp_path}/history.db"
    monkeypatch.setenv("SONGNET_HISTORY", url)
    yield url
    services.open_history_database.clear()


@pytest.fixture
def filled(sure_model: None, app: AppTest) -> AppTest:
    upload(app, "one.wav", hz=300)
    upload(app, "two.wav", hz=900)
    return open_history(app)


def test_an_empty_history_says_so_and_what_is_kept(app: AppTest) -> None:
    open_history(app)
    assert "Nothing here yet" in app.info[0].value
    assert "until you close" in app.caption[0].value
    assert not app.get("download_button")


def test_records_are_searched_and_the_search_is_cleared(filled: AppTest) -> None:
    assert "one.wav" in html_text(filled)
    filled.text_input[0].set_value("TWO").run()
    assert "one.wav" not in html_text(filled)
    assert "two.wav" in html_text(filled)
    filled.text_input[0].set_value("three").run()
    assert "Nothing matches" in filled.info[0].value
    click(filled, "Clear the search")
    assert "one.wav" in html_text(filled)


def test_a_genre_is_corrected_here_and_seen_on_the_result(filled: AppTest) -> None:
    filled.selectbox[0].set_value("Jazz").run()
    assert any(word in html_text(filled) for word in ("you say Jazz", "you agree"))
    upload(filled, "two.wav", hz=900)
    assert filled.selectbox[0].value == "Jazz"
    filled.selectbox[0].set_value(TAKE_BACK).run()
    open_history(filled)
    assert filled.selectbox[0].value is None


def test_a_genre_is_corrected_on_the_result(sure_model: None, app: AppTest) -> None:
    upload(app, "one.wav")
    assert app.selectbox[0].options == list(GENRES)
    app.selectbox[0].set_value("Rock").run()
    assert not app.exception
    assert "Saved: you say Rock. It is listed in History." in [c.value for c in app.caption]
    open_history(app)
    assert app.selectbox[0].value == "Rock"


@pytest.mark.parametrize(
    ("genre", "is_kept"), [("Polka & Ska", True), ("../up", False)], ids=["own", "no genre"]
)
def test_a_genre_of_ones_own_is_kept_and_a_bad_one_is_refused(
    genre: str, is_kept: bool, filled: AppTest
) -> None:
    filled.selectbox[0].options.append(genre)  # AppTest types nothing
    filled.selectbox[0].set_value(genre).run()
    assert bool(filled.error) is not is_kept
    assert (f"you say {genre}" in html_text(filled)) is is_kept


def test_one_record_is_deleted_and_brought_back(filled: AppTest) -> None:
    next(button for button in filled.button if button.help == r"Delete two\.wav").click().run()
    assert "two.wav" not in html_text(filled)
    assert "one.wav" in html_text(filled)
    click(filled, "Undo")
    assert "two.wav" in html_text(filled)


@pytest.mark.parametrize("query", [HistoryQuery(), HistoryQuery(text="two")])
def test_a_second_click_on_delete_leaves_the_undo(
    query: HistoryQuery, filled: AppTest, monkeypatch: pytest.MonkeyPatch
) -> None:
    state = filled.session_state["songnet_history"]
    monkeypatch.setattr(history, "_state", lambda: state)
    n_records = state.in_memory.count(HistoryQuery())
    history.delete(query)
    history.delete(query)
    assert history.deleted_records()
    history.undo_delete()
    assert state.in_memory.count(HistoryQuery()) == n_records


def test_what_was_found_is_deleted_and_brought_back(filled: AppTest) -> None:
    filled.text_input[0].set_value("one").run()
    click(filled, "Delete these 1")
    click(filled, "Clear the search")
    assert "one.wav" not in html_text(filled)
    click(filled, "Delete all")
    assert "Nothing here yet" in filled.info[0].value
    click(filled, "Undo")
    assert "two.wav" in html_text(filled)


def test_pages_of_a_long_history(database: str, sure_model: None, app: AppTest) -> None:
    upload(app, "song.wav")
    engine = open_database(database)
    with engine.begin() as connection:
        owner = connection.scalar(sa.text("SELECT owner FROM songnet_history"))
    kept = DatabaseHistory(engine, owner=str(owner))
    (made,) = kept.search(HistoryQuery())
    for i in range(24):
        digest = hashlib.sha256(bytes([i])).hexdigest()
        kept.add(dataclasses.replace(made, record_id=digest, sha256=digest, name=f"old {i:02}.wav"))
    engine.dispose()
    open_history(app)
    assert any("1 to 20 of 25" in caption.value for caption in app.caption)
    assert len(app.selectbox) == 20
    click(app, "Older")
    assert any("21 to 25 of 25" in caption.value for caption in app.caption)
    assert len(app.selectbox) == 5


def test_names_and_tags_are_escaped(sure_model: None, app: AppTest) -> None:
    attack = "<img src=x onerror=alert(1)>"
    data = encode_pyav(
        beat(2), sr=SR, container="mp4", codec="aac", tags={"artist": attack, "title": "<script>"}
    )
    app.file_uploader[0].set_value((f"{attack}.m4a", data, "audio/mp4")).run()
    open_history(app)
    parsed = parse_html(app)
    assert attack in " ".join(parsed.text)
    assert not {"script", "img"} & set(parsed.tags)
    upload(app, "[x](mailto:a@b.example).wav")
    open_history(app)
    tips = [button.help for button in app.button if "mailto" in (button.help or "")]
    assert len(tips) == 1
    assert "](" not in tips[0]


def test_a_database_outlives_the_session_for_the_same_browser_only(
    database: str, sure_model: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    cookies: dict[str, str] = {}
    monkeypatch.setattr(
        "streamlit.runtime.context.ContextProxy.cookies", property(lambda _: cookies)
    )

    def visit() -> AppTest:
        return AppTest.from_file(ROOT / "app" / "main.py", default_timeout=300).run()

    first = upload(visit(), "mine.wav")
    cookies[COOKIE] = first.session_state["songnet_history"].visitor
    assert "mine.wav" in html_text(open_history(visit()))
    for other in ("a" * 43, "<script>", ""):
        cookies[COOKIE] = other
        assert "mine.wav" not in html_text(open_history(visit()))
    contents = Path(database.removeprefix("sqlite:///")).read_bytes()
    assert first.session_state["songnet_history"].visitor.encode() not in contents


def test_a_browser_that_begins_on_understand_gets_its_number_too(
    database: str, sure_model: None, app: AppTest
) -> None:
    upload(app, "one.wav").switch_page(str(ROOT / "pages" / "understand.py")).run()
    assert not app.exception
    number = app.session_state["songnet_history"].visitor
    assert f"{COOKIE}={number}" in "".join(element.proto.body for element in app.get("html"))


def test_without_a_database_nothing_is_stored_and_no_cookie_is_set(
    sure_model: None, app: AppTest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    upload(app, "one.wav")
    open_history(app)
    assert list(tmp_path.iterdir()) == []
    assert COOKIE not in "".join(element.proto.body for element in app.get("html"))


def test_a_database_that_is_away_costs_no_result(
    sure_model: None, app: AppTest, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SONGNET_HISTORY", "sqlite:////proc/nowhere/history.db")
    upload(app, "one.wav")
    assert "confident" in html_text(app)
    assert "history is not reachable" in app.error[0].proto.title
    assert "one.wav" in html_text(app)
    assert "/proc" not in app.error[0].value
    open_history(app)
    assert "history is not reachable" in app.error[0].proto.title
