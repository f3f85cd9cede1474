"""A small model for tests of the app where none is shipped, and sounds to upload."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import soundfile as sf

from songnet.config import FeatureConfig
from songnet.inference.bundle import Bundle
from songnet.inference.classifier import Classifier
from songnet.inference.runtime import Outputs
from songnet.signal.features import Patches

GENRES = ("Blues", "Classical", "Electronic", "Jazz", "Rock")


class StubRuntime:
    """Names the genre by which part of the spectrum is loudest."""

    def predict(self, patches: Patches) -> Outputs:
        bands = np.stack([part.mean(axis=-1) for part in np.array_split(patches, 5, axis=-1)], -1)
        evidence = ((bands - bands.mean()) / 4).astype(np.float32)
        attention = np.full(evidence.shape[:2], 1 / evidence.shape[1], dtype=np.float32)
        return Outputs(evidence.mean(axis=1), attention, evidence)


def stub_bundle(not_sure_below: float = 0.4) -> Bundle:
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


def stub_classifier(not_sure_below: float = 0.4) -> Classifier:
    return Classifier(stub_bundle(not_sure_below), StubRuntime())


def tone(seconds: float, *, hz: float = 220.0, sr: int = 22_050, level: float = 0.3) -> np.ndarray:
    t = np.arange(int(seconds * sr)) / sr
    beat = 0.6 + 0.4 * np.sign(np.sin(2 * np.pi * 2 * t))
    chord = sum(np.sin(2 * np.pi * hz * k * t) / k for k in (1, 1.25, 1.5, 2))
    return (level * beat * chord / 2).astype(np.float32)


def encode(y: np.ndarray, *, sr: int = 22_050, file_format: str = "WAV") -> bytes:
    buffer = io.BytesIO()
    sf.write(buffer, y, sr, format=file_format)
    return buffer.getvalue()
