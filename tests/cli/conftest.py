"""Files to name and the command line to do it with."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import soundfile as sf
from typer.testing import CliRunner, Result

from songnet.cli.main import app

SR = 16_000


def write_tone(path: Path, *, seconds: float = 3.0, level: float = 0.3) -> Path:
    """Write a chord; silence at level 0."""
    t = np.arange(int(seconds * SR)) / SR
    y = level * sum(np.sin(2 * np.pi * 220 * ratio * t) for ratio in (1, 1.25, 1.5)) / 3
    path.parent.mkdir(parents=True, exist_ok=True)
    sf.write(path, y.astype(np.float32), SR)
    return path


@pytest.fixture
def tone(tmp_path: Path) -> Path:
    return write_tone(tmp_path / "tone.wav")


@pytest.fixture
def silence(tmp_path: Path) -> Path:
    return write_tone(tmp_path / "silence.wav", level=0)


@pytest.fixture
def short(tmp_path: Path) -> Path:
    return write_tone(tmp_path / "short.wav", seconds=0.3)


@pytest.fixture
def broken(tmp_path: Path) -> Path:
    path = tmp_path / "broken.mp3"
    path.write_bytes(b"this is not music" * 100)
    return path


@pytest.fixture
def songnet() -> Callable[..., Result]:
    """Run the command line in this process."""
    runner = CliRunner()

    def run(*arguments: object) -> Result:
        return runner.invoke(app, [str(argument) for argument in arguments])

    return run
