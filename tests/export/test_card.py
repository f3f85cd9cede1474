"""The model card says what is true of the model that it describes."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from songnet.evaluation.report import Report
from songnet.export.card import model_card
from songnet.inference.bundle import Bundle


@pytest.fixture(scope="module")
def bundle(repo_root: Path) -> Bundle:
    return Bundle.load(repo_root / "models" / "songnet")


@pytest.fixture(scope="module")
def report(bundle: Bundle) -> Report:
    return Report.load(bundle.folder / "report.json")


def test_the_shipped_model(bundle: Bundle, report: Report) -> None:
    card = model_card(bundle, report, [])
    assert "each predicted by a network that never saw its artist" in card
    assert "A second branch reads statistics" in card
    assert "10 genres only" in card
    assert "four\n  collections" in card


def test_another_model_of_other_data(bundle: Bundle, report: Report) -> None:
    settings = bundle.training["settings"]
    training = bundle.training | {
        "dataset": "mine",
        "settings": settings | {"model": settings["model"] | {"architecture": "vgg_mel"}},
    }
    protocol = {"name": "held-out test", "dataset": "mine", "folds": 1, "split": "train 8; test 2",
                "artists_on_both_sides": 60}  # fmt: skip
    card = model_card(
        replace(bundle, training=training, genres=("A", "B", "C")),
        replace(report, protocol=protocol),
        [],
    )
    assert "The network `vgg_mel`" in card
    assert "60 artists stand on both sides" in card
    assert "3 genres only" in card
    for false in ("never saw its artist", "GRU", "second branch", "collections that disagree",
                  "research use"):  # fmt: skip
        assert false not in card
