"""A split is learned on its training side and scored on its test side."""

from __future__ import annotations

import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from songnet.config import FeatureConfig
from songnet.datasets.base import Dataset, Track
from songnet.datasets.splits import hold_out_groups
from songnet.datasets.store import FeatureStore
from songnet.evaluation import holdout
from songnet.evaluation.out_of_fold import FoldPredictions
from songnet.exceptions import DatasetError

GENRES = ("Folk", "Jazz", "Rock")
SIDES = ("train", "train", "validation", "test", "test")


def make_dataset(n_tracks: int = 60) -> Dataset:
    tracks = [
        Track(
            track_id=f"{i:02d}",
            path=Path(f"{i}.mp3"),
            genre=GENRES[i % 3],
            group=f"artist:{i // 3}",
            split=SIDES[i // 3 % 5],
        )
        for i in range(n_tracks)
    ]
    return Dataset("small", tuple(tracks))


@pytest.fixture
def learned(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """Stands in for the network; notes what it was given to learn from."""
    seen: dict[str, Any] = {}

    def train(dataset: Dataset, **options: Any) -> None:
        seen["tracks"], seen["genres"] = dataset.tracks, options["genres"]

    def predict_fold(fold: int, *, dataset: Dataset, **_: Any) -> FoldPredictions:
        tested = [track for track in dataset if track.fold == fold]
        rest = [track for track in dataset if track.fold != fold]
        _, held_out = hold_out_groups(rest, share=0.5, seed=0)
        logits = [3.0 * (np.array(GENRES) == track.genre) for track in tested]
        logits[0] = logits[0][::-1]
        return FoldPredictions(
            fold=fold,
            track_ids=np.array([track.track_id for track in tested]),
            logits={"keras": np.array(logits)},
            held_out_ids=np.array([track.track_id for track in held_out]),
            held_out_logits=np.random.default_rng(0).normal(size=(len(held_out), 3)),
            twin_ids=np.array([], np.str_),
            twin_logits=np.zeros((0, 3)),
        )

    monkeypatch.setitem(sys.modules, "songnet.training.train", SimpleNamespace(train=train))
    monkeypatch.setattr(holdout, "predict_fold", predict_fold)
    return seen


def settings() -> Any:
    return SimpleNamespace(to_dict=dict, training=SimpleNamespace(seed=0))


def evaluate(dataset: Dataset, folder: Path) -> Any:
    store = FeatureStore(folder, FeatureConfig())
    return holdout.evaluate_split(dataset, store=store, run_dir=folder, settings=settings())


def test_only_the_test_side_is_scored(learned: dict[str, Any], tmp_path: Path) -> None:
    report = evaluate(make_dataset(), tmp_path)
    assert {t.split for t in learned["tracks"]} == {"train", "validation"}
    assert learned["genres"] == GENRES
    assert report.n_tracks == 24
    assert report.accuracy.value == pytest.approx(23 / 24)
    assert report.protocol == {
        "name": "held-out test",
        "dataset": "small",
        "folds": 1,
        "split": "train 24; validation 12; test 24",
        "artists_on_both_sides": 0,
    }
    report.save(tmp_path / "report.json")


def test_artists_on_several_sides_are_counted(learned: dict[str, Any], tmp_path: Path) -> None:
    tracks = make_dataset().tracks
    mixed = [
        Track(**{**vars(t), "artist": f"band {i % 2}", "group": f"track:{i}"})
        for i, t in enumerate(tracks)
    ]
    report = evaluate(Dataset("small", tuple(mixed)), tmp_path)
    assert report.protocol["artists_on_both_sides"] == 2


def test_a_split_without_a_side_is_refused(learned: dict[str, Any], tmp_path: Path) -> None:
    dataset = make_dataset().select(lambda track: track.split != "validation")
    with pytest.raises(DatasetError, match=r"needs .*validation.*--random-split"):
        evaluate(dataset, tmp_path)
