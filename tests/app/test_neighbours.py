"""What sounds like a track, beside the answer."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from app import neighbours
from app.neighbours import neighbours_html
from songnet.inference.classifier import Classifier
from songnet.inference.collection import Collection, write_collection
from tests.app.conftest import html_text
from tests.inference.collections_stub import DIGEST, embedding_classifier, generated_collection


@pytest.fixture(scope="module")
def collection() -> Collection:
    return generated_collection(12)


def test_neighbours_are_escaped_and_have_their_licence(collection: Collection) -> None:
    near = collection.frame.head(2).assign(similarity=[0.99, 0.5], title=["<b>x</b>", "y"])
    near["licence"] = ["<i>CC BY</i>", ""]
    text = neighbours_html(near)
    assert "<b>" not in text
    assert "&lt;b&gt;x" in text
    assert "&lt;i&gt;CC BY" in text
    assert "0.99" in text


def show_some_neighbours() -> None:
    import numpy as np

    from app.neighbours import show_neighbours

    show_neighbours(np.ones(16, np.float32), sha256=f"{3:064x}")


def test_a_track_without_a_title_is_called_so(collection: Collection) -> None:
    near = collection.frame.head(1).assign(similarity=0.9, artist="", title="", year=None)
    text = neighbours_html(near)
    assert "Title unknown" in text
    assert near["track_id"].iloc[0] not in text


def test_a_track_that_the_model_learned_from_is_known(
    collection: Collection, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_collection(collection, tmp_path / neighbours.NEIGHBOURS_FILE, with_paths=False)
    monkeypatch.setattr(neighbours, "find_bundle", lambda: tmp_path)
    monkeypatch.setattr(Classifier, "load", lambda: embedding_classifier(DIGEST))
    learned = np.asarray(collection.embeddings[2], np.float32)
    other = np.random.default_rng(5).normal(0, 3, learned.shape).astype(np.float32)
    assert neighbours.is_known_track(learned, sha256="")
    assert not neighbours.is_known_track(other, sha256="")
    assert neighbours.is_known_track(other, sha256=f"{3:064x}")


@pytest.mark.parametrize(("digest", "is_shown"), [(DIGEST, True), ("1" * 64, False)])
def test_only_neighbours_made_with_this_model_are_shown(
    collection: Collection,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    digest: str,
    is_shown: bool,
) -> None:
    write_collection(collection, tmp_path / neighbours.NEIGHBOURS_FILE, with_paths=False)
    monkeypatch.setattr(neighbours, "find_bundle", lambda: tmp_path)
    monkeypatch.setattr(Classifier, "load", lambda: embedding_classifier(digest))
    visit = AppTest.from_function(show_some_neighbours, default_timeout=300).run()
    assert not visit.exception
    assert ("Song number" in html_text(visit)) == is_shown
