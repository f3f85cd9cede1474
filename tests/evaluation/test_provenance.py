"""Versions and commit."""

from __future__ import annotations

import platform
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import songnet
from songnet.provenance import git_commit, versions


def _git(folder: Path, *arguments: str) -> str:
    identity = ["-c", "user.name=Test", "-c", "user.email=test@example.org"]
    done = subprocess.run(
        ["git", *identity, *arguments], cwd=folder, capture_output=True, text=True, check=True
    )
    return done.stdout.strip()


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    (tmp_path / "songnet").mkdir()
    (tmp_path / "songnet" / "a.py").write_text("1\n", encoding="utf-8")
    _git(tmp_path, "init", "--quiet")
    _git(tmp_path, "add", ".")
    _git(tmp_path, "commit", "--quiet", "--message", "Add a")
    return tmp_path


def test_versions_are_those_installed() -> None:
    found = versions()
    assert found["python"] == platform.python_version()
    assert found["songnet"] == songnet.__version__
    assert found["numpy"] == np.__version__
    assert {"scikit-learn", "soundfile", "soxr"} <= set(found)
    assert all(isinstance(version, str) for version in found.values())


def test_versions_import_nothing_heavy() -> None:
    code = (
        "import sys; from songnet.provenance import versions; versions()\n"
        "print([m for m in ('numpy', 'tensorflow', 'keras', 'librosa') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_reading_a_report_needs_no_scikit_learn() -> None:
    code = "import sys, songnet.evaluation.report; print('sklearn' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"


def test_commit_of_a_clean_tree(repository: Path) -> None:
    assert git_commit(repository) == _git(repository, "rev-parse", "HEAD")


def test_changes_outside_the_package_leave_it_clean(repository: Path) -> None:
    (repository / "notes.txt").write_text("x", encoding="utf-8")
    assert git_commit(repository) == _git(repository, "rev-parse", "HEAD")


@pytest.mark.parametrize("name", ["a.py", "new.py"])
def test_a_change_in_the_package_is_dirty(repository: Path, name: str) -> None:
    (repository / "songnet" / name).write_text("2\n", encoding="utf-8")
    assert git_commit(repository) == _git(repository, "rev-parse", "HEAD") + "-dirty"


def test_a_hook_of_another_repository_does_not_mislead(
    repository: Path, monkeypatch: pytest.MonkeyPatch, repo_root: Path
) -> None:
    expected = _git(repository, "rev-parse", "HEAD")
    monkeypatch.setenv("GIT_DIR", str(repo_root / ".git"))
    assert git_commit(repository) == expected


def test_no_commit_outside_the_top_of_a_repository(repository: Path) -> None:
    assert git_commit(repository / "songnet") is None


def test_no_commit_without_a_repository(tmp_path: Path) -> None:
    assert git_commit(tmp_path) is None


def test_no_commit_before_the_first(tmp_path: Path) -> None:
    _git(tmp_path, "init", "--quiet")
    assert git_commit(tmp_path) is None


def test_no_commit_without_git(repository: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    assert git_commit(repository) is None
