"""What live listening costs, how late it is, and what smoothing and patience bring.

Each part writes a file of its own; without a name, all parts run.

    python benchmarks/live.py delay cpu streams update
    python benchmarks/live.py smoothing patience --cv runs/cv

delay      from the end of a window's sound to its prediction
cpu        processor time of one session, as a share of a core
streams    how many sessions run at once before one falls behind
update     features of one update against those of the whole window
smoothing  exponential average against a hidden Markov filter, out of fold
patience   seconds of sound until 90 % of the accuracy of 30 s, out of fold
"""

from __future__ import annotations

import argparse
import sys
import threading
import time
from collections.abc import Callable, Iterator
from itertools import count, takewhile
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from live_folds import measure_patience, measure_smoothing
from record import RESULTS, make_mp3, save_result, spread

from songnet.inference.classifier import Classifier
from songnet.inference.streaming import StreamingClassifier
from songnet.signal.audio import load_audio
from songnet.signal.features import LogMelStream, log_mel

SR = 48_000
CHUNK = 960
BATCH = 4800
TARGET_CPU_SHARE = 0.08
TARGET_STREAMS = 16
TARGET_RATIO = 5.0
_BEHIND_SECONDS = 1.0

Pcm = npt.NDArray[np.int16]


def make_pcm() -> Pcm:
    """30 s of music as a browser sends it: 48 kHz, stereo, 16 bits."""
    y, _ = load_audio(make_mp3(), sr=SR)
    mono = np.rint(np.clip(y, -1, 1) * 32767).astype(np.int16)
    return np.stack([mono, mono], axis=1)


def chunks(pcm: Pcm, size: int = CHUNK) -> Iterator[Pcm]:
    """Cut into pieces of one size, as a browser sends them."""
    return (pcm[start : start + size] for start in range(0, len(pcm) - size + 1, size))


def measure_delay(classifier: Classifier, pcm: Pcm) -> dict[str, Any]:
    """Sound that the resampler and the framing hold back, and the time of the computation."""
    stream = StreamingClassifier(classifier)
    held_back, computing = [], []
    for chunk in chunks(np.concatenate([pcm, pcm])):
        start = time.perf_counter()
        prediction = stream.push(chunk, SR)
        seconds = time.perf_counter() - start
        if prediction is not None:
            held_back.append(stream.seconds_heard - prediction.timeline.end_seconds[-1])
            computing.append(seconds)
    total_ms = 1000 * (np.array(held_back) + np.array(computing))
    p50, p95 = np.percentile(total_ms, [50, 95])
    return {
        "what": "from the last sample of a window to its prediction, pieces of 20 ms",
        "delay_ms": {"p50": p50, "p95": p95},
        "held_back_ms": spread(1000 * np.array(held_back)),
        "computing_ms": spread(1000 * np.array(computing)),
        "updates": len(computing),
        "updates_per_second": len(computing) / stream.seconds_heard,
    }


def measure_cpu(classifier: Classifier, pcm: Pcm) -> dict[str, Any]:
    """Processor time over time of the sound, full windows only."""
    stream = StreamingClassifier(classifier)
    for chunk in chunks(pcm):
        stream.push(chunk, SR)
    start, heard, updates = time.process_time(), stream.seconds_heard, 0
    for chunk in chunks(np.concatenate([pcm, pcm]), BATCH):
        updates += stream.push(chunk, SR) is not None
    seconds = stream.seconds_heard - heard
    share = (time.process_time() - start) / seconds
    return {
        "what": "processor time of resampling, level, features and network over the length of the "
        "sound, in pieces of 100 ms as the app's listener takes them; the page is not in it",
        "cpu_share": share,
        "updates_per_second": updates / seconds,
        "target_cpu_share": TARGET_CPU_SHARE,
        "met": bool(share <= TARGET_CPU_SHARE),
    }


def measure_streams(classifier: Classifier, pcm: Pcm, *, seconds: float) -> dict[str, Any]:
    """Add sessions that play in real time until one of them falls behind."""
    rows = []
    for n_streams in takewhile(lambda n: n <= 64, count(4, 4)):
        behind = _run_together(classifier, pcm, n_streams=n_streams, seconds=seconds)
        rows.append({"streams": n_streams, "behind_seconds": behind})
        print(f"  {n_streams} streams: {behind:.2f} s behind at the end")
        if behind > _BEHIND_SECONDS:
            break
    held = [row["streams"] for row in rows if row["behind_seconds"] <= _BEHIND_SECONDS]
    return {
        "what": f"sessions at once in one process, {seconds:g} s each in real time; a session is "
        f"behind when {_BEHIND_SECONDS:g} s of its sound wait",
        "streams": max(held, default=0),
        "target_streams": TARGET_STREAMS,
        "met": max(held, default=0) >= TARGET_STREAMS,
        "steps": rows,
    }


