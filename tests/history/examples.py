"""Records to keep."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime, timedelta

from songnet.datasets.tags import Tags
from songnet.history.records import HistoryRecord

MORNING = datetime(2026, 11, 21, 8, 0, tzinfo=UTC)


def record(
    name: str,
    *,
    genre: str = "Jazz",
    minutes: int = 0,
    model: str = "songnet 1",
    tags: Tags | None = None,
) -> HistoryRecord:
    """A record whose file is told by its name."""
    return HistoryRecord(
        record_id=hashlib.md5(f"{name}{model}{minutes}".encode()).hexdigest(),
        sha256=hashlib.sha256(name.encode()).hexdigest(),
        name=name,
        tags=tags or Tags(),
        genre=genre,
        status="ok",
        probabilities={"Jazz": 0.25, "Rock": 0.25, genre: 0.75},
        duration_seconds=30.0,
        model=model,
        classified_at=MORNING + timedelta(minutes=minutes),
    )
