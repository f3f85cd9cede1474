"""The shipped model through the command line, as a person calls it."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import Result

from songnet.datasets.corpus import load_originals
from songnet.datasets.synthetic import generate_synthetic
from songnet.inference.classifier import Classifier

Songnet = Callable[..., Result]
COMMAND = Path(sys.executable).with_name("songnet")


def test_a_process_names_files_and_exits_1_for_the_bad_one(tone: Path, broken: Path) -> None:
    done = subprocess.run(
        [COMMAND, "predict", "--json", tone, broken], capture_output=True, text=True, check=False
    )
    rows = json.loads(done.stdout)
    assert [row["file"] for row in rows] == [str(tone), str(broken)]
    assert rows[0]["status"] in {"ok", "not_sure", "rejected"}  # a tone is hardly music
    assert rows[1]["status"] == "error"
    assert done.returncode == 1
    line = done.stderr.splitlines()[-1]
    assert line.startswith(f"{broken}: ")


def test_prediction_does_not_import_tensorflow(tone: Path) -> None:
    code = (
        "import sys\n"
        "from songnet.cli.main import app\n"
        f"app(['predict', '--json', {str(tone)!r}], standalone_mode=False)\n"
        "unwanted = {'tensorflow', 'keras', 'librosa', 'streamlit'} & set(sys.modules)\n"
        "sys.exit(f'imported: {sorted(unwanted)}' if unwanted else 0)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)[0]["duration_seconds"] == 3.0


@pytest.mark.parametrize("runtime", ["litert", "litert-fp16", "litert-int8"])
def test_the_command_answers_as_the_library(songnet: Songnet, tmp_path: Path, runtime: str) -> None:
    tracks = generate_synthetic(tmp_path, tracks_per_genre=5, seconds=20.0)
    path = next(track.path for track in tracks if track.genre == "March")
    (row,) = json.loads(songnet("predict", "--json", "--runtime", runtime, path).stdout)
    prediction = Classifier.load(runtime=runtime).predict(path)
    assert row == {"file": str(path), **prediction.to_dict(), "error": None}


def test_an_unknown_runtime_is_one_line(songnet: Songnet, tone: Path) -> None:
    result = songnet("predict", "--runtime", "abacus", tone)
    assert result.exit_code == 1
    assert "There is no runtime 'abacus'" in result.stderr


@pytest.mark.corpus
def test_real_tracks_in_their_own_codecs(songnet: Songnet, corpus_root: Path) -> None:
    tracks = load_originals(corpus_root).tracks[::2]
    result = songnet("predict", "--json", *(track.path for track in tracks))
    rows = json.loads(result.stdout)
    assert result.exit_code == 0
    assert {row["status"] for row in rows} <= {"ok", "not_sure"}
    named = [row["genre"] == track.genre for row, track in zip(rows, tracks, strict=True)]
    assert sum(named) > 0.4 * len(tracks)  # ten genres: far above chance
