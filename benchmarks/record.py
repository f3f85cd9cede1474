"""What the benchmarks share: the clip that they read, and how they write what they saw."""

from __future__ import annotations

import io
import os
import platform
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import soundfile as sf

from songnet.json_text import to_plain, write_object
from songnet.provenance import git_commit, versions

__all__ = ["CLIP_SECONDS", "RESULTS", "describe_clip", "make_mp3", "save_result", "spread"]

RESULTS = Path(__file__).parent / "results"
CLIP_SECONDS = 30
_CLIP_SR = 44_100


def make_mp3() -> bytes:
    """Encode 30 s of generated stereo music: chords, a beat and noise."""
    rng = np.random.default_rng(0)
    t = np.arange(CLIP_SECONDS * _CLIP_SR) / _CLIP_SR
    root_hz = np.repeat([220.0, 174.6, 261.6, 196.0], t.size // 4)
    phase = 2 * np.pi * np.cumsum(root_hz) / _CLIP_SR
    chord = sum(np.sin(ratio * phase) / ratio for ratio in (1, 1.25, 1.5, 2, 3))
    beat = np.exp(-8 * (t * 2 % 1)) * rng.standard_normal(t.size)
    left, right = 0.1 * chord + 0.1 * beat, 0.12 * chord + 0.08 * beat
    file = io.BytesIO()
    sf.write(file, np.stack([left, right], axis=1), _CLIP_SR, format="MP3")
    return file.getvalue()


def describe_clip(mp3: bytes) -> dict[str, Any]:
    """Return what the clip is, for the result."""
    info = sf.info(io.BytesIO(mp3))
    return {
        "format": "MP3",
        "seconds": info.duration,
        "sr": info.samplerate,
        "channels": info.channels,
        "n_bytes": len(mp3),
    }


def spread(values: Sequence[float]) -> dict[str, float]:
    """Return median, quartiles and extremes."""
    low, first, median, third, high = np.percentile(values, [0, 25, 50, 75, 100])
    return {"median": median, "q1": first, "q3": third, "min": low, "max": high}


def save_result(path: Path, values: Mapping[str, Any]) -> None:
    """Write a result with the machine, versions and commit that it comes from."""
    provenance = {
        "machine": {
            "cpu": _cpu_name(),
            "cores": os.cpu_count(),
            "system": platform.platform(),
            "load_average": os.getloadavg()[0] if hasattr(os, "getloadavg") else None,
        },
        "versions": versions(),
        "commit": git_commit(),
        "created": datetime.now(UTC).isoformat(timespec="seconds"),
    }
    write_object(path, to_plain({**values, **provenance}))


def _cpu_name() -> str:
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.is_file():
        for line in cpuinfo.read_text(encoding="utf-8").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()
