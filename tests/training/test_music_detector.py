"""The detector learns from artists and recordings, and is measured on others."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from songnet.config import FeatureConfig
from songnet.datasets.base import Dataset, Track
from songnet.json_text import to_plain
from songnet.signal.features import log_mel
from songnet.training.music import held_out_logits, train_music_detector
from songnet.training.music_samples import MUSIC, Sample, collect_samples
from songnet.training.sounds import GENERATED_KINDS, generate_sound

CONFIG = FeatureConfig(
    sr=8_000,
    n_fft=256,
    hop_length=256,
    n_mels=24,
    fmax=3_500,
    patch_frames=120,
    patch_hop_frames=60,
)


def tune(seed: int) -> npt.NDArray[np.float32]:
    """Notes of a scale in a beat."""
    rng = np.random.default_rng(seed)
    t = np.arange(6 * CONFIG.sr) / CONFIG.sr
    step = (t * 4).astype(int)
    hz = 220 * 2 ** (rng.integers(0, 12, step.max() + 1)[step] / 12)
    y = sum(np.sin(2 * np.pi * k * np.cumsum(hz) / CONFIG.sr) / k for k in (1, 2, 3))
    return (0.1 * y * np.exp(-5 * (t * 4 % 1))).astype(np.float32)


def crackle(seed: int) -> npt.NDArray[np.float32]:
    rng = np.random.default_rng(seed)
    n = 6 * CONFIG.sr
    return (rng.standard_normal(n) * (0.01 + 0.3 * (rng.random(n) < 0.002))).astype(np.float32)


class Store:
    """Features made when asked for."""

    def __init__(self, gain: float) -> None:
        self.config = CONFIG
        self.gain = gain

    def load(self, track: Track) -> npt.NDArray[np.float16]:
        make = tune if track.genre in ("Jazz", "Rock") else crackle
        y = self.gain * make(int(track.group)) if track.title != "silence" else np.zeros(20_000)
        return log_mel(y.astype(np.float32), config=CONFIG).T.astype(np.float16)


def tracks(name: str, genres: tuple[str, ...], *, n: int) -> Dataset:
    return Dataset(
        name,
        tuple(
            Track(f"{name}{i}", Path("nowhere"), genres[i % len(genres)], str(i), title="crackle")
            for i in range(n)
        ),
    )


@pytest.fixture(scope="module")
def samples() -> list[Sample]:
    sounds = tracks("sounds", ("speech", "environment"), n=12)
    silent = Track("s", Path("nowhere"), "environment", "99", title="silence")
    return collect_samples(
        tracks("music", ("Jazz", "Rock"), n=20),
        sounds.with_tracks([*sounds, silent]),
        {"clean": Store(1.0), "microphone": Store(0.3)},  # type: ignore[dict-item]
        seed=0,
    )


@pytest.fixture(scope="module")
def trained(samples: list[Sample]) -> tuple[Any, dict[str, Any]]:
    return train_music_detector(samples, config=CONFIG, data_hashes={"music": "abc"}, seed=0)


def test_every_clip_counts_in_every_condition_and_silence_in_none(samples: list[Sample]) -> None:
    of = [(s.kind, s.condition) for s in samples]
    for condition in ("clean", "microphone"):
        assert of.count((MUSIC, condition)) == 20
        assert of.count(("speech", condition)) == of.count(("environment", condition)) == 6
    assert {kind for kind, _ in of} == {MUSIC, "speech", "environment", *GENERATED_KINDS}
    assert {s.fold for s in samples} == {0, 1, 2, 3, 4}


def test_what_was_not_heard_is_told_apart(samples: list[Sample]) -> None:
    logits, crops = held_out_logits(samples, seed=0)
    assert [len(said) for said in crops] == [len(s.crops) for s in samples]
    music = logits[[s.kind == MUSIC for s in samples]]
    others = logits[[s.kind in ("speech", "environment") for s in samples]]
    assert np.mean(music) > np.mean(others) + 2
    assert np.mean(music[:, None] > others) > 0.95


def test_the_detector_is_measured_and_its_report_is_plain(
    trained: tuple[Any, dict[str, Any]], samples: list[Sample]
) -> None:
    detector, report = trained
    assert 0 < detector.refuse_below < detector.doubt_below < 1
    assert detector.feature_hash == CONFIG.hash
    values = json.loads(json.dumps(to_plain(report)))
    for condition in ("clean", "microphone"):
        kinds = values[condition]["kind"]
        assert kinds[MUSIC]["n"] == 20
        assert kinds["environment"]["refused_or_doubted"] >= 0.8
        assert kinds[MUSIC]["refused"] <= kinds[MUSIC]["refused_or_doubted"] <= 0.3
    assert set(values["unheard_kinds"]) == {"crackle", *GENERATED_KINDS}
    assert values["crops"][MUSIC]["n"] == 80
    assert (values["data"], values["seed"]) == ({"music": "abc"}, 0)
    assert values["versions"]["scikit-learn"]
    tunes = log_mel(tune(77), config=CONFIG), log_mel(crackle(77), config=CONFIG)
    assert detector.logit(tunes[0], config=CONFIG) > detector.logit(tunes[1], config=CONFIG) + 2


def test_the_same_samples_give_the_same_detector(
    trained: tuple[Any, dict[str, Any]], samples: list[Sample]
) -> None:
    again, _ = train_music_detector(samples, config=CONFIG, data_hashes={"music": "abc"}, seed=0)
    np.testing.assert_array_equal(again.network.hidden, trained[0].network.hidden)


@pytest.mark.parametrize("kind", GENERATED_KINDS)
def test_generated_sounds_are_level_and_reproducible(kind: str) -> None:
    for seed in range(6):
        y = generate_sound(kind, seconds=2.5, sr=8_000, seed=seed)
        assert y.shape == (20_000,)
        assert y.std() == pytest.approx(0.1, rel=0.02)
        np.testing.assert_array_equal(y, generate_sound(kind, seconds=2.5, sr=8_000, seed=seed))
    other = generate_sound(kind, seconds=2.5, sr=8_000, seed=99)
    assert np.abs(y - other).max() > 0.01
