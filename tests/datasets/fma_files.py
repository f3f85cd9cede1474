"""A small FMA of generated clips, with tables of the official structure."""

from __future__ import annotations

import csv
import hashlib
from collections.abc import Iterable, Mapping
from pathlib import Path

import numpy as np

from tests.encoders import encode_soundfile

GROUPS = [
    *(("album", name) for name in ("comments", "date_released", "id", "title")),
    *(("artist", name) for name in ("bio", "id", "name")),
    *(("set", name) for name in ("split", "subset")),
    *(("track", n) for n in ("date_created", "date_recorded", "duration", "genre_top", "genres")),
    *(("track", name) for name in ("license", "title")),
]
Row = Mapping[tuple[str, str], str]


def fma_row(track_id: int, **changes: str) -> dict[tuple[str, str], str]:
    """A row of tracks.csv; changes are named as album__title."""
    row = {
        ("album", "comments"): "0",
        ("album", "date_released"): "2009-01-05 00:00:00",
        ("album", "id"): "1",
        ("album", "title"): "An Album",
        ("artist", "bio"): '<p>A "band",\nof two lines</p>',
        ("artist", "id"): str(track_id // 2),
        ("artist", "name"): f"Artist {track_id // 2}",
        ("set", "split"): "training",
        ("set", "subset"): "small",
        ("track", "date_created"): "2012-11-26 01:48:12",
        ("track", "date_recorded"): "2008-11-26 00:00:00",
        ("track", "duration"): "168",
        ("track", "genre_top"): ("Rock", "Folk")[track_id % 2],
        ("track", "genres"): "[21]",
        ("track", "license"): "Attribution 3.0",
        ("track", "title"): f"Song {track_id}",
    }
    for name, value in changes.items():
        group, _, column = name.partition("__")
        row[group, column] = value
    return row


def write_tracks_csv(folder: Path, rows: Mapping[int, Row]) -> None:
    """Write tracks.csv with its three header rows."""
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "tracks.csv").open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["", *(group for group, _ in GROUPS)])
        writer.writerow(["", *(name for _, name in GROUPS)])
        writer.writerow(["track_id", *("" for _ in GROUPS)])
        writer.writerows([[i, *(row[heading] for heading in GROUPS)] for i, row in rows.items()])


def write_clips(audio: Path, ids: Iterable[int], *, seconds: float = 1.0) -> None:
    """Write MP3 clips, another one for each id, and their checksums."""
    lines = []
    for track_id in ids:
        rng = np.random.default_rng(track_id)
        t = np.arange(int(seconds * 16_000)) / 16_000
        hz = (220, 990)[track_id % 2] * rng.uniform(0.9, 1.1)
        y = (0.3 * np.sin(2 * np.pi * hz * t) + rng.normal(0, 0.01, t.size)).astype(np.float32)
        path = audio / f"{track_id // 1000:03d}" / f"{track_id:06d}.mp3"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(encode_soundfile(y, sr=16_000, kind="MP3"))
        digest = hashlib.sha1(path.read_bytes()).hexdigest()
        lines.append(f"{digest}  {path.relative_to(audio).as_posix()}\n")
    (audio / "checksums").write_text("".join(lines))
