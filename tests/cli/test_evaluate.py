from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from typer.testing import Result

from songnet.cli import evaluate
from songnet.datasets.base import Dataset
from songnet.exceptions import SongNetError
from tests.cli.conftest import write_tone


def test_a_folder_named_corpus_is_not_the_corpus(
    songnet: Callable[..., Result], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def stop(tracks: Dataset, *, twins: Dataset | None, **_: Any) -> None:
        raise SongNetError(f"{tracks.name} has the twins {twins}")

    monkeypatch.delenv("SONGNET_CORPUS", raising=False)
    monkeypatch.setattr(evaluate, "with_features", lambda tracks, *_, **__: (tracks, None))
    monkeypatch.setattr(evaluate, "degraded_features", lambda *_, **__: None)
    monkeypatch.setattr("songnet.evaluation.protocol.cross_validate", stop)
    for genre in ("Jazz", "Rock"):
        for number in range(5):
            write_tone(tmp_path / "corpus" / genre / f"{number}.wav", level=0.1 * (1 + number))
    result = songnet("evaluate", "--dataset", tmp_path / "corpus", "--run-dir", tmp_path / "run")
    assert result.stderr == "songnet: corpus has the twins None\n"
