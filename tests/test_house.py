"""Rules of the house: who may import whom, sizes, and no music in the repository."""

from __future__ import annotations

import ast
import hashlib
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from songnet.datasets.base import file_sha256
from songnet.datasets.corpus import load_corpus, load_originals
from songnet.signal.audio import AUDIO_EXTENSIONS

ROOT = Path(__file__).parents[1]
CODE = ("songnet", "app", "pages", "tests", "benchmarks", "docs")
MAX_FILE_BYTES = 8 * 2**20
MAX_MODULE_LINES = 330
MAX_BODY_LINES = 45

FORBIDDEN = {
    "songnet": {"streamlit", "app", "pages"},
    "app": {"tensorflow", "keras", "pages"},
    "pages": {"tensorflow", "keras", "librosa", "streamlit_webrtc"},
}
LEARNING = {"tensorflow", "keras", "librosa", "streamlit", "sklearn", "pandas"}


def tracked_files() -> list[Path]:
    """Files in git's index, with those that are only staged."""
    done = subprocess.run(
        ["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    if done.returncode:
        pytest.skip("not in a git repository")
    paths = [ROOT / name for name in done.stdout.split("\0") if name]
    return [path for path in paths if path.is_file()]


def modules(*rooms: str) -> list[Path]:
    return [path for room in rooms for path in sorted((ROOT / room).rglob("*.py"))]


def imported_packages(path: Path) -> Iterator[str]:
    """Top-level packages that a module imports anywhere, inside functions too."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name.partition(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module.partition(".")[0]


@pytest.mark.parametrize("room", FORBIDDEN)
def test_imports_go_one_way(room: str) -> None:
    broken = {
        str(path.relative_to(ROOT)): sorted(found)
        for path in modules(room)
        if (found := FORBIDDEN[room] & set(imported_packages(path)))
    }
    assert broken == {}


def test_only_the_live_module_imports_streamlit_webrtc() -> None:
    importers = [p.name for p in modules("app") if "streamlit_webrtc" in imported_packages(p)]
    assert set(importers) <= {"live.py"}


@pytest.mark.parametrize(
    "module",
    [
        "songnet",
        "songnet.api",
        "songnet.inference.classifier",
        "songnet.inference.batch",
        "songnet.cli.main",
    ],
)
def test_importing_loads_nothing_that_only_learns(module: str) -> None:
    code = f"import sys, {module}; print(sorted({LEARNING!r} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_modules_are_short() -> None:
    long = {
        str(path.relative_to(ROOT)): n_lines
        for path in modules(*CODE)
        if (n_lines := len(path.read_text(encoding="utf-8").splitlines())) > MAX_MODULE_LINES
    }
    assert long == {}


def body_lines(function: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    """Lines of a function without its signature and docstring."""
    body = function.body[1:] if ast.get_docstring(function) else function.body
    return (function.end_lineno or 0) - body[0].lineno + 1 if body else 0


def test_functions_are_short() -> None:
    long = [
        f"{path.relative_to(ROOT)}:{node.lineno} {node.name}: {body_lines(node)}"
        for path in modules("songnet", "app", "pages")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and body_lines(node) > MAX_BODY_LINES
    ]
    assert long == []


def test_no_tracked_file_is_large() -> None:
    large = [str(path) for path in tracked_files() if path.stat().st_size > MAX_FILE_BYTES]
    assert large == []


def test_no_audio_is_tracked() -> None:
    audio = [p.name for p in tracked_files() if p.suffix.lower().lstrip(".") in AUDIO_EXTENSIONS]
    assert audio == []


@pytest.mark.corpus
def test_no_file_of_the_corpus_is_tracked(corpus_root: Path) -> None:
    clips = {track.sha256 for track in load_corpus(corpus_root)}
    clips |= {file_sha256(track.path) for track in load_originals(corpus_root)}
    clips |= {file_sha256(path) for path in corpus_root.rglob("fma_small/**/*.mp3")}
    assert all(len(digest) == hashlib.sha256().digest_size * 2 for digest in clips)
    copied = [path.name for path in tracked_files() if file_sha256(path) in clips]
    assert copied == []
