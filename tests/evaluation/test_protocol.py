from __future__ import annotations

import dataclasses
from multiprocessing import active_children
from pathlib import Path

import numpy as np
import pytest

from songnet.datasets.base import Dataset, Track
from songnet.datasets.store import FeatureStore
from songnet.evaluation.calibration import fit_temperature
from songnet.evaluation.out_of_fold import FoldPredictions, summarise_folds
from songnet.evaluation.protocol import cross_validate
from songnet.exceptions import DatasetError
from songnet.training.run_folder import TrainSettings
from tests.evaluation.folds import first_fold_that_fails, fold_that_waits


def make_dataset(n_groups: int = 8, n_folds: int = 2) -> Dataset:
    """Four tracks of one genre by each artist."""
    return Dataset(
        "made up",
        tuple(
            Track(
                track_id=f"t{group}-{index}",
                path=Path("nowhere"),
                genre="AB"[group % 2],
                group=f"artist {group}",
                fold=group // 2 % n_folds,
                source=f"source {group % 3}",
            )
            for group in range(n_groups)
            for index in range(4)
        ),
    )


def make_fold(dataset: Dataset, fold: int, *, scale: float, twins: int = 2) -> FoldPredictions:
    """Logits that are right for three tracks in four, and ``scale`` times too large."""

    def logits(tracks: list[Track]) -> np.ndarray:
        sign = np.array([(1 if t.genre == "B" else -1) for t in tracks])
        wrong = np.array([t.track_id.endswith("-3") for t in tracks])
        margin = np.where(wrong, -sign, sign) * scale
        return np.stack([-margin, margin], axis=1).astype(float)

    tested = [t for t in dataset if t.fold == fold]
    others = [t for t in dataset if t.fold != fold]
    return FoldPredictions(
        fold=fold,
        track_ids=np.array([t.track_id for t in tested]),
        logits={"keras": logits(tested), "litert": logits(tested)},
        held_out_ids=np.array([t.track_id for t in others]),
        held_out_logits=logits(others),
        twin_ids=np.array([t.track_id for t in tested[:twins]], dtype=np.str_),
        twin_logits=-logits(tested[:twins]),
    )


@pytest.fixture
def dataset() -> Dataset:
    return make_dataset()


@pytest.fixture
def report(dataset):
    folds = [make_fold(dataset, fold, scale=4 + fold) for fold in (0, 1)]
    return summarise_folds(dataset, folds, settings=TrainSettings())


def test_every_track_counts_once(report, dataset):
    assert report.n_tracks == len(dataset)
    assert report.n_groups == 8
    assert report.accuracy.value == 0.75
    assert report.data_hash == dataset.hash
    assert report.confusion == [[12, 4], [4, 12]]


def test_each_fold_is_calibrated_by_its_own_held_out_artists(report, dataset):
    truth = np.array([int(t.genre == "B") for t in dataset if t.fold != 0])
    expected = fit_temperature(make_fold(dataset, 0, scale=4).held_out_logits, truth)
    temperatures = report.calibration["temperatures"]
    assert temperatures[0] == pytest.approx(expected, rel=1e-4)
    assert temperatures[1] / temperatures[0] == pytest.approx(5 / 4, rel=1e-2)
    assert report.calibration["ece_after"] < 0.01 < report.calibration["ece_before"]


def test_codec_twins_stand_beside_the_same_tracks(report):
    codec = report.extra["codec"]
    assert codec["n_tracks"] == 4
    assert (codec["accuracy"], codec["accuracy_other_codec"]) == (1.0, 0.0)
    assert codec["same_answer"] == 0.0


def test_without_twins_there_is_no_codec_section(dataset):
    folds = [make_fold(dataset, fold, scale=4, twins=0) for fold in (0, 1)]
    assert summarise_folds(dataset, folds, settings=TrainSettings()).extra["codec"] is None


def test_sections_of_source_fold_and_runtime(report):
    assert set(report.extra["by_source"]) == {"source 0", "source 1", "source 2"}
    assert set(report.extra["by_fold"]) == {"0", "1"}
    assert report.extra["runtimes"]["litert"] == {"accuracy": 0.75}
    assert report.extra["settings"] == TrainSettings().to_dict()
    assert report.extra["shipping"]["temperature"] > 0


def test_predictions_survive_their_file(dataset, tmp_path):
    fold = make_fold(dataset, 1, scale=2)
    fold.save(tmp_path / "predictions.npz")
    loaded = FoldPredictions.load(tmp_path / "predictions.npz")
    assert loaded.fold == 1
    for field in dataclasses.fields(FoldPredictions):
        if field.name == "logits":
            assert loaded.logits.keys() == fold.logits.keys()
        np.testing.assert_array_equal(
            *(
                getattr(f, field.name) if field.name != "logits" else f.logits["keras"]
                for f in (loaded, fold)
            )
        )
    assert [path.name for path in tmp_path.iterdir()] == ["predictions.npz"]


@pytest.mark.parametrize(
    ("fold", "error"),
    [(first_fold_that_fails, DatasetError), (fold_that_waits, KeyboardInterrupt)],
)
def test_an_error_or_ctrl_c_ends_every_fold(tmp_path, monkeypatch, fold, error):
    def interrupt(_fold: int) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("songnet.evaluation.protocol.predict_fold", fold)
    monkeypatch.setattr("songnet.evaluation.protocol._limit_threads", int)
    before = active_children()
    with pytest.raises(error):
        cross_validate(
            make_dataset(n_folds=4),
            store=FeatureStore(tmp_path / "store", TrainSettings().features),
            run_dir=tmp_path,
            settings=TrainSettings(),
            progress=interrupt,
        )
    assert set(active_children()) <= set(before)
    assert not list(tmp_path.glob("fold-*"))


def test_an_artist_in_two_folds_is_refused(dataset, tmp_path):
    leak = dataclasses.replace(dataset.tracks[0], fold=1)
    leaky = dataset.with_tracks([leak, *dataset.tracks[1:]])
    store = FeatureStore(tmp_path, TrainSettings().features)
    with pytest.raises(DatasetError, match="'artist 0' is in two folds"):
        cross_validate(leaky, store=store, run_dir=tmp_path, settings=TrainSettings())


def test_one_fold_is_no_cross_validation(tmp_path):
    store = FeatureStore(tmp_path, TrainSettings().features)
    with pytest.raises(DatasetError, match="at least two"):
        cross_validate(
            make_dataset(n_folds=1), store=store, run_dir=tmp_path, settings=TrainSettings()
        )
