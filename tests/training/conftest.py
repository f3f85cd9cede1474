from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from songnet.datasets.base import Dataset, Track
from songnet.datasets.shards import ShardWriter
from songnet.datasets.store import FeatureStore
from tests.training.training_settings import SETTINGS


@pytest.fixture(scope="session")
def easy(tmp_path_factory) -> tuple[Dataset, FeatureStore]:
    """Two genres of noise, low and high, four artists each, as features only."""
    store = FeatureStore(tmp_path_factory.mktemp("store"), SETTINGS.features)
    rng = np.random.default_rng(0)
    tracks = []
    for index in range(16):
        genre = ("High", "Low")[index % 2]
        track = Track(
            track_id=f"t{index}",
            path=Path("nowhere"),
            genre=genre,
            group=f"artist {index // 2 % 4} {genre}",
            fold=index // 2 % 2,
            source="generated",
            sha256=f"{index:064x}",
        )
        tilt = np.linspace(-15, 15, 16) * (1 if genre == "High" else -1)
        S_db = rng.normal(-10, 3, (80, 16)) + tilt
        with ShardWriter(store.folder / "shards") as writer:
            writer.append(track.sha256, S_db.astype(np.float16))
        tracks.append(track)
    return Dataset("easy", tuple(tracks)), store
