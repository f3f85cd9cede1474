"""A model for the app and a way to drive it without a browser."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from types import SimpleNamespace

import pytest
from streamlit.testing.v1 import AppTest

from app import services
from songnet.inference.bundle import find_bundle
from tests.app.stub import stub_bundle, stub_classifier


def clear_caches() -> None:
    services.load_classifier.clear()
    services.read_model_facts.clear()
    services._analyse.clear()
    services._transcode.clear()


def use_stub(
    monkeypatch: pytest.MonkeyPatch, *, not_sure_below: float, folder: Path = Path("nowhere")
) -> None:
    clear_caches()
    bundle = dataclasses.replace(stub_bundle(not_sure_below), folder=folder)
    classifier = stub_classifier(not_sure_below)
    monkeypatch.setattr(
        "songnet.inference.bundle.Bundle", SimpleNamespace(load=lambda _folder: bundle)
    )
    monkeypatch.setattr(
        "songnet.inference.classifier.Classifier", SimpleNamespace(load=lambda: classifier)
    )


@pytest.fixture(autouse=True)
def model(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The shipped model; where there is none, a small one that needs no file."""
    if not (find_bundle() / "bundle.json").is_file():
        use_stub(monkeypatch, not_sure_below=0.0)
    yield
    clear_caches()


@pytest.fixture
def unsure_model(monkeypatch: pytest.MonkeyPatch) -> None:
    use_stub(monkeypatch, not_sure_below=1.1)


@pytest.fixture
def sure_model(monkeypatch: pytest.MonkeyPatch) -> None:
    use_stub(monkeypatch, not_sure_below=0.0)


@pytest.fixture
def app(repo_root: Path) -> AppTest:
    """The app, as a first visit shows it."""
    visit = AppTest.from_file(repo_root / "app" / "main.py", default_timeout=300).run()
    assert not visit.exception
    return visit


class _Text(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.text: list[str] = []

    def handle_starttag(self, tag: str, attrs: object) -> None:
        self.tags.append(tag)

    def handle_data(self, data: str) -> None:
        self.text.append(data)


def html_text(visit: AppTest) -> str:
    """What a person reads in the parts that are written as HTML."""
    return " ".join(parse_html(visit).text)


def parse_html(visit: AppTest) -> _Text:
    parser = _Text()
    for element in visit.get("html"):
        parser.feed(element.proto.body)
    return parser
