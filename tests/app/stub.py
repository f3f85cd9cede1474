"""A small model for tests of the app where none is shipped, and a sound to upload."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from songnet.config import FeatureConfig
from songnet.inference.bundle import Bundle
from songnet.inference.classifier import Classifier
from songnet.inference.runtime import Outputs
from songnet.signal.features import Patches
from tests.encoders import Samples, encode_soundfile

GENRES = ("Blues", "Classical", "Electronic", "Jazz", "Rock")
SR = 22_050


class StubRuntime:
    """Names the genre by which part of the spectrum is loudest."""

    def predict(self, patches: Patches) -> Outputs:
        """See `songnet.inference.runtime.Runtime.predict`."""
        bands = np.stack([part.mean(-1) for part in np.array_split(patches, 5, axis=-1)], -1)
        evidence = ((bands - bands.mean()) / 4).astype(np.float32)
        attention = np.full(evidence.shape[:2], 1 / evidence.shape[1], dtype=np.float32)
        return Outputs(evidence.mean(axis=1), attention, evidence)


def stub_bundle(not_sure_below: float) -> Bundle:
    return Bundle(
        folder=Path("models/stub"),
        name="stub",
        version="0",
        features=FeatureConfig(),
        genres=GENRES,
        temperature=1.0,
        not_sure_below=not_sure_below,
        files={},
        training={},
    )


def stub_classifier(not_sure_below: float) -> Classifier:
    return Classifier(stub_bundle(not_sure_below), StubRuntime())


def beat(seconds: float, *, hz: float = 300.0, level: float = 0.3) -> Samples:
    """Four chords in turn, struck twice a second over a bass and a hiss: music to the detector."""
    t = np.arange(round(seconds * SR)) / SR
    root = hz * np.choose((t // 2).astype(int) % 4, (1, 3 / 2, 5 / 3, 4 / 3))
    turns = 2 * np.pi * np.cumsum(root) / SR
    chord = sum(np.sin(k * turns) / k for k in (1, 1.25, 1.5, 2)) * np.exp(-3 * (t % 0.5))
    hiss = np.random.default_rng(0).normal(size=t.size) * np.exp(-60 * (t % 0.25))
    return (level * (chord / 2 + 0.4 * np.sin(turns / 2) + 0.2 * hiss) / 2).astype(np.float32)


def clip(
    seconds: float = 3.0, *, hz: float = 300.0, level: float = 0.3, kind: str = "WAV"
) -> bytes:
    return encode_soundfile(beat(seconds, hz=hz, level=level), sr=SR, kind=kind)
