"""A small data set with features in the stores, so that nothing has to be decoded."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import soundfile as sf

from songnet.benchmark.arrays import ArrayStore
from songnet.benchmark.entries import Entry
from songnet.benchmark.inputs import Inputs
from songnet.benchmark.pieces import list_pieces
from songnet.benchmark.run import BenchmarkRun
from songnet.config import FeatureConfig, ModelConfig, TrainConfig
from songnet.datasets.base import Dataset, Track
from songnet.signal.conditions import CLEAN, DEGRADED_CONDITIONS, SECONDS_CONDITIONS
from songnet.signal.statistics import StatisticsConfig, statistics_names

CHEAP = ("folds", "leaky", "codec", "seconds", "robustness")
STATISTICS = StatisticsConfig()
FEATURES = FeatureConfig(n_mels=16, patch_frames=32, patch_hop_frames=16)
KNN = Entry("knn", "statistics", "KNN", "", STATISTICS, "knn", leak="tracks")
MAJORITY = Entry("majority", "chance", "Majority", "", STATISTICS, "majority")
NETWORK = Entry(
    "songnet",
    "songnet",
    "SongNet",
    "",
    features=FEATURES,
    model=ModelConfig(
        front_end_filters=(4,),
        conv_filters=(8, 8, 8),
        gru_units=8,
        attention_units=4,
        statistics_units=0,
    ),
    training=TrainConfig(
        epochs=4,
        learning_rate=5e-3,
        label_smoothing=0.0,
        batch_size=8,
        warmup_epochs=1,
        crops_per_track=4,
        validation_share=0.25,
        time_mask_frames=4,
        mel_mask_bands=2,
        mel_shift_bands=1,
        degraded_share=0.0,
    ),
    leak="segments",
    has_learning_curve=True,
)


def _write(path: Path, array: np.ndarray) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    np.save(path, array)


def make_inputs(root: Path, *, n_tracks: int = 48) -> Inputs:
    """Two genres, twelve artists, two folds; degraded statistics say nothing."""
    rng = np.random.default_rng(0)
    noise = root / "noise.flac"
    sf.write(noise, 0.1 * rng.standard_normal(32_000), 16_000)
    tracks = []
    for index in range(n_tracks):
        artist = index % 12
        genre = ("High", "Low")[artist % 2]
        tracks.append(
            Track(
                track_id=f"t{index:02d}",
                path=noise,
                genre=genre,
                group=f"artist {artist}",
                fold=artist // 2 % 2,
                source=("a", "b")[index % 3 == 0],
                sha256=f"{index:064x}",
            )
        )
    dataset = Dataset("small", tuple(tracks))
    twins = dataset.with_tracks(replace(t, sha256=f"f{t.sha256[1:]}") for t in tracks[:12])
    inputs = Inputs(dataset, root / "store", twins=twins, jobs=1)
    for track in (*dataset, *twins):
        sign = 1 if track.genre == "High" else -1
        for condition in (CLEAN, *DEGRADED_CONDITIONS, *SECONDS_CONDITIONS):
            heard = 0 if condition in DEGRADED_CONDITIONS else sign
            store = ArrayStore(inputs.store_root / "benchmark", STATISTICS, condition)
            size = len(statistics_names(STATISTICS))
            _write(store.path(track), rng.normal(2 * heard, 1, size).astype(np.float32))
        tilt = np.linspace(-15, 15, FEATURES.n_mels) * sign
        S_db = (rng.normal(-10, 3, (80, tilt.size)) + tilt).astype(np.float16)
        _write(log_mel_path(inputs, FEATURES, track), S_db)
    return inputs


def log_mel_path(inputs: Inputs, features: FeatureConfig, track: Track) -> Path:
    folder = inputs.log_mels(features).folder  # type: ignore[attr-defined]
    return folder / track.sha256[:2] / f"{track.sha256}.npy"


@pytest.fixture(scope="session")
def inputs(tmp_path_factory: pytest.TempPathFactory) -> Inputs:
    return make_inputs(tmp_path_factory.mktemp("benchmark"))


@pytest.fixture(scope="session")
def done(inputs: Inputs, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """All cheap studies of two baselines."""
    run_dir = tmp_path_factory.mktemp("run")
    pieces = list_pieces((MAJORITY, KNN), (0, 1), studies=CHEAP)
    report = BenchmarkRun(inputs, run_dir).run(pieces)
    assert (report.done, report.failed, report.unfinished) == (len(pieces), {}, ())
    return run_dir
