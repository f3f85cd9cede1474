"""Latency of each file of the shipped network: one window and a track of 30 s, on one thread.

The windows are given: decoding and log-mel are not counted. The files take
turns, so that whatever else the machine does meets all of them.

    python benchmarks/tflite_variants.py
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path

import numpy as np
from record import RESULTS, save_result

from songnet.inference.bundle import RUNTIME_FILES, Bundle, find_bundle
from songnet.inference.runtime import LiteRTRuntime, Runtime

TRACK_SECONDS = 30.0


def latency_ms(runtime: Runtime, patches: np.ndarray) -> float:
    """Time one call."""
    start = time.perf_counter()
    runtime.predict(patches)
    return 1000 * (time.perf_counter() - start)


def main() -> None:
    """Measure and write the result."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--repeats", type=int, default=60)
    parser.add_argument("--out", type=Path, default=RESULTS / "tflite_variants.json")
    options = parser.parse_args()

    bundle = Bundle.load(find_bundle())
    features = bundle.features
    names = [name for name in RUNTIME_FILES if name.startswith("litert")]
    runtimes = {name: LiteRTRuntime(bundle.folder / RUNTIME_FILES[name]) for name in names}
    n_frames = features.n_frames(round(TRACK_SECONDS * features.sr))
    n_patches = 1 + max(0, n_frames - features.patch_frames) // features.patch_hop_frames
    rng = np.random.default_rng(0)
    shape = (n_patches, features.patch_frames, features.n_mels)
    track = np.maximum(rng.normal(-15, 12, shape), features.floor_db).astype(np.float32)
    measured = {name: {"window": [], "track": []} for name in names}
    for repeat in range(-3, options.repeats):
        for name, runtime in runtimes.items():
            times = latency_ms(runtime, track[:1]), latency_ms(runtime, track)
            if repeat >= 0:
                for key, value in zip(("window", "track"), times, strict=True):
                    measured[name][key].append(value)
    values = {
        "what": "network alone, of one window and of the windows of a track of 30 s",
        "model": f"{bundle.name} {bundle.version}",
        "files": {
            RUNTIME_FILES[name]: {
                f"{key}_ms": dict(zip(("p50", "p95"), np.percentile(ms, [50, 95]), strict=True))
                for key, ms in found.items()
            }
            for name, found in measured.items()
        },
        "sha256": {RUNTIME_FILES[name]: bundle.files[RUNTIME_FILES[name]] for name in names},
        "windows": n_patches,
        "repeats": options.repeats,
    }
    save_result(options.out, values)
    print(options.out.read_text(encoding="utf-8"))


if __name__ == "__main__":
    main()
