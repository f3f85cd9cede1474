from __future__ import annotations

import socket
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
import requests
from typer.testing import Result
from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect

from tests.e2e.browser import PATIENCE_MS, free_port

Songnet = Callable[..., Result]
COMMAND = [sys.executable, "-c", "from songnet.cli.main import app; app()"]


def test_it_serves_until_it_is_told_to_end(tone: Path) -> None:
    port = free_port()
    address = f"http://127.0.0.1:{port}"
    server = subprocess.Popen(
        [*COMMAND, "serve", "--port", str(port)], stderr=subprocess.PIPE, text=True
    )
    try:
        _wait_for(f"{address}/api/v1/health", server)
        with tone.open("rb") as file:
            response = requests.post(f"{address}/api/v1/predict", files={"file": file}, timeout=60)
        assert response.json()["model"].startswith("songnet")
        home = requests.get(address, timeout=60, allow_redirects=False)
        assert home.headers["location"] == "/api/v1/docs"
        with pytest.raises(InvalidStatus), connect(f"ws://127.0.0.1:{port}/api/v1/live?sr=1"):
            pass
    finally:
        server.terminate()
        _, log = server.communicate(timeout=60)
    assert "Traceback" not in log
    assert "ERROR" not in log
    assert "Application shutdown complete" in log


def _wait_for(url: str, server: subprocess.Popen[str]) -> None:
    deadline = time.monotonic() + PATIENCE_MS / 1000
    while time.monotonic() < deadline and server.poll() is None:
        try:
            requests.get(url, timeout=5).raise_for_status()
        except requests.RequestException:
            time.sleep(0.1)
        else:
            return
    raise AssertionError(f"no answer from {url}; exit code {server.poll()}")


def test_a_model_that_is_not_there_ends_it_in_one_line(songnet: Songnet) -> None:
    result = songnet("serve", "--model", "nothing")
    assert result.exit_code == 1
    assert len(result.stderr.splitlines()) == 1
    assert "nothing" in result.stderr


def test_a_port_that_is_taken_ends_it_in_one_line(songnet: Songnet) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        result = songnet("serve", "--port", other.getsockname()[1])
    assert result.exit_code == 1
    assert len(result.stderr.splitlines()) == 1
    assert "choose another --host or --port" in result.stderr


def test_what_is_not_installed_is_named(songnet: Songnet, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "uvicorn", None)
    result = songnet("serve")
    assert result.exit_code == 1
    assert "pip install -e '.[api]'" in result.stderr
