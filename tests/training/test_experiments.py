"""The experiments: nothing of the fold that is left out, and gains run by run."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from itertools import product
from pathlib import Path
from typing import Any

import pytest

from benchmarks import experiments
from benchmarks.experiments import BASE, SEEDS, SPLITS, VARIATIONS, Split, Variation, summarise
from docs.make_experiments_table import PAGE, figures, table_text
from docs.make_readme_figures import with_figures
from songnet.benchmark.inputs import Inputs
from songnet.training.run_folder import TrainSettings
from tests.training.training_settings import SETTINGS


@dataclass(frozen=True)
class _Small(Variation):
    @property
    def settings(self) -> TrainSettings:
        return SETTINGS


@pytest.fixture
def three_folds(easy) -> Inputs:
    dataset, store = easy
    tracks = [
        replace(track, fold=2, evaluate=track.track_id != "t15")
        if track.group.startswith("artist 3")
        else track
        for track in dataset
    ]
    return Inputs(dataset.with_tracks(tracks), store.folder.parent)


def _rows(variation: Variation, *accuracies: float) -> list[dict[str, Any]]:
    keys = product(SPLITS, SEEDS)
    return [
        {
            "variation": variation.name,
            "left_out": split.left_out,
            "tried": split.tried,
            "seed": seed,
            "accuracy": value,
            "balanced_accuracy": value / 2,
        }
        for (split, seed), value in zip(keys, accuracies, strict=False)
    ]


def test_nothing_of_the_fold_that_is_left_out_is_heard(three_folds):
    dataset = three_folds.dataset
    learned, tried = experiments.inner_split(dataset, Split(left_out=0, tried=2))
    assert {track.fold for track in learned} == {1}
    assert {track.fold for track in tried} == {2}
    assert len(tried) == sum(track.fold == 2 for track in dataset) - 1, "what is not evaluated"
    assert not {t.group for t in learned} & {t.group for t in tried}


def test_a_run_is_scored_once_and_refused_with_other_settings(three_folds, tmp_path, monkeypatch):
    ask = {"split": Split(1, 2), "seed": 1, "inputs": three_folds, "run_dir": tmp_path}
    row = experiments.run(_Small("base", ""), **ask)
    assert row["accuracy"] == 1.0
    assert row["settings"]["training"]["seed"] == 1
    monkeypatch.setattr(experiments, "learn", None)
    assert experiments.run(_Small("base", ""), **ask) == row
    with pytest.raises(SystemExit, match="other settings"):
        experiments.run(Variation("base", ""), **ask)


def test_gains_are_those_of_the_same_split_and_seed():
    changed = VARIATIONS[1]
    rows = _rows(BASE, 0.5, 0.6, 0.4, 0.5) + _rows(changed, 0.53, 0.62, 0.41, 0.56)
    base, other = summarise(reversed(rows))
    assert "accuracy_gain" not in base
    assert other["accuracy_gain"] == pytest.approx(0.03)
    assert other["balanced_accuracy_gain"] == pytest.approx(0.015)
    assert other["accuracy_gain_error"] == pytest.approx(0.0108, abs=1e-4)


def test_an_unfinished_variation_is_left_out():
    rows = _rows(BASE, 0.5, 0.6, 0.4, 0.5) + _rows(VARIATIONS[1], 0.53, 0.62, 0.41)
    assert [row["name"] for row in summarise(rows)] == [BASE.name]


def _write_scores(run_dir: Path, rows: list[dict[str, Any]]) -> None:
    for index, row in enumerate(rows):
        folder = run_dir / row["variation"] / str(index)
        folder.mkdir(parents=True)
        (folder / "score.json").write_text(json.dumps(row), encoding="utf-8")


def test_a_row_of_another_machine_is_kept_while_data_and_settings_are_the_same(
    three_folds, tmp_path, monkeypatch
):
    dataset, result = three_folds.dataset, tmp_path / "experiments.json"
    monkeypatch.setattr(experiments, "_RESULT", result)
    _, kept, new = VARIATIONS[:3]
    there = _rows(BASE, 0.5, 0.6, 0.4, 0.5) + _rows(kept, 0.53, 0.62, 0.41, 0.56)
    _write_scores(tmp_path / "there", there)
    experiments.save(tmp_path / "there", dataset)
    before = json.loads(result.read_text(encoding="utf-8"))["variations"]

    _write_scores(tmp_path / "here", _rows(new, 0.5, 0.61, 0.4, 0.5))
    experiments.save(tmp_path / "here", dataset)
    *rows, added = json.loads(result.read_text(encoding="utf-8"))["variations"]
    assert rows == before
    assert (added["name"], added["accuracy_gain"]) == (new.name, pytest.approx(0.0025))

    monkeypatch.setattr(experiments, "VARIATIONS", (BASE, replace(kept, training={"epochs": 3})))
    experiments.save(tmp_path / "none", dataset)
    (row,) = json.loads(result.read_text(encoding="utf-8"))["variations"]
    assert row["name"] == BASE.name, "the other has other settings now"


def test_nothing_is_written_without_the_base(three_folds, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(experiments, "_RESULT", tmp_path / "experiments.json")
    _write_scores(tmp_path / "runs", _rows(VARIATIONS[1], 0.53, 0.62, 0.41, 0.56))
    experiments.save(tmp_path / "runs", three_folds.dataset)
    assert "all runs of 'base'" in capsys.readouterr().out
    assert not (tmp_path / "experiments.json").exists()


def test_every_variation_changes_something():
    assert len({variation.settings for variation in VARIATIONS}) == len(VARIATIONS)


def test_the_table_begins_with_the_base_and_the_greatest_gain():
    rows = [
        *_rows(BASE, 0.5, 0.6, 0.4, 0.5),
        *_rows(VARIATIONS[1], 0.4, 0.5, 0.3, 0.4),
        *_rows(VARIATIONS[2], 0.53, 0.62, 0.41, 0.56),
    ]
    text = table_text(
        {"what": "x", "epochs": 2, "splits": SPLITS, "seeds": SEEDS, "variations": summarise(rows)}
    )
    first, second, third = text.splitlines()[4:]
    assert first == f"| {BASE.title} | 50.0 |  | 25.0 |  |"
    assert second.startswith(f"| {VARIATIONS[2].title} | 53.0 | +3.0 ± 1.1 |")
    assert third.startswith(f"| {VARIATIONS[1].title} | 40.0 | -10.0 ± 0.0 |")


def test_the_page_shows_what_was_measured():
    page = PAGE.read_text(encoding="utf-8")
    assert page == with_figures(page, figures()), "run: make readme"
