from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import replace

import numpy as np
import pytest
import soundfile as sf

from songnet.benchmark.arrays import ArrayStore, extract, hear
from songnet.benchmark.deadline import Deadline, OutOfTimeError
from songnet.benchmark.inputs import leaky_segments, leaky_tracks
from songnet.config import FeatureConfig
from songnet.datasets.base import Track
from songnet.exceptions import DatasetError
from songnet.signal.conditions import CLEAN, DEGRADED_CONDITIONS, SECONDS_CONDITIONS
from tests.benchmark.conftest import FEATURES

pytestmark = pytest.mark.timeout(1800)  # numba, TensorFlow: slow on a busy machine


def test_the_leaky_split_puts_artists_on_both_sides(inputs):
    leaky = leaky_tracks(inputs.dataset, n_folds=2, seed=0)
    artists = {track.track_id: track.group for track in inputs.dataset}
    folds = defaultdict(set)
    for track in leaky:
        folds[artists[track.track_id]].add(track.fold)
    assert sum(len(found) == 2 for found in folds.values()) > len(folds) / 2
    sizes = Counter((track.genre, track.fold) for track in leaky)
    assert max(sizes.values()) - min(sizes.values()) <= 1
    assert leaky == leaky_tracks(inputs.dataset, n_folds=2, seed=0)
    assert leaky != leaky_tracks(inputs.dataset, n_folds=2, seed=1)
    first, *others = inputs.dataset.tracks
    excerpt = inputs.dataset.with_tracks([replace(first, evaluate=False), *others])
    assert leaky_tracks(excerpt, n_folds=2, seed=0).tracks[0].fold is None


def test_segments_are_the_pieces_of_their_track(inputs):
    store = inputs.log_mels(FEATURES)
    segments, pieces = leaky_segments(inputs.dataset, store, n_folds=2, seed=0)
    assert len(segments) == 2 * len(inputs.dataset)  # 80 frames hold two patches of 32
    track = inputs.dataset.tracks[3]
    mine = [s for s in segments if s.track_id.startswith(f"{track.track_id}#")]
    joined = np.concatenate([pieces.load(segment) for segment in mine])
    np.testing.assert_array_equal(joined, store.load(track)[:64])
    assert len({segment.group for segment in segments}) == len(segments)


def test_vectors_of_a_log_mel_are_its_mean(inputs):
    tracks = inputs.dataset.tracks[:3]
    vectors = inputs.vectors(FEATURES, tracks)
    expected = inputs.log_mels(FEATURES).load(tracks[1]).astype(np.float32).mean(axis=0)
    np.testing.assert_allclose(vectors[1], expected, rtol=1e-5)


def test_seconds_heard_are_the_first_frames(inputs):
    track = inputs.dataset.tracks[0]
    cut = inputs.log_mels(FEATURES, SECONDS_CONDITIONS[0]).load(track)
    assert len(cut) == FEATURES.n_frames(FEATURES.sr)
    np.testing.assert_array_equal(cut, inputs.log_mels(FEATURES).load(track)[: len(cut)])


@pytest.fixture
def track(tmp_path) -> Track:
    path = tmp_path / "noise.flac"
    y = 0.1 * np.random.default_rng(0).standard_normal(32_000)
    sf.write(path, y, 16_000)
    return Track("noise", path, "Noise", "nobody", sha256="ab" * 32)


def test_an_array_is_computed_once_and_under_its_condition(track, tmp_path):
    config = FeatureConfig()
    store = ArrayStore(tmp_path / "arrays", config, DEGRADED_CONDITIONS[2])
    with pytest.raises(DatasetError, match="'telephone' is not in"):
        store.load(track)
    with pytest.raises(OutOfTimeError):
        store.compute([track], jobs=1, deadline=Deadline.after(0))
    store.compute([track], jobs=1)
    y = hear(track.path, sr=16_000, key=track.sha256, condition=DEGRADED_CONDITIONS[2])
    np.testing.assert_array_equal(store.load(track), extract(y, config))
    clean = hear(track.path, sr=16_000, key=track.sha256, condition=CLEAN)
    assert not np.allclose(store.load(track), extract(clean, config), atol=1)
    written = store.path(track).stat().st_mtime_ns
    store.compute([track], jobs=1)
    assert store.path(track).stat().st_mtime_ns == written


def test_patch_lengths_share_a_store_and_conditions_do_not(tmp_path):
    config = FeatureConfig()
    folder = ArrayStore(tmp_path, config, CLEAN).folder
    assert ArrayStore(tmp_path, config.replace(patch_frames=99), CLEAN).folder == folder
    assert ArrayStore(tmp_path, config.replace(n_mels=99), CLEAN).folder != folder
    assert ArrayStore(tmp_path, config, DEGRADED_CONDITIONS[0]).folder != folder
