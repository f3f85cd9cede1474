"""Training on official splits through the command line: FMA, GTZAN, and real clips of FMA."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from songnet.cli.main import app
from songnet.datasets.base import SPLITS
from songnet.datasets.fma_metadata import read_fma_metadata
from songnet.datasets.gtzan import GTZAN_GENRES
from tests.cli.test_train import SMALL
from tests.datasets.fma_files import fma_row, write_clips, write_tracks_csv
from tests.datasets.test_gtzan import write_gtzan, write_lists

# TensorFlow's converter warns of its own future on every export, as in tests/export.
pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(900),
    pytest.mark.filterwarnings("ignore::UserWarning", "ignore::DeprecationWarning"),
]
OFFICIAL = ("training", "training", "validation", "test", "test")


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SONGNET_CACHE", str(tmp_path / "cache"))


def train(dataset: str, root: Path, run_dir: Path, *options: str) -> dict[str, object]:
    settings = [*SMALL, "training.degraded_share=0.0"]
    changes = [argument for change in settings for argument in ("--set", change)]
    arguments = ["train", "--dataset", dataset, "--data-root", str(root), "--run-dir", str(run_dir)]
    result: Result = CliRunner().invoke(
        app, [*arguments, *changes, "--epochs", "1", "--batch-size", "4", *options]
    )
    assert result.exit_code == 0, result.output
    assert result.stdout.splitlines()[1].startswith("accuracy ")
    report: dict[str, object] = json.loads((run_dir / "report.json").read_text())
    return report


def test_fma_small_learns_and_tests_on_its_own_sides(tmp_path: Path) -> None:
    ids = range(2, 22)
    rows = {i: fma_row(i, set__split=OFFICIAL[i // 2 % 5]) for i in ids}
    write_tracks_csv(tmp_path / "fma_metadata", rows)
    write_clips(tmp_path / "fma_small", ids, seconds=2.0)
    report = train("fma-small", tmp_path, tmp_path / "run")
    tests = [i for i, row in rows.items() if row["set", "split"] == "test"]
    assert report["n_tracks"] == len(tests)
    assert report["protocol"] == {
        "name": "held-out test",
        "dataset": "fma-small",
        "folds": 1,
        "split": f"train {20 - 4 - len(tests)}; validation 4; test {len(tests)}",
        "artists_on_both_sides": 0,
    }
    run = json.loads((tmp_path / "run" / "run.json").read_text())
    held_out = {i for i, row in rows.items() if row["set", "split"] == "validation"}
    assert {int(name) for name in run["held_out_ids"]} == held_out
    assert (tmp_path / "run" / "network.keras").is_file()

    mixed = train("fma-small", tmp_path, tmp_path / "random", "--random-split")
    assert mixed["n_tracks"] == 2
    assert mixed["protocol"]["split"] == "train 16; validation 2; test 2"


def test_gtzan_learns_on_the_lists(tmp_path: Path) -> None:
    write_gtzan(tmp_path / "gtzan" / "genres", n_clips=3)
    lists = {
        split: [f"{genre}.{number:05d}" for genre in GTZAN_GENRES]
        for number, split in enumerate(SPLITS)
    }
    write_lists(tmp_path / "gtzan", **lists)
    report = train("gtzan", tmp_path, tmp_path / "run")
    assert report["n_tracks"] == 10
    assert report["genres"] == sorted(GTZAN_GENRES.values())


@pytest.mark.corpus
def test_real_clips_of_fma(corpus_root: Path, tmp_path: Path) -> None:
    """The real audio and rows; only their sides are made up, in the official form."""
    shutil.copytree(corpus_root / "fma_small", tmp_path / "fma_small")
    entries = read_fma_metadata(corpus_root / "fma_metadata")
    real = sorted(int(path.stem) for path in (corpus_root / "fma_small").rglob("*.mp3"))
    rows = {
        i: fma_row(
            i,
            artist__id=entries[i].artist_id,
            artist__name=entries[i].artist,
            track__title=entries[i].title,
            track__genre_top=entries[i].genre,
            set__split=OFFICIAL[place % 5],
        )
        for place, i in enumerate(real)
    }
    write_tracks_csv(tmp_path / "fma_metadata", rows)
    report = train("fma-small", tmp_path, tmp_path / "run")
    assert report["n_tracks"] == sum(row["set", "split"] == "test" for row in rows.values())
    assert set(report["genres"]) == {"Experimental", "Folk", "Hip-Hop", "Pop", "Rock"}
