from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import Result

from songnet.inference.classifier import Classifier
from tests.app.stub import GENRES, stub_classifier
from tests.cli.conftest import write_tone

Songnet = Callable[..., Result]
KEYS = [
    "file", "status", "genre", "confidence", "top", "duration_seconds", "warnings", "error",
]  # fmt: skip


@pytest.fixture(autouse=True)
def stub_model(monkeypatch: pytest.MonkeyPatch) -> None:
    """Predict with a model whose answers do not depend on what is shipped."""
    monkeypatch.setattr(Classifier, "load", lambda *_, **__: stub_classifier(0.2))


def predict_json(songnet: Songnet, *arguments: object) -> tuple[list[dict[str, object]], Result]:
    result = songnet("predict", "--json", *arguments)
    return json.loads(result.stdout), result


def test_json_has_an_object_a_file_with_the_same_keys(
    songnet: Songnet, tone: Path, silence: Path, short: Path, broken: Path
) -> None:
    files = [tone, silence, short, broken, tone.with_name("missing.mp3")]
    rows, result = predict_json(songnet, *files)
    assert [row["file"] for row in rows] == [str(file) for file in files]
    assert [row["status"] for row in rows] == ["ok", "rejected", "rejected", "error", "error"]
    assert all(list(row) == KEYS for row in rows)
    assert result.exit_code == 1


def test_json_of_a_named_file(songnet: Songnet, tone: Path) -> None:
    rows, result = predict_json(songnet, tone)
    (row,) = rows
    assert result.exit_code == 0
    assert result.stderr == ""
    assert row["genre"] == row["top"][0]["genre"]
    assert row["confidence"] == row["top"][0]["probability"]
    assert len(row["top"]) == 3
    assert row["duration_seconds"] == 3.0
    assert row["error"] is None


def test_json_of_a_failed_file_names_nothing(songnet: Songnet, silence: Path) -> None:
    rows, _ = predict_json(songnet, silence)
    (row,) = rows
    assert (row["genre"], row["confidence"], row["top"]) == (None, None, [])
    assert "silent" in row["error"]


@pytest.mark.parametrize(("top_k", "n_genres"), [(1, 1), (4, 4), (99, len(GENRES))])
def test_top_k_is_the_length_of_the_list(
    songnet: Songnet, tone: Path, top_k: int, n_genres: int
) -> None:
    rows, _ = predict_json(songnet, "--top-k", top_k, tone)
    probabilities = [item["probability"] for item in rows[0]["top"]]
    assert len(probabilities) == n_genres
    assert probabilities == sorted(probabilities, reverse=True)


def test_not_sure_still_gives_the_best_guess(
    songnet: Songnet, tone: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Classifier, "load", lambda *_, **__: stub_classifier(1.0))
    rows, result = predict_json(songnet, tone)
    assert rows[0]["status"] == "not_sure"
    assert rows[0]["genre"] in GENRES
    assert result.exit_code == 0
    assert "(not sure)" in songnet("predict", tone).stdout


def test_a_bad_file_does_not_stop_the_others(songnet: Songnet, tone: Path, broken: Path) -> None:
    result = songnet("predict", broken, tone)
    assert result.exit_code == 1
    assert str(tone) in result.stdout
    assert str(broken) not in result.stdout
    (line,) = result.stderr.splitlines()
    assert line.startswith(f"{broken}: ")


def test_a_missing_file_is_named_once(songnet: Songnet, tmp_path: Path) -> None:
    missing = tmp_path / "missing.mp3"
    (line,) = songnet("predict", missing).stderr.splitlines()
    assert line.startswith(f"{missing} is missing")


def test_a_pipe_gets_one_whole_line_a_file(songnet: Songnet, tmp_path: Path) -> None:
    path = write_tone(tmp_path / ("long " * 20) / ("name " * 30 + ".wav"))
    header, row = songnet("predict", path).stdout.splitlines()
    assert header.split() == ["File", "Genre", "Confidence", "Top", "3", "Notes"]
    assert str(path) in row
    assert "Only 3.0 seconds of audio: the answer is less certain." in row
    assert "\x1b" not in row


@pytest.mark.parametrize("name", ["[red]markup[/red].wav", "tab\there.wav", "\x1b[31mred.wav"])
def test_a_file_name_is_only_text(songnet: Songnet, tmp_path: Path, name: str) -> None:
    out = songnet("predict", write_tone(tmp_path / name)).stdout
    shown = name.replace("\t", "\N{REPLACEMENT CHARACTER}").replace(
        "\x1b", "\N{REPLACEMENT CHARACTER}"
    )
    assert shown in out


def test_folders_are_searched_to_the_bottom(songnet: Songnet, tmp_path: Path) -> None:
    expected = [write_tone(tmp_path / name) for name in ("a.flac", "b/B.WAV", "b/c/d.ogg", "e.wav")]
    (tmp_path / "notes.txt").write_text("not audio")
    write_tone(tmp_path / "._a.wav")
    write_tone(tmp_path / ".hidden" / "a.wav")
    rows, result = predict_json(songnet, tmp_path)
    assert [row["file"] for row in rows] == [str(path) for path in expected]
    assert result.exit_code == 0


def test_a_folder_without_audio_is_an_error(songnet: Songnet, tone: Path, tmp_path: Path) -> None:
    empty = tmp_path / "empty"
    empty.mkdir()
    rows, result = predict_json(songnet, empty, tone)
    assert [row["status"] for row in rows] == ["error", "ok"]
    assert "holds no audio file" in rows[0]["error"]
    assert result.exit_code == 1


def test_no_table_where_nothing_was_named(songnet: Songnet, broken: Path) -> None:
    assert songnet("predict", broken).stdout == ""