def _run_together(classifier: Classifier, pcm: Pcm, *, n_streams: int, seconds: float) -> float:
    """Return how far the slowest session is behind at the end."""
    behind = np.zeros(n_streams)
    ready = threading.Barrier(n_streams)

    def play(index: int) -> None:
        stream = StreamingClassifier(classifier)
        stream.push(np.roll(pcm, index * CHUNK, axis=0), SR)  # full windows from the start
        ready.wait()
        began = time.monotonic() + index * 0.5 / n_streams
        for number, chunk in enumerate(chunks(pcm[: int(seconds * SR)], BATCH)):
            due = began + (number + 1) * BATCH / SR
            time.sleep(max(0.0, due - time.monotonic()))
            stream.push(chunk, SR)
            behind[index] = time.monotonic() - due

    threads = [threading.Thread(target=play, args=(i,)) for i in range(n_streams)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return float(behind.max())


def measure_update(classifier: Classifier, *, repeats: int = 200) -> dict[str, Any]:
    """Features of the new frames of an update, and of its whole window."""
    features = classifier.bundle.features
    n_window = round(features.patch_seconds * features.sr)
    n_hop = classifier.bundle.live_hop_frames * features.hop_length
    y = 0.1 * np.random.default_rng(0).standard_normal(n_window).astype(np.float32)
    stream = LogMelStream(features)
    stream.push(y)
    times = np.array(
        [
            (
                _seconds_of(lambda: stream.push(y[:n_hop])),
                _seconds_of(lambda: log_mel(y, config=features)),
            )
            for _ in range(repeats)
        ]
    )
    update_ms, window_ms = 1000 * np.median(times, axis=0)
    return {
        "what": "log-mel of the new frames of an update against that of the whole window, median",
        "update_ms": update_ms,
        "window_ms": window_ms,
        "ratio": window_ms / update_ms,
        "target_ratio": TARGET_RATIO,
        "met": bool(window_ms / update_ms >= TARGET_RATIO),
        "repeats": repeats,
    }


def _seconds_of(work: Callable[[], object]) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def main() -> None:
    """Run the parts that are named and write a result for each."""
    options = _read_options()
    classifier = Classifier.load()
    pcm = make_pcm()
    parts: dict[str, Callable[[], dict[str, Any] | None]] = {
        "delay": lambda: measure_delay(classifier, pcm),
        "cpu": lambda: measure_cpu(classifier, pcm),
        "streams": lambda: measure_streams(classifier, pcm, seconds=options.seconds),
        "update": lambda: measure_update(classifier),
        "smoothing": lambda: measure_smoothing(options.cv, n_pairs=options.pairs),
        "patience": lambda: measure_patience(options.cv, n_tracks=options.tracks),
    }
    unknown = sorted(set(options.parts) - set(parts))
    if unknown:
        sys.exit(f"There is no part {unknown}; expected some of {list(parts)}.")
    for name in options.parts or parts:
        values = parts[name]()
        if values is not None:
            model = {"model": f"{classifier.bundle.name} {classifier.bundle.version}"}
            path = options.out / f"live_{name}.json"
            save_result(path, (model if "networks" not in values else {}) | values)
            print(f"{name}: {_headline(values)}; {path}")


def _headline(values: dict[str, Any]) -> str:
    return ", ".join(
        f"{key} {value:.3g}" if isinstance(value, float) else f"{key} {value}"
        for key, value in values.items()
        if isinstance(value, int | float)
    )


def _read_options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("parts", nargs="*", help="parts to run; all if none is named")
    parser.add_argument("--cv", type=Path, default=Path("runs/cv"), help="out-of-fold networks")
    parser.add_argument("--seconds", type=float, default=10.0, help="length of each step")
    parser.add_argument("--pairs", type=int, default=100, help="pairs of tracks for smoothing")
    parser.add_argument("--tracks", type=int, default=0, help="tracks for patience; 0 for all")
    parser.add_argument("--out", type=Path, default=RESULTS)
    return parser.parse_args()


if __name__ == "__main__":
    main()
