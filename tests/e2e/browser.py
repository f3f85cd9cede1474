"""The app in a real server and a real browser, for the tests and the screenshots."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Browser, Locator, Page, Playwright

ROOT = Path(__file__).parents[2]
CHROMIUM = os.environ.get("CHROMIUM", "/usr/bin/chromium")
ARGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
PATIENCE_MS = 100_000


def free_port() -> int:
    """A port of this machine that nothing listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def serve_app(
    *, module: str = "streamlit", entry: str = "app/main.py", **environment: str
) -> Iterator[str]:
    """Run the app on a free port of this machine; gives its address."""
    port = free_port()
    command = [sys.executable, "-m", module, "run", entry]
    options = {
        "server.port": port,
        "server.address": "127.0.0.1",
        "server.headless": "true",
        "server.fileWatcherType": "none",
    }
    arguments = [f"--{name}={value}" for name, value in options.items()]
    with tempfile.TemporaryFile() as log:
        server = subprocess.Popen(
            [*command, *arguments],
            cwd=ROOT,
            env=os.environ | environment,
            stdout=log,
            stderr=subprocess.STDOUT,
        )
        try:
            _wait_until_healthy(f"http://127.0.0.1:{port}/_stcore/health", server)
            yield f"http://127.0.0.1:{port}"
        finally:
            server.terminate()
            server.wait(timeout=20)


def _wait_until_healthy(address: str, server: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + PATIENCE_MS / 1000
    while time.monotonic() < deadline and server.poll() is None:
        try:
            with urllib.request.urlopen(address, timeout=5):
                return
        except (urllib.error.URLError, TimeoutError):
            time.sleep(0.1)
    raise RuntimeError(f"The app did not start (exit code {server.poll()}).")


def launch(playwright: Playwright, *extra: str) -> Browser:
    """Start Chromium."""
    return playwright.chromium.launch(executable_path=CHROMIUM, args=[*ARGS, *extra])


def settle(page: Page) -> None:
    """Wait until the server has nothing more to draw."""
    page.wait_for_selector('[data-test-script-state="notRunning"]', timeout=PATIENCE_MS)


def open_app(page: Page, address: str) -> None:
    """Open the first page and wait for it."""
    page.set_default_timeout(PATIENCE_MS)
    page.goto(address)
    page.get_by_test_id("stFileUploader").wait_for()
    settle(page)


def upload(page: Page, *, name: str, data: bytes) -> None:
    """Choose a file, as a person does."""
    page.locator('[data-testid="stFileUploader"] input').set_input_files(
        {"name": name, "mimeType": "application/octet-stream", "buffer": data}
    )


def answer(page: Page, name: str) -> Locator:
    """The result of the file with this name, once it is there."""
    card = (
        page.get_by_test_id("stHtml").filter(has_text=name).filter(has=page.get_by_test_id("genre"))
    )
    card.wait_for()
    settle(page)
    return card
