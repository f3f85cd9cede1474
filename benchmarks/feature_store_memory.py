"""Memory of one epoch of training over 1,000, 10,000 and 50,000 generated tracks.

It reads the augmented batches of all tracks but every tenth, then the patches
of those, which validate. Each size runs in a process of its own. Features are
generated (no audio is decoded), as long as --seconds says, and lie in the
store that training reads.
What counts is anonymous memory, which the system cannot take back; the pages
of the mapped files (``file``) are cache, given back whenever memory is short.

    python benchmarks/feature_store_memory.py
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from itertools import chain
from pathlib import Path

import numpy as np
from record import RESULTS, save_result

from songnet.config import FeatureConfig, TrainConfig
from songnet.datasets.base import Track
from songnet.datasets.shards import ShardWriter
from songnet.datasets.store import FeatureStore

SIZES = (1_000, 10_000, 50_000)
GENRES = ("Classical", "Folk", "Jazz", "Rock")
VALIDATION_EVERY = 10


def make_tracks(n_tracks: int) -> list[Track]:
    """Tracks whose features are generated under their number."""
    return [
        Track(
            track_id=str(i),
            path=Path(f"{i}.wav"),
            genre=GENRES[i % len(GENRES)],
            group=str(i),
            sha256=f"{i:064x}",
        )
        for i in range(n_tracks)
    ]


def fill(store: FeatureStore, tracks: list[Track], *, seconds: float) -> None:
    """Write noise as the features of each track."""
    rng = np.random.default_rng(0)
    n_frames = int(seconds / store.config.frame_seconds)
    noise = rng.normal(-10, 8, (4 * n_frames, store.config.n_mels)).astype(np.float16)
    with ShardWriter(store.folder / "shards") as writer:
        for track in tracks:
            start = int(rng.integers(0, 3 * n_frames))
            writer.append(track.sha256, noise[start : start + n_frames])


def memory_mb() -> dict[str, float]:
    """Resident memory of this process by kind."""
    lines = Path("/proc/self/status").read_text(encoding="utf-8").splitlines()
    kilobytes = {
        k: int(v.split()[0])
        for k, _, v in (line.partition(":") for line in lines)
        if k.startswith("Rss")
    }
    return {"anonymous": kilobytes["RssAnon"] / 1024, "file": kilobytes["RssFile"] / 1024}


def run_epoch(root: Path, n_tracks: int) -> dict[str, float]:
    """Read batches and validation of one epoch; return the memory before and at its peak."""
    from songnet.training.batches import CropBatches, track_patches

    config = TrainConfig(degraded_share=0.0)
    store = FeatureStore(root, FeatureConfig())
    before = memory_mb()
    tracks = make_tracks(n_tracks)
    start = time.perf_counter()
    held_out = tracks[::VALIDATION_EVERY]
    learned = [track for index, track in enumerate(tracks) if index % VALIDATION_EVERY]
    batches = CropBatches(learned, GENRES, store=store, config=config)
    validation = track_patches(held_out, store, hop_frames=store.config.patch_frames)
    peak = memory_mb()
    for _ in chain(batches.epoch(0), validation.batches(128)):
        now = memory_mb()
        peak = {kind: max(peak[kind], now[kind]) for kind in now}
    return {
        "n_tracks": n_tracks,
        "store_mb": sum(f.stat().st_size for f in store.folder.rglob("*.f16")) / 2**20,
        "before_anonymous_mb": before["anonymous"],
        "peak_anonymous_mb": peak["anonymous"],
        "peak_file_mb": peak["file"],
        "added_anonymous_mb": peak["anonymous"] - before["anonymous"],
        "epoch_seconds": time.perf_counter() - start,
    }


def measure(n_tracks: int, *, seconds: float) -> dict[str, float]:
    """Fill a store and run an epoch over it in a fresh process."""
    with tempfile.TemporaryDirectory() as name:
        fill(FeatureStore(Path(name), FeatureConfig()), make_tracks(n_tracks), seconds=seconds)
        command = [sys.executable, __file__, "--epoch-of", name, "--tracks", str(n_tracks)]
        done = subprocess.run(command, check=True, capture_output=True, text=True)
    result: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return result


def main() -> None:
    """Measure and write the result."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seconds", type=float, default=15.0, help="Length of each track.")
    parser.add_argument("--out", type=Path, default=RESULTS / "feature_store_memory.json")
    parser.add_argument("--epoch-of", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--tracks", type=int, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.epoch_of:
        print(json.dumps(run_epoch(options.epoch_of, options.tracks)))
        return
    rows = []
    for n_tracks in SIZES:
        row = measure(n_tracks, seconds=options.seconds)
        rows.append(row)
        print(
            f"{n_tracks} tracks, {row['store_mb']:.0f} MB of features: "
            f"{row['peak_anonymous_mb']:.0f} MB, {row['added_anonymous_mb']:.0f} MB of it for "
            f"tracks and batches; {row['peak_file_mb']:.0f} MB of files mapped"
        )
    save_result(
        options.out,
        {
            "what": "peak resident memory of one epoch: training batches, then validation",
            "track_seconds": options.seconds,
            "sizes": rows,
        },
    )


if __name__ == "__main__":
    main()
