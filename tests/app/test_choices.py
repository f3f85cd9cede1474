"""What a visitor chose is still chosen after a look at another page."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from songnet.inference.collection import write_collection
from tests.inference.collections_stub import generated_collection

PAGES = Path(__file__).parents[2] / "pages"


def go(visit: AppTest, page: str) -> None:
    visit.switch_page(str(PAGES / f"{page}.py")).run()
    assert not visit.exception


@pytest.mark.parametrize(
    ("page", "view"), [("model", "Architecture"), ("benchmark", "Cost"), ("explore", "Mistakes")]
)
def test_the_view_of_a_page_stays(
    app: AppTest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, page: str, view: str
) -> None:
    write_collection(generated_collection(20), tmp_path / "mine" / "collection.parquet")
    monkeypatch.setenv("SONGNET_COLLECTIONS", str(tmp_path))
    go(app, page)
    app.segmented_control(key=f"{page}-view").set_value(view).run()
    go(app, "history")
    go(app, page)
    assert app.segmented_control(key=f"{page}-view").value == view


def test_the_collection_stays_while_it_is_there(
    app: AppTest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("first", "second"):
        write_collection(generated_collection(20), tmp_path / name / "collection.parquet")
    monkeypatch.setenv("SONGNET_COLLECTIONS", str(tmp_path))
    go(app, "explore")
    app.selectbox(key="explore-collection").set_value("second").run()
    go(app, "history")
    go(app, "explore")
    assert app.selectbox(key="explore-collection").value == "second"
    go(app, "history")
    shutil.rmtree(tmp_path / "second")
    go(app, "explore")
    assert app.selectbox(key="explore-collection").value == "first"
