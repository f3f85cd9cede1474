from __future__ import annotations

import numpy as np
import pytest

from songnet.evaluation.protocol import predict_fold
from songnet.training.run_folder import TrainSettings, claim, describe, read_held_out
from tests.training.training_settings import SETTINGS


def is_of_fold_1(track):
    return track.fold == 1


def test_what_was_held_out_is_known_by_track_not_by_artist(easy, tmp_path):
    dataset, _ = easy
    held_out = next(iter(dataset))
    claim(tmp_path, describe(dataset, SETTINGS, dataset.genres, [held_out], None))
    assert sum(track.group == held_out.group for track in dataset) > 1
    assert read_held_out(tmp_path, dataset) == [held_out]


@pytest.mark.slow
def test_a_fold_is_trained_on_the_others_and_predicted_once(easy, tmp_path, monkeypatch):
    dataset, store = easy
    run = {"dataset": dataset, "store": store, "run_dir": tmp_path, "settings": SETTINGS}
    first = predict_fold(0, **run, twins=dataset)
    tested = {track.track_id for track in dataset if track.fold == 0}
    trained = {track.track_id for track in dataset if track.fold == 1}
    assert set(first.track_ids) == set(first.twin_ids) == tested
    assert set(first.held_out_ids) < trained
    np.testing.assert_allclose(first.logits["litert"], first.logits["keras"], atol=1e-4)
    np.testing.assert_allclose(first.twin_logits, first.logits["keras"], atol=1e-5)
    with monkeypatch.context() as patched:
        patched.setattr(store, "load", None)
        again = predict_fold(0, **run, twins=dataset)
    np.testing.assert_array_equal(again.logits["keras"], first.logits["keras"])
    assert len(predict_fold(0, **run).twin_ids) == 0
    (_, *fewer) = (track for track in dataset if track.fold == 0)
    mended = run | {"dataset": dataset.with_tracks((*fewer, *dataset.select(is_of_fold_1)))}
    assert set(predict_fold(0, **mended).track_ids) == {track.track_id for track in fewer}
    config = SETTINGS.training
    longer = config.replace(epochs=config.epochs + 1, restarts=(*config.restarts, config.epochs))
    run["settings"] = TrainSettings(SETTINGS.features, SETTINGS.model, longer)
    other = predict_fold(0, **run)
    assert not np.array_equal(other.logits["keras"], first.logits["keras"])
