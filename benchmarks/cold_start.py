"""From ``streamlit run app/main.py`` to the first prediction that a browser shows.

Chromium is open already; the clock runs from the start of the server's
process, over the first page and the upload of a 30 s MP3, to the genre on the
page. The package cache is warm: one run before the measured ones.

    python benchmarks/cold_start.py
"""

from __future__ import annotations

import argparse
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.error import URLError
from urllib.request import urlopen

from playwright.sync_api import Browser, sync_playwright
from record import RESULTS, describe_clip, make_mp3, save_result, spread

ROOT = Path(__file__).parents[1]
TARGET_SECONDS = 5.0
_LONGEST_SECONDS = 60.0
_POLL_SECONDS = 0.02


@contextmanager
def running_app(port: int) -> Iterator[None]:
    """Start the app as a user does, and end it."""
    command = [sys.executable, "-m", "streamlit", "run", "app/main.py"]
    options = ["--server.headless=true", f"--server.port={port}"]
    process = subprocess.Popen(
        [*command, *options], cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        yield
    finally:
        process.terminate()
        process.wait(timeout=10)


def wait_for_server(port: int) -> None:
    """Return as soon as the server answers."""
    give_up = time.monotonic() + _LONGEST_SECONDS
    while True:
        try:
            with urlopen(f"http://localhost:{port}/_stcore/health", timeout=1):
                return
        except (URLError, OSError):
            if time.monotonic() > give_up:
                raise
            time.sleep(_POLL_SECONDS)


def free_port() -> int:
    """Return a port that nothing listens on."""
    with socket.socket() as probe:
        probe.bind(("localhost", 0))
        return int(probe.getsockname()[1])


def measure(browser: Browser, mp3: bytes) -> dict[str, float]:
    """Start the app, upload the clip, and say when server, page and genre were there."""
    port, page = free_port(), browser.new_page()
    start = time.perf_counter()
    with running_app(port):
        wait_for_server(port)
        server = time.perf_counter() - start
        page.goto(f"http://localhost:{port}")
        upload = page.locator("input[type=file]").first
        upload.wait_for(state="attached", timeout=1000 * _LONGEST_SECONDS)
        shown = time.perf_counter() - start
        upload.set_input_files({"name": "clip.mp3", "mimeType": "audio/mpeg", "buffer": mp3})
        page.get_by_test_id("genre").wait_for(timeout=1000 * _LONGEST_SECONDS)
        genre = time.perf_counter() - start
        page.close()
    return {"server": server, "page": shown, "prediction": genre}


def main() -> None:
    """Measure and write the result."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--out", type=Path, default=RESULTS / "cold_start.json")
    options = parser.parse_args()

    mp3 = make_mp3()
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=shutil.which("chromium"),
            args=["--no-sandbox", "--disable-background-networking"],
        )
        measure(browser, mp3)
        runs = [measure(browser, mp3) for _ in range(options.repeats)]
        browser.close()
    prediction = spread([run["prediction"] for run in runs])
    save_result(
        options.out,
        {
            "what": "from `streamlit run app/main.py` to the first prediction shown in Chromium, "
            "warm package cache",
            "prediction_seconds": prediction,
            "target_seconds": TARGET_SECONDS,
            "met": bool(prediction["median"] <= TARGET_SECONDS),
            "page_seconds": spread([run["page"] for run in runs]),
            "server_seconds": spread([run["server"] for run in runs]),
            "repeats": options.repeats,
            "clip": describe_clip(mp3),
        },
    )
    print(
        f"server {spread([run['server'] for run in runs])['median']:.1f} s, "
        f"page {spread([run['page'] for run in runs])['median']:.1f} s, "
        f"first prediction {prediction['median']:.1f} s "
        f"(target at most {TARGET_SECONDS:g} s); {options.out}"
    )


if __name__ == "__main__":
    main()
