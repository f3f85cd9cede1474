from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import Result

from songnet import __version__
from songnet.cli.console import one_line, show_progress
from songnet.inference.bundle import RUNTIME_FILES

Songnet = Callable[..., Result]


def test_version(songnet: Songnet) -> None:
    assert songnet("--version").stdout == f"songnet {__version__}\n"


def test_help_lists_the_commands(songnet: Songnet) -> None:
    out = songnet("--help").stdout
    assert all(
        f" {name} " in out
        for name in ("data", "features", "train", "evaluate", "export", "predict", "serve")
    )


def test_help_imports_nothing_heavy() -> None:
    code = (
        "import sys\n"
        "from songnet.cli.main import app\n"
        "app(['--help'], standalone_mode=False)\n"
        "print(sorted({'numpy', 'scipy', 'soundfile', 'av', 'tensorflow', 'keras'}"
        " & set(sys.modules)))\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "[]"


def test_the_installed_command_answers() -> None:
    command = Path(sys.executable).with_name("songnet")
    done = subprocess.run([command, "--version"], capture_output=True, text=True, check=True)
    assert done.stdout == f"songnet {__version__}\n"


def test_an_unknown_model_is_one_line_and_exit_1(songnet: Songnet, tone: Path) -> None:
    result = songnet("predict", "--json", "--model", "nowhere", tone)
    assert result.exit_code == 1
    assert result.stdout == ""
    (line,) = result.stderr.splitlines()
    assert line.startswith("songnet: ")
    assert "nowhere has no bundle.json" in line


def test_a_model_name_is_not_a_folder_of_the_same_name(
    songnet: Songnet, tone: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "other").mkdir()
    monkeypatch.chdir(tmp_path)
    assert "models/other has no bundle.json" in songnet("predict", "--model", "other", tone).stderr


def test_help_names_every_runtime(songnet: Songnet) -> None:
    out = " ".join(songnet("predict", "--help").stdout.replace("│", " ").split())
    assert all(name in out for name in RUNTIME_FILES)


def test_predict_without_a_file_is_a_usage_error(songnet: Songnet) -> None:
    assert songnet("predict").exit_code == 2


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("Björk - Jóga.mp3", "Björk - Jóga.mp3"),
        ("two\nlines", "two\N{REPLACEMENT CHARACTER}lines"),
        ("\x1b]0;title\x07", "\N{REPLACEMENT CHARACTER}]0;title\N{REPLACEMENT CHARACTER}"),
        ("not utf-8 \udcff", "not utf-8 ?"),
    ],
)
def test_one_line_is_printable(text: str, shown: str) -> None:
    assert one_line(text) == shown


@pytest.mark.parametrize("is_terminal", [True, False])
def test_names_of_files_are_no_markup_of_the_progress(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, is_terminal: bool
) -> None:
    if is_terminal:
        monkeypatch.setenv("FORCE_COLOR", "1")
        monkeypatch.setenv("COLUMNS", "200")
    with show_progress("Listening [/b]") as advance:
        advance(1, 1, "song [/b][red].mp3\x1b]0;title\x07: bad")
    shown = capsys.readouterr().err
    assert "song [/b][red].mp3\N{REPLACEMENT CHARACTER}]0;title" in shown
    assert "\x1b]0;" not in shown


def test_a_folder_that_cannot_be_made_is_one_line(songnet: Songnet, tone: Path) -> None:
    result = songnet("data", "synthetic", tone / "x")
    assert result.exit_code == 1
    (line,) = result.stderr.splitlines()
    assert line.startswith(f"{tone / 'x'}")
    assert line.endswith(": Not a directory")


def test_tensorflow_loads_without_a_word() -> None:
    code = "from songnet.cli.console import load_tensorflow; load_tensorflow(); import tensorflow"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True)
    assert (loaded.stdout, loaded.stderr) == (b"", b"")


def test_training_without_tensorflow_says_what_to_install(
    songnet: Songnet, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setitem(sys.modules, "tensorflow", None)
    result = songnet("export", tmp_path, "--report", tmp_path / "report.json")
    assert result.exit_code == 1
    assert result.stderr == (
        "songnet: tensorflow is not installed; install what trains: pip install -e '.[train]'.\n"
    )
