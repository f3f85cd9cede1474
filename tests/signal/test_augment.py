from __future__ import annotations

import numpy as np
import pytest

from songnet.config import FeatureConfig, TrainConfig
from songnet.signal.augment import (
    add_noise_floor,
    augment_batch,
    change_gain_and_eq,
    mask_patches,
    mix_up,
)

SHAPE = (6, 40, 16)


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(0)


@pytest.fixture
def X() -> np.ndarray:
    return np.random.default_rng(1).normal(-10, 5, SHAPE).astype(np.float32)


def test_gain_moves_a_whole_patch_within_its_limit(X, rng):
    change = change_gain_and_eq(X, rng, gain_db=6.0, eq_db=0.0) - X
    assert np.ptp(change, axis=(1, 2)).max() < 1e-5
    assert np.ptp(change[:, 0, 0]) > 1
    assert np.abs(change).max() <= 6


def test_the_equaliser_is_smooth_over_mel_and_constant_in_time(X, rng):
    change = change_gain_and_eq(X, rng, gain_db=0.0, eq_db=4.0) - X
    assert np.ptp(change, axis=1).max() < 1e-5
    assert np.abs(np.diff(change[:, 0], n=2, axis=1)).mean() < 2
    assert np.ptp(change[:, 0], axis=1).min() > 0.5


def test_a_noise_floor_adds_power(X, rng):
    noisy = add_noise_floor(X, rng, highest_db=-10.0)
    assert (noisy >= X - 1e-4).all()
    loud = X + 80
    np.testing.assert_allclose(add_noise_floor(loud, rng, highest_db=-10.0), loud, atol=1e-3)


def test_two_equal_powers_are_three_decibels_more(rng):
    X = np.full((1, 4, 1), -20, np.float32)

    class Fixed:
        def uniform(self, low, high, size):
            return np.full(size, high)

        def normal(self, mean, std, size):
            return np.zeros(size)

    np.testing.assert_allclose(add_noise_floor(X, Fixed(), highest_db=-20.0), -16.99, atol=0.01)


def test_masks_hide_at_most_what_they_may(X, rng):
    masked = mask_patches(X, rng, time=(2, 5), mel=(1, 3))
    hidden = masked != X
    whole_frames = hidden.all(axis=2).sum(axis=1)
    whole_bands = hidden.all(axis=1).sum(axis=1)
    assert whole_frames.max() <= 10
    assert whole_bands.max() <= 3
    assert hidden.any()
    np.testing.assert_array_equal(
        hidden, hidden.all(axis=2)[..., None] | hidden.all(axis=1)[:, None]
    )
    assert not np.shares_memory(masked, X)


def test_mixup_blends_targets_as_it_blends_patches(rng):
    genre = np.arange(8) % 2
    targets = np.eye(2, dtype=np.float32)[genre]
    X = np.broadcast_to(genre[:, None, None], (8, 3, 4)).astype(np.float32)
    mixed, blended = mix_up(X, targets, rng, alpha=1.0)
    np.testing.assert_allclose(mixed[:, 0, 0], blended[:, 1], atol=1e-6)
    np.testing.assert_allclose(blended.sum(axis=1), 1, atol=1e-6)
    assert (blended.argmax(axis=1) == genre).all()
    assert ((blended > 0.01) & (blended < 0.99)).any()


def test_everything_together_keeps_the_floor_and_the_input(X):
    before = X.copy()
    targets = np.eye(3, dtype=np.float32)[np.arange(6) % 3]
    config, features = TrainConfig(), FeatureConfig(n_mels=16)
    first, mixed = augment_batch(
        X, targets, np.random.default_rng(5), config=config, features=features
    )
    again, _ = augment_batch(X, targets, np.random.default_rng(5), config=config, features=features)
    np.testing.assert_array_equal(first, again)
    np.testing.assert_array_equal(X, before)
    assert first.dtype == np.float32
    assert first.min() >= features.floor_db
    assert np.isfinite(first).all()
    np.testing.assert_allclose(mixed.sum(axis=1), 1, atol=1e-6)
