"""Generated music: the same by its seed, different by genre."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from songnet.config import FeatureConfig
from songnet.datasets.base import Dataset
from songnet.datasets.synthetic import generate_synthetic, load_synthetic
from songnet.exceptions import DatasetError, ParameterError
from songnet.signal.audio import load_audio
from songnet.signal.features import log_mel
from songnet.signal.quality import measure_quality

GENRES = ("Bells", "Drone", "March", "Techno")


@pytest.fixture(scope="module")
def generated(tmp_path_factory: pytest.TempPathFactory) -> Dataset:
    root = tmp_path_factory.mktemp("synthetic")
    return generate_synthetic(root, tracks_per_genre=7, seconds=1.5, seed=3)


def test_tracks_artists_and_folds(generated: Dataset) -> None:
    assert generated.name == "synthetic"
    assert generated.genres == GENRES
    assert len(generated) == 4 * 7
    assert generated.folds == (0, 1, 2, 3, 4)
    for fold in generated.folds:
        inside = {t.group for t in generated if t.fold == fold}
        assert not inside & {t.group for t in generated if t.fold != fold}
        assert {t.genre for t in generated if t.fold == fold} == set(GENRES)
    assert len({t.group for t in generated}) == 20
    generated.verify()


def test_files_are_sound_of_the_stated_length(generated: Dataset) -> None:
    for track in generated:
        y, _ = load_audio(track.path, sr=16_000)
        assert y.size / 16_000 == track.duration_seconds == 1.5
        quality = measure_quality(y, sr=16_000)
        assert quality.level_dbfs > -45
        assert not quality.is_clipped


def test_index_gives_the_same_without_generating(generated: Dataset) -> None:
    root = generated.tracks[0].path.parents[1]
    assert load_synthetic(root) == generated


def test_seed_repeats_and_changes_every_track(generated: Dataset, tmp_path: Path) -> None:
    same = generate_synthetic(tmp_path / "same", tracks_per_genre=7, seconds=1.5, seed=3)
    assert same.hash == generated.hash
    other = generate_synthetic(tmp_path / "other", tracks_per_genre=7, seconds=1.5, seed=4)
    assert not {t.sha256 for t in other} & {t.sha256 for t in generated}
    assert len({t.sha256 for t in generated}) == len(generated)


def test_genres_are_told_apart_by_the_nearest_mean_of_other_artists(generated: Dataset) -> None:
    config = FeatureConfig()
    X = np.array(
        [
            log_mel(load_audio(t.path, sr=config.sr)[0], config=config).mean(axis=1)
            for t in generated
        ]
    )
    genre = np.array([t.genre for t in generated])
    fold = np.array([t.fold for t in generated])
    n_right = 0
    for x, own_genre, own_fold in zip(X, genre, fold, strict=True):
        means = [X[(genre == g) & (fold != own_fold)].mean(axis=0) for g in GENRES]
        n_right += GENRES[int(np.argmin([np.abs(x - mean).mean() for mean in means]))] == own_genre
    assert n_right / len(generated) > 0.8


@pytest.mark.parametrize(("tracks", "seconds"), [(4, 1.0), (5, 0.0), (5, -1.0)])
def test_impossible_sizes_are_refused(tmp_path: Path, tracks: int, seconds: float) -> None:
    with pytest.raises(ParameterError, match=f"tracks_per_genre is {tracks} and seconds {seconds}"):
        generate_synthetic(tmp_path, tracks_per_genre=tracks, seconds=seconds)


def test_missing_or_damaged_index_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match=r"has no index\.csv; generate"):
        load_synthetic(tmp_path)
    (tmp_path / "index.csv").write_text("track_id,file\na,b\n")
    with pytest.raises(DatasetError, match=r"cannot be read.*generate it again"):
        load_synthetic(tmp_path)
