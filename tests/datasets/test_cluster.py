"""The same features from this process, from a cluster, and from one that loses a worker."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
from distributed import LocalCluster
from threadpoolctl import threadpool_info, threadpool_limits

from songnet.config import FeatureConfig
from songnet.datasets.base import Track
from songnet.datasets.cluster import Work, compute_log_mel
from songnet.datasets.store import FeatureStore, StoreReport
from songnet.exceptions import DatasetError
from songnet.signal.features import log_mel
from tests.datasets.test_store import CONFIG, make_track, shard_bytes, write_track

N_TRACKS = 40
pytestmark = pytest.mark.timeout(1200)  # every worker starts a Python of its own


@pytest.fixture(scope="module")
def tracks(tmp_path_factory: pytest.TempPathFactory) -> list[Track]:
    folder = tmp_path_factory.mktemp("music")
    made = [make_track(folder, seed, seconds=0.3 + seed / 20) for seed in range(N_TRACKS - 1)]
    return [*made[:20], write_track(folder, "bad", b"no audio"), *made[20:]]


@pytest.fixture(scope="module")
def here(tracks: list[Track], tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """What this process computes."""
    store = FeatureStore(tmp_path_factory.mktemp("store"), CONFIG)
    store.compute(tracks, jobs=1)
    return shard_bytes(store)


@pytest.fixture(scope="module")
def cluster() -> Iterator[LocalCluster]:
    with LocalCluster(
        n_workers=2, threads_per_worker=1, dashboard_address="127.0.0.1:0"
    ) as running:
        yield running


@pytest.mark.slow
def test_a_killed_worker_changes_no_byte(
    tracks: list[Track], here: dict[str, bytes], cluster: LocalCluster, tmp_path: Path
) -> None:
    store = FeatureStore(tmp_path, CONFIG)
    killed: list[int] = []

    def kill_one(done: int, total: int) -> None:
        if done == 5 and not killed:
            killed.append(cluster.workers[0].pid)
            os.kill(killed[0], signal.SIGKILL)

    report = store.compute(tracks, scheduler=cluster.scheduler_address, progress=kill_one)
    assert len(killed) == 1
    assert report.computed == N_TRACKS - 1
    assert list(report.failed) == ["bad"]
    assert "not audio that can be decoded" in report.failed["bad"]
    assert shard_bytes(store) == here


@pytest.mark.slow
def test_the_embedded_cluster_is_the_default_for_many(
    tracks: list[Track], here: dict[str, bytes], tmp_path: Path
) -> None:
    store = FeatureStore(tmp_path, CONFIG)
    report = store.compute(tracks, jobs=2)
    assert (report.computed, list(report.failed)) == (N_TRACKS - 1, ["bad"])
    assert shard_bytes(store) == here
    again = store.compute([t for t in tracks if t.track_id != "bad"])
    assert again == StoreReport(reused=N_TRACKS - 1)


def test_one_thread_computes_so_that_no_core_more_changes_a_bit(
    tracks: list[Track], monkeypatch: pytest.MonkeyPatch
) -> None:
    n_threads: list[int] = []

    def watched(y: object, *, config: FeatureConfig) -> object:
        n_threads.extend(pool["num_threads"] for pool in threadpool_info())
        return log_mel(y, config=config)

    monkeypatch.setattr("songnet.datasets.cluster.log_mel", watched)
    with threadpool_limits(2):
        assert compute_log_mel(Work(tracks[0].path, "0", CONFIG)).S_db is not None
    assert set(n_threads) == {1}


def test_a_lost_scheduler_is_said_and_what_was_computed_is_kept(
    tracks: list[Track], tmp_path: Path
) -> None:
    store = FeatureStore(tmp_path, CONFIG)
    good = [track for track in tracks if track.track_id != "bad"]
    with LocalCluster(
        n_workers=1, threads_per_worker=1, processes=False, dashboard_address=None
    ) as lost:

        def lose(done: int, total: int) -> None:
            if done == 3:
                lost.close()

        with pytest.raises(DatasetError, match="What was computed is kept"):
            store.compute(good, scheduler=lost.scheduler_address, progress=lose)
    report = store.compute(good[:3], jobs=1)
    assert report == StoreReport(reused=3)


def test_no_scheduler_is_said(tracks: list[Track], tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setattr("songnet.datasets.cluster._CONNECT_SECONDS", 1)
    with pytest.raises(DatasetError, match=r"tcp://127\.0\.0\.1:9 cannot be reached"):
        FeatureStore(tmp_path, CONFIG).compute(tracks[:1], scheduler="tcp://127.0.0.1:9")
