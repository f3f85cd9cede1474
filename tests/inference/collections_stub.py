"""Collections of generated numbers, and a model with embeddings, for tests and the benchmark."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd

from songnet.datasets.index import SCHEMA, CollectionIndex
from songnet.inference.classifier import Classifier
from songnet.inference.collection import Collection
from songnet.inference.embedding import EmbeddingSpace
from songnet.inference.runtime import Outputs
from songnet.signal.features import Patches
from songnet.signal.music import MusicDetector
from tests.app.stub import GENRES, StubRuntime, stub_bundle
from tests.detectors import linear_network

DIGEST = "0" * 64
_MOST_COMPARED = 5_000
LICENCES = ("CC BY 4.0", "CC BY-NC 4.0", "")


class EmbeddingRuntime(StubRuntime):
    """`StubRuntime` whose embedding is its logits: the head is the identity."""

    def predict(self, patches: Patches) -> Outputs:
        """See `songnet.inference.runtime.Runtime.predict`."""
        outputs = super().predict(patches)
        return replace(outputs, embedding=outputs.logits)


class Deaf(MusicDetector):
    """Hears no music in anything."""

    def logit(self, *_: object, **__: object) -> float:
        return -3.0


def embedding_classifier(
    digest: str = DIGEST,
    *,
    not_sure_below: float = 0.0,
    temperature: float = 1.0,
    is_deaf: bool = False,
) -> Classifier:
    files = {"model.tflite": digest} | ({"music.json": digest} if is_deaf else {})
    bundle = replace(stub_bundle(not_sure_below), files=files, temperature=temperature)
    deaf = Deaf(bundle.features.hash, linear_network([]), 0.3, 0.6, {})
    return Classifier(bundle, EmbeddingRuntime(), deaf if is_deaf else None)


def generated_collection(
    n_tracks: int, *, n_channels: int = 16, root: Path = Path("/nowhere"), seed: int = 0
) -> Collection:
    """Tracks in clusters by genre; every tenth is labelled wrongly, the last is a failure.

    Beyond 5,000 tracks no nearest tracks are looked for.
    """
    rng = np.random.default_rng(seed)
    truth = rng.integers(len(GENRES), size=n_tracks)
    centres = rng.normal(0, 3, (len(GENRES), n_channels))
    embeddings = (centres[truth] + rng.normal(0, 1, (n_tracks, n_channels))).astype(np.float16)
    sure = rng.uniform(0.5, 0.99, n_tracks)
    probs = np.repeat((1 - sure)[:, None] / (len(GENRES) - 1), len(GENRES), axis=1)
    probs[np.arange(n_tracks), truth] = sure
    label = truth.copy()
    label[::10] = (label[::10] + 1) % len(GENRES)
    names = np.asarray(GENRES, dtype=object)
    numbers = np.arange(n_tracks)
    frame = pd.DataFrame(
        {
            "track_id": [f"t{i:06}" for i in numbers],
            "path": "",
            "genre": names[label],
            "artist": [f"Artist {i % max(1, n_tracks // 12)}" for i in numbers],
            "album": [f"Album {i % 7}" for i in numbers],
            "title": [f"Song number {i}" for i in numbers],
            "year": pd.array(
                [1960 + int(i) % 60 if i % 5 else None for i in numbers], dtype="Int16"
            ),
            "licence": [LICENCES[i % 3] for i in numbers],
            "duration_seconds": np.float32(30),
            "split": [("train", "validation", "test")[i % 3] for i in numbers],
            "fold": pd.array([None] * n_tracks, dtype="Int16"),
            "source": "generated",
            "group": "",
            "evaluate": True,
            "sha1": "",
            "sha256": [f"{i:064x}" for i in numbers],
        }
    )[SCHEMA.names]
    space = EmbeddingSpace.of(embeddings)
    nearest, similarity = space.nearest_of_each() if n_tracks <= _MOST_COMPARED else (-1, 0.0)
    frame = frame.assign(
        status="ok",
        error="",
        predicted=names[truth],
        confidence=sure.astype(np.float32),
        basis="new",
        x=space.vectors[:, 0],
        y=space.vectors[:, 1],
        nearest=np.asarray(nearest, dtype=np.int32),
        similarity=np.asarray(similarity, dtype=np.float32),
    )
    frame.loc[n_tracks - 1, ["status", "error", "predicted"]] = ["error", "It is broken.", ""]
    frame.loc[n_tracks - 1, ["confidence", "x", "y", "similarity"]] = np.nan
    probs[-1] = 0
    index = CollectionIndex("generated", root, frame, licence="generated")
    facts = {"model": "stub", "model_version": "0", "model_sha256": DIGEST, "map_method": "PCA"}
    return Collection(index, GENRES, probs.astype(np.float16), embeddings, facts)
