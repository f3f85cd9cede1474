"""One warm prediction of a 30 s MP3 from bytes, beside librosa's melspectrogram of it.

Both decode the same bytes; the prediction goes on to resampling, log-mel,
network and timeline, the reference to ``librosa.feature.melspectrogram`` with
its defaults at the rate of the file. They take turns, so that whatever else
the machine does meets both; the figure is the median of the ratios.

    python benchmarks/predict_latency.py
"""

from __future__ import annotations

import argparse
import io
import time
from collections.abc import Callable
from pathlib import Path

import librosa
import numpy as np
import soundfile as sf
from record import RESULTS, describe_clip, make_mp3, save_result, spread

from songnet.inference.classifier import Classifier

TARGET_RATIO = 1.5


def librosa_melspectrogram(mp3: bytes) -> None:
    """Decode to mono, then compute librosa's mel spectrogram."""
    samples, sr = sf.read(io.BytesIO(mp3), dtype="float32", always_2d=True)
    librosa.feature.melspectrogram(y=samples.mean(axis=1), sr=sr)


def seconds_of(work: Callable[[], object]) -> float:
    """Time one call."""
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def main() -> None:
    """Measure and write the result."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--repeats", type=int, default=40)
    parser.add_argument("--out", type=Path, default=RESULTS / "predict_latency.json")
    options = parser.parse_args()

    mp3, classifier = make_mp3(), Classifier.load()
    for _ in range(3):
        classifier.predict(mp3)
        librosa_melspectrogram(mp3)
    ours, theirs = np.array(
        [
            (
                seconds_of(lambda: classifier.predict(mp3)),
                seconds_of(lambda: librosa_melspectrogram(mp3)),
            )
            for _ in range(options.repeats)
        ]
    ).T
    ratio = spread(ours / theirs)
    save_result(
        options.out,
        {
            "what": "one warm prediction of a 30 s MP3 from bytes, decode included, against "
            "decoding and librosa.feature.melspectrogram",
            "ratio": ratio,
            "target_ratio": TARGET_RATIO,
            "met": bool(ratio["median"] <= TARGET_RATIO),
            "predict_ms": spread(1000 * ours),
            "reference_ms": spread(1000 * theirs),
            "repeats": options.repeats,
            "clip": describe_clip(mp3),
            "model": f"{classifier.bundle.name} {classifier.bundle.version}",
        },
    )
    print(
        f"prediction {1000 * np.median(ours):.0f} ms, reference {1000 * np.median(theirs):.0f} ms, "
        f"ratio {ratio['median']:.2f} (target at most {TARGET_RATIO:g}); {options.out}"
    )


if __name__ == "__main__":
    main()
