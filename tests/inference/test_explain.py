"""Gradients of the shipped Keras network; slow, since they need TensorFlow."""

from __future__ import annotations

import numpy as np
import pytest

from songnet.exceptions import ParameterError
from songnet.inference.bundle import Bundle, find_bundle
from songnet.inference.classifier import Classifier
from songnet.inference.explain import Explainer
from songnet.signal.audio import Waveform
from songnet.signal.features import LogMel, frame_patches, log_mel
from tests.encoders import noise, sine

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(
        not (find_bundle() / "bundle.json").is_file(), reason="there is no model in models/songnet"
    ),
]


@pytest.fixture(scope="module")
def explainer() -> Explainer:
    return Explainer(Bundle.load(find_bundle()))


@pytest.fixture(scope="module")
def sound(explainer: Explainer) -> Waveform:
    """One window of a tone in noise, and half a window more."""
    sr, seconds = explainer.bundle.features.sr, 1.5 * explainer.bundle.features.patch_seconds
    return sine(seconds=seconds, sr=sr, hz=440, level=0.2) + noise(seconds=seconds, sr=sr)


def test_integrated_gradients_sum_to_the_rise_of_the_logit(
    explainer: Explainer, sound: Waveform
) -> None:
    genre = Classifier.load().predict_waveform(sound).genre
    reported: list[float] = []
    found = explainer.integrated_gradients(sound, genre, progress=reported.append)
    S_db = log_mel(sound, config=explainer.bundle.features)
    assert found.values.shape == S_db.shape
    np.testing.assert_array_equal(found.S_db, S_db)
    assert found.values.sum() == pytest.approx(found.total, rel=0.15, abs=0.25)
    assert reported == sorted(reported)
    assert reported[-1] == 1
    silent = S_db <= explainer.bundle.features.floor_db
    assert not found.values[silent].any()


def test_smooth_grad_foretells_what_a_change_does(explainer: Explainer, sound: Waveform) -> None:
    genre = explainer.bundle.genres[0]
    found = explainer.smooth_grad(sound, genre, n_samples=1, noise=0.0)
    features = explainer.bundle.features
    _, _, weights = explainer._read(sound)
    change = 0.05 * np.sign(found.values)

    def logit(S_db: LogMel) -> float:
        patches = frame_patches(S_db, config=features)
        return float(weights @ explainer._logits(patches)[:, 0])

    rise = logit(found.S_db + change) - logit(found.S_db - change)
    assert rise == pytest.approx(2 * float((found.values * change).sum()), rel=0.1)


def test_smooth_grad_adds_the_same_noise_each_time(explainer: Explainer, sound: Waveform) -> None:
    genre = explainer.bundle.genres[0]
    reported: list[float] = []
    first = explainer.smooth_grad(sound, genre, n_samples=2, progress=reported.append)
    second = explainer.smooth_grad(sound, genre, n_samples=2)
    np.testing.assert_array_equal(first.values, second.values)
    assert reported == [0.5, 1.0]


def test_progress_can_stop_the_work(explainer: Explainer, sound: Waveform) -> None:
    class Stopped(Exception):
        pass

    def stop(_: float) -> None:
        raise Stopped

    with pytest.raises(Stopped):
        explainer.integrated_gradients(sound, explainer.bundle.genres[0], progress=stop)


def test_grad_cam_has_the_shape_of_the_sound_and_no_negative_value(
    explainer: Explainer, sound: Waveform
) -> None:
    found = explainer.grad_cam(sound, explainer.bundle.genres[0])
    assert found.values.shape == found.S_db.shape
    assert found.seconds.size == found.S_db.shape[1]
    assert (found.values >= 0).all()
    assert np.isfinite(found.values).all()


def test_grad_cam_needs_a_2d_convolution(explainer: Explainer, sound: Waveform) -> None:
    import keras

    flat = Explainer.__new__(Explainer)
    flat.bundle = explainer.bundle
    inputs = keras.Input((None, explainer.bundle.features.n_mels))
    flat._network = keras.Model(inputs, keras.layers.Conv1D(2, 3)(inputs))
    with pytest.raises(ParameterError, match="no 2-D convolution"):
        flat.grad_cam(sound, explainer.bundle.genres[0])


def test_unknown_genres_are_named(explainer: Explainer) -> None:
    with pytest.raises(ParameterError, match="no genre 'Polka'"):
        explainer.integrated_gradients(np.zeros(50_000, np.float32), "Polka")
