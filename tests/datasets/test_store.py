"""The feature store: computed once, resumed, never half."""

from __future__ import annotations

import json
import os
import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from songnet.config import FeatureConfig
from songnet.datasets import cluster
from songnet.datasets.base import Track, file_sha256
from songnet.datasets.cluster import Outcome, Work, compute_log_mel
from songnet.datasets.shards import ShardReader, ShardWriter
from songnet.datasets.store import FeatureStore, StoreReport
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


def shard_bytes(store: FeatureStore) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted((store.folder / "shards").iterdir())}


@pytest.fixture
def computed(monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """Lists the sources that are computed in this process."""
    sources: list[Path] = []

    def note(work: Work) -> Outcome:
        sources.append(work.source)
        return compute_log_mel(work)

    monkeypatch.setattr(cluster, "compute_log_mel", note)
    return sources


def test_what_can_be_read_is_computed_and_the_rest_reported(tmp_path: Path) -> None:
    good = [make_track(tmp_path, seed) for seed in range(3)]
    bad = write_track(tmp_path, "bad", b"no audio")
    short = make_track(tmp_path, 9, seconds=0.01)
    missing = Track(track_id="gone", path=tmp_path / "gone.wav", genre="Jazz", group="x")
    store = FeatureStore(tmp_path / "store", CONFIG)
    seen: list[tuple[int, int]] = []
    report = store.compute(
        [bad, *good, short, missing],
        progress=lambda done, total: seen.append((done, total)),
    )
    assert (report.computed, report.reused) == (3, 0)
    assert set(report.failed) == {"bad", "noise 9", "gone"}
    assert "not audio that can be decoded" in report.failed["bad"]
    assert "one frame needs 256" in report.failed["noise 9"]
    assert "is missing" in report.failed["gone"]
    assert seen == [(done, 6) for done in range(1, 7)]
    assert json.loads((store.folder / "failed.json").read_text()) == report.failed
    for track in good:
        y, _ = load_audio(track.path, sr=CONFIG.sr)
        S_db = store.load(track)
        assert not S_db.flags.owndata
        assert not S_db.flags.writeable
        assert S_db.dtype == np.float16
        np.testing.assert_allclose(S_db, log_mel(y, config=CONFIG).T, atol=0.05)


def test_nothing_is_computed_twice(tmp_path: Path, computed: list[Path]) -> None:
    tracks = [make_track(tmp_path, seed) for seed in range(3)]
    store = FeatureStore(tmp_path / "store", CONFIG)
    assert store.compute(tracks[:2]) == StoreReport(computed=2)
    written = shard_bytes(store)
    assert store.compute(tracks) == StoreReport(computed=1, reused=2)
    assert FeatureStore(tmp_path / "store", CONFIG).compute(tracks) == StoreReport(reused=3)
    assert sorted(computed) == sorted(track.path for track in tracks)
    assert shard_bytes(store).items() > written.items()


def test_the_same_audio_twice_is_computed_once_and_fails_twice(
    tmp_path: Path, computed: list[Path]
) -> None:
    sound = make_track(tmp_path, 0)
    copy = write_track(tmp_path, "copy", sound.path.read_bytes())
    bad = [write_track(tmp_path, name, b"no audio") for name in ("bad", "worse")]
    report = FeatureStore(tmp_path / "store", CONFIG).compute([sound, *bad, copy])
    assert (report.computed, report.reused, set(report.failed)) == (2, 0, {"bad", "worse"})
    assert computed == [sound.path, bad[0].path]


def test_other_settings_never_mix(tmp_path: Path, computed: list[Path]) -> None:
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


def test_patch_lengths_share_a_store(tmp_path: Path, computed: list[Path]) -> None:
    track = make_track(tmp_path, 0)
    FeatureStore(tmp_path / "store", CONFIG).compute([track])
    other = FeatureStore(tmp_path / "store", CONFIG.replace(patch_frames=50, patch_hop_frames=9))
    assert other.load(track).shape[1] == CONFIG.n_mels


def test_features_follow_the_sound_not_the_name(tmp_path: Path, computed: list[Path]) -> None:
    track = make_track(tmp_path, 0)
    store = FeatureStore(tmp_path / "store", CONFIG)
    store.compute([track])
    moved = track.path.rename(tmp_path / "renamed.wav")
    assert store.load(Track(track_id="b", path=moved, genre="Rock", group="g")).size
    changed = write_track(tmp_path, "renamed", make_track(tmp_path, 1).path.read_bytes())
    with pytest.raises(DatasetError, match="renamed are not in"):
        store.load(changed)


def test_a_crash_while_writing_leaves_nothing_to_be_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    track = make_track(tmp_path, 0)
    store = FeatureStore(tmp_path / "store", CONFIG)

    def crash(writer: ShardWriter, key: str, rows: np.ndarray) -> None:
        rows_file, list_file = writer._begin()
        rows_file.write(rows.tobytes()[:100])
        list_file.write(f"{key},0,{len(rows)}".encode())
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(ShardWriter, "append", crash)
        with pytest.raises(OSError, match="No space left"):
            store.compute([track])
    with pytest.raises(DatasetError, match="are not in"):
        store.load(track)
    assert store.compute([track]) == StoreReport(computed=1)
    y, _ = load_audio(track.path, sr=CONFIG.sr)
    np.testing.assert_allclose(store.load(track), log_mel(y, config=CONFIG).T, atol=0.05)


@pytest.mark.parametrize("n_bytes", [100, 0, None])
def test_what_is_listed_but_not_whole_is_computed_again(
    tmp_path: Path, n_bytes: int | None
) -> None:
    track = make_track(tmp_path, 0)
    FeatureStore(tmp_path / "store", CONFIG).compute([track])
    store = FeatureStore(tmp_path / "store", CONFIG)
    (rows,) = (store.folder / "shards").glob("*.f16")
    whole = np.fromfile(rows, np.float16).reshape(-1, CONFIG.n_mels)
    if n_bytes is None:
        rows.unlink()
    else:
        os.truncate(rows, n_bytes)
    with pytest.raises(DatasetError, match="run `songnet features` first"):
        store.load(track)
    assert store.compute([track]) == StoreReport(computed=1)
    for reader in (store, FeatureStore(tmp_path / "store", CONFIG)):
        np.testing.assert_array_equal(reader.load(track), whole)


def test_a_store_of_single_files_is_still_read(tmp_path: Path, computed: list[Path]) -> None:
    track = make_track(tmp_path, 0)
    store = FeatureStore(tmp_path / "store", CONFIG)
    key = file_sha256(track.path)
    path = store.folder / key[:2] / f"{key}.npy"
    path.parent.mkdir(parents=True)
    np.save(path, np.full((5, CONFIG.n_mels), 3, np.float16))
    assert store.compute([track]) == StoreReport(reused=1)
    assert store.load(track).tolist() == np.full((5, CONFIG.n_mels), 3).tolist()
    assert computed == []


def test_what_another_process_wrote_is_found_and_a_store_travels(tmp_path: Path) -> None:
    tracks = [make_track(tmp_path, seed) for seed in range(2)]
    store = FeatureStore(tmp_path / "store", CONFIG)
    store.compute(tracks[:1])
    first = store.load(tracks[0])
    FeatureStore(tmp_path / "store", CONFIG).compute(tracks[1:])
    assert store.load(tracks[1]).shape == first.shape
    sent = pickle.loads(pickle.dumps(store))
    np.testing.assert_array_equal(sent.load(tracks[0]), first)
    assert len(pickle.dumps(store)) < 2000


def test_shards_are_limited_in_size_and_never_share_a_writer(tmp_path: Path) -> None:
    rows = np.arange(40, dtype=np.float16).reshape(10, 4)
    with ShardWriter(tmp_path, max_bytes=150) as one, ShardWriter(tmp_path) as other:
        for number in range(5):
            one.append(f"{number:064x}", rows + number)
            other.append(f"{number + 10:064x}", rows - number)
    sizes = {path.name: path.stat().st_size for path in sorted(tmp_path.glob("*.f16"))}
    assert sorted(sizes.values()) == [80, 160, 160, 400]
    reader = ShardReader(tmp_path, width=4)
    for number in range(5):
        np.testing.assert_array_equal(reader.get(f"{number:064x}"), rows + number)
        np.testing.assert_array_equal(reader.get(f"{number + 10:064x}"), rows - number)
    assert reader.get(f"{99:064x}") is None


def test_progress_counts_what_was_there_before(tmp_path: Path, computed: list[Path]) -> None:
    tracks = [make_track(tmp_path, seed) for seed in range(3)]
    store = FeatureStore(tmp_path / "store", CONFIG)
    store.compute(tracks[:2])
    seen: list[tuple[int, int]] = []
    store.compute(tracks, progress=lambda done, total: seen.append((done, total)))
    assert seen == [(2, 3), (3, 3)]
