"""The feature store: computed once, resumed, never half."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from songnet.config import FeatureConfig
from songnet.datasets import store as store_module
from songnet.datasets.base import Track
from songnet.datasets.store import FeatureStore, StoreReport, _compute_one
from songnet.exceptions import DatasetError
from songnet.signal.audio import load_audio
from songnet.signal.features import log_mel
from tests.encoders import encode_soundfile, noise

CONFIG = FeatureConfig(sr=8_000, n_fft=256, hop_length=128, n_mels=16, fmax=3_500)


def write_track(folder: Path, name: str, data: bytes) -> Track:
    path = folder / f"{name}.wav"
    path.write_bytes(data)
    return Track(track_id=name, path=path, genre="Jazz", group=name)


def make_track(folder: Path, seed: int, *, seconds: float = 0.5) -> Track:
    y = noise(seconds=seconds, sr=8_000, seed=seed)
    return write_track(folder, f"noise {seed}", encode_soundfile(y, sr=8_000, kind="WAV"))


@pytest.fixture
def in_this_process(monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """Run the work here, without new processes; lists the sources computed."""
    from concurrent.futures import ThreadPoolExecutor

    computed: list[Path] = []

    def compute_and_note(source: Path, *rest: Any) -> str | None:
        computed.append(source)
        return _compute_one(source, *rest)

    def make_pool(jobs: int | None, **_: Any) -> ThreadPoolExecutor:
        return ThreadPoolExecutor(jobs)

    monkeypatch.setattr(store_module, "ProcessPoolExecutor", make_pool)
    monkeypatch.setattr(store_module, "_compute_one", compute_and_note)
    return computed


def test_processes_compute_what_can_be_read_and_report_the_rest(tmp_path: Path) -> None:
    good = [make_track(tmp_path, seed) for seed in range(3)]
    bad = write_track(tmp_path, "bad", b"no audio")
    short = make_track(tmp_path, 9, seconds=0.01)
    missing = Track(track_id="gone", path=tmp_path / "gone.wav", genre="Jazz", group="x")
    store = FeatureStore(tmp_path / "store", CONFIG)
    seen: list[tuple[int, int]] = []
    report = store.compute(
        [bad, *good, short, missing],
        jobs=2,
        progress=lambda done, total: seen.append((done, total)),
    )
    assert (report.computed, report.reused) == (3, 0)
    assert set(report.failed) == {"bad", "noise 9", "gone"}
    assert "not audio that can be decoded" in report.failed["bad"]
    assert "one frame needs 256" in report.failed["noise 9"]
    assert "is missing" in report.failed["gone"]
    assert seen == [(done, 6) for done in range(1, 7)]
    for track in good:
        y, _ = load_audio(track.path, sr=CONFIG.sr)
        S_db = store.load(track)
        assert isinstance(S_db, np.memmap)
        assert S_db.dtype == np.float16
        np.testing.assert_allclose(S_db, log_mel(y, config=CONFIG).T, atol=0.05)


def test_nothing_is_computed_twice(tmp_path: Path, in_this_process: list[Path]) -> None:
    tracks = [make_track(tmp_path, seed) for seed in range(3)]
    store = FeatureStore(tmp_path / "store", CONFIG)
    assert store.compute(tracks[:2]) == StoreReport(computed=2)
    written = {track.track_id: store.path(track).stat().st_mtime_ns for track in tracks[:2]}
    assert store.compute(tracks) == StoreReport(computed=1, reused=2)
    assert FeatureStore(tmp_path / "store", CONFIG).compute(tracks) == StoreReport(reused=3)
    assert sorted(in_this_process) == sorted(track.path for track in tracks)
    assert all(store.path(t).stat().st_mtime_ns == written[t.track_id] for t in tracks[:2])


def test_other_settings_never_mix(tmp_path: Path, in_this_process: list[Path]) -> None:
    track = make_track(tmp_path, 0)
    FeatureStore(tmp_path / "store", CONFIG).compute([track])
    changes: list[dict[str, Any]] = [
        {"sr": 7_500},
        {"n_fft": 512},
        {"hop_length": 64},
        {"n_mels": 17},
        {"fmin": 20.0},
        {"fmax": 3_400.0},
        {"floor_db": -50.0},
    ]
    for change in changes:
        other = FeatureStore(tmp_path / "store", CONFIG.replace(**change))
        with pytest.raises(DatasetError, match="run `songnet features` first"):
            other.load(track)


def test_patch_lengths_share_a_store(tmp_path: Path, in_this_process: list[Path]) -> None:
    track = make_track(tmp_path, 0)
    FeatureStore(tmp_path / "store", CONFIG).compute([track])
    other = FeatureStore(tmp_path / "store", CONFIG.replace(patch_frames=50, patch_hop_frames=9))
    assert other.load(track).shape[1] == CONFIG.n_mels


def test_features_follow_the_sound_not_the_name(
    tmp_path: Path, in_this_process: list[Path]
) -> None:
    track = make_track(tmp_path, 0)
    store = FeatureStore(tmp_path / "store", CONFIG)
    store.compute([track])
    moved = track.path.rename(tmp_path / "renamed.wav")
    assert store.load(Track(track_id="b", path=moved, genre="Rock", group="g")).size
    changed = write_track(tmp_path, "renamed", make_track(tmp_path, 1).path.read_bytes())
    with pytest.raises(DatasetError, match="renamed are not in"):
        store.load(changed)


def test_a_crash_while_writing_leaves_nothing_to_be_read(
    tmp_path: Path, in_this_process: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    track = make_track(tmp_path, 0)
    store = FeatureStore(tmp_path / "store", CONFIG)
    save = np.save

    def crash(file: Any, array: np.ndarray) -> None:
        file.write(b"\x93NUMPY half of it")
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(np, "save", crash)
    with pytest.raises(OSError, match="No space left"):
        store.compute([track])
    assert not store.path(track).exists()
    monkeypatch.setattr(np, "save", save)
    assert store.compute([track]) == StoreReport(computed=1)
    assert store.load(track).size


def test_progress_counts_what_was_there_before(tmp_path: Path, in_this_process: list[Path]) -> None:
    tracks = [make_track(tmp_path, seed) for seed in range(3)]
    store = FeatureStore(tmp_path / "store", CONFIG)
    store.compute(tracks[:2])
    seen: list[tuple[int, int]] = []
    store.compute(tracks, progress=lambda done, total: seen.append((done, total)))
    assert seen == [(2, 3), (3, 3)]
