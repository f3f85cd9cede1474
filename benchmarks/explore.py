"""What the Explore page costs with 100,000 generated tracks: time, and bytes to the browser.

PYTHONPATH=. python benchmarks/explore.py
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
from record import RESULTS, save_result, spread

from app import explore
from app.explore import Choice
from app.explore_charts import MAP_POINTS, collection_colors, map_figure
from songnet.inference.collection import read_collection, write_collection
from tests.inference.collections_stub import generated_collection

N_CHANNELS = 192
TARGET_SECONDS = 1.0
TARGET_BYTES = 1_000_000


def measure(action: Callable[[], object], repeats: int) -> dict[str, float]:
    """Return the spread of an action's seconds."""
    seconds = []
    for _ in range(repeats):
        start = time.perf_counter()
        action()
        seconds.append(time.perf_counter() - start)
    return spread(seconds)


def run(n_tracks: int, repeats: int) -> dict[str, Any]:
    """Measure all that one look at the page does."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "collection.parquet"
        write_collection(generated_collection(n_tracks, n_channels=N_CHANNELS), path)
        opening = measure(lambda: read_collection(path), repeats)
        collection = read_collection(path)
        n_bytes_file = path.stat().st_size
    frame = collection.frame
    choice = Choice(text="number 77", genres=(collection.genres[0],), years=(1970, 2000))
    sample = explore.map_sample(frame, most=MAP_POINTS)
    colors = collection_colors(collection.genres, list(collection.genres))
    page = frame.iloc[: explore.PAGE_ROWS]
    page_bytes = pa.Table.from_pandas(page).nbytes
    collection.neighbours(collection.embeddings[0], k=5)  # makes the space, once
    return {
        "n_tracks": n_tracks,
        "n_channels": N_CHANNELS,
        "file_bytes": n_bytes_file,
        "seconds": {
            "open": opening,
            "search and filter": measure(lambda: choice.select(collection), repeats),
            "order by artist": measure(lambda: explore.sort_rows(frame, "Artist"), repeats),
            "counts": measure(lambda: explore.counts_by_genre(frame), repeats),
            "mistakes": measure(
                lambda: explore.rows_of_view("Mistakes", collection, frame), repeats
            ),
            "doubtful genres": measure(
                lambda: explore.rows_of_view("Doubtful genres", collection, frame), repeats
            ),
            "map": measure(lambda: map_figure(sample, colors=colors), repeats),
            "five nearest of one track": measure(
                lambda: collection.neighbours(collection.embeddings[1], k=5), repeats
            ),
        },
        "bytes_to_browser": {
            "map": len(map_figure(sample, colors=colors).to_json()),
            "page of the table": page_bytes,
        },
        "points_on_map": len(sample),
        "target": {"seconds": TARGET_SECONDS, "bytes": TARGET_BYTES},
    }


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tracks", type=int, default=100_000)
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--to", type=Path, default=RESULTS / "explore.json")
    arguments = parser.parse_args()
    save_result(arguments.to, run(arguments.tracks, arguments.repeats))
