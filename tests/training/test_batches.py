from __future__ import annotations

import numpy as np
import pytest

from songnet.signal.features import frame_patches
from songnet.training.batches import CropBatches, class_weights, mel_statistics, track_patches
from tests.training.training_settings import SETTINGS


def batches(easy, **changes) -> CropBatches:
    dataset, store = easy
    config = SETTINGS.training.replace(**changes)
    return CropBatches(dataset.tracks, dataset.genres, store=store, config=config)


def test_an_epoch_is_a_function_of_seed_and_number(easy):
    first, again = list(batches(easy).epoch(3)), list(batches(easy).epoch(3))
    for one, other in zip(first, again, strict=True):
        for left, right in zip(one, other, strict=True):
            np.testing.assert_array_equal(left, right)
    assert not np.array_equal(first[0][0], next(batches(easy).epoch(4))[0])
    assert not np.array_equal(first[0][0], next(batches(easy, seed=1).epoch(3))[0])


def test_shapes_targets_and_floor(easy):
    source = batches(easy)
    seen = list(source.epoch(0))
    assert len(seen) == source.steps == 8
    for X, targets, weights in seen:
        assert X.shape == (8, 32, 16)
        assert X.dtype == np.float32
        assert X.min() >= SETTINGS.features.floor_db
        np.testing.assert_allclose(targets.sum(axis=1), 1, atol=1e-6)
        assert weights.shape == (8,)


def test_every_track_comes_as_often_as_the_others(easy):
    source = batches(easy, mixup_alpha=0.0)
    targets = np.concatenate([t for _, t, _ in source.epoch(0)])
    np.testing.assert_array_equal(targets.sum(axis=0), [32, 32])


def test_without_augmentation_a_crop_is_a_piece_of_its_track(easy):
    dataset, store = easy
    off = dict.fromkeys(("mixup_alpha", "gain_db", "eq_db", "short_share", "stretch"), 0.0)
    none = dict.fromkeys(("time_masks", "mel_masks", "mel_shift_bands"), 0)
    source = batches(easy, noise_floor_db=-200.0, **off, **none)
    X, targets, _ = next(source.epoch(0))
    tracks = [store.load(track).astype(np.float32) for track in dataset]
    for crop, target in zip(X, targets, strict=True):
        found = [
            dataset.tracks[index].genre
            for index, S_db in enumerate(tracks)
            for start in range(len(S_db) - 31)
            if np.allclose(S_db[start : start + 32], crop, atol=1e-3)
        ]
        assert found == [dataset.genres[target.argmax()]]


def test_class_weights_have_mean_one_and_favour_the_rare(easy):
    tracks = [*easy[0].tracks[::2], *easy[0].tracks[1::4]]
    weights = class_weights(tracks, easy[0].genres, power=0.5)
    counts = np.array([8, 4])
    assert weights @ counts / counts.sum() == pytest.approx(1)
    assert weights[1] / weights[0] == pytest.approx(2**0.5)
    np.testing.assert_allclose(class_weights(tracks, easy[0].genres, power=0.0), 1)


def test_mel_statistics_are_those_of_all_frames(easy):
    dataset, store = easy
    frames = np.concatenate([store.load(track).astype(np.float64) for track in dataset])
    mean, std = mel_statistics(dataset.tracks, store)
    np.testing.assert_allclose(mean, frames.mean(axis=0), rtol=1e-5)
    np.testing.assert_allclose(std, frames.std(axis=0), rtol=1e-4)


@pytest.mark.parametrize("size", [1, 3, 5, 1000])
def test_track_patches_are_those_of_a_prediction(easy, size):
    dataset, store = easy
    tracks = dataset.tracks[:3]
    patches = track_patches(tracks, store, hop_frames=16)
    batches = list(patches.batches(size))
    assert [len(X) for X in batches[:-1]] == [size] * (len(batches) - 1)
    X = np.concatenate(batches)
    for index, track in enumerate(tracks):
        S_db = store.load(track).T.astype(np.float32)
        expected = frame_patches(S_db, config=SETTINGS.features)
        np.testing.assert_array_equal(X[patches.owner == index], expected)
    constant = np.tile(np.array([[1.0, 2.0]], np.float32), (len(X), 1))
    np.testing.assert_allclose(patches.pool(constant), [[1, 2]] * 3)


def test_patches_of_tracks_stay_in_their_files(easy):
    """Memory must not grow with the tracks: what is held is a view of the mapped shard."""
    dataset, store = easy
    for S_db in track_patches(dataset.tracks, store, hop_frames=16).log_mels:
        root = S_db
        while isinstance(root, np.ndarray) and not isinstance(root, np.memmap):
            root = root.base
        assert isinstance(root, np.memmap)
