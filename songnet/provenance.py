"""Where a result comes from: package versions and the commit of the code.

Nothing heavy is imported: versions are read from the metadata of the
installed packages, the commit from git.
"""

from __future__ import annotations

import os
import platform
import subprocess
from importlib import metadata
from pathlib import Path

import songnet

__all__ = ["git_commit", "versions"]

_PACKAGES = (
    "numpy",
    "scipy",
    "scikit-learn",
    "tensorflow",
    "keras",
    "ai-edge-litert",
    "librosa",
    "soundfile",
    "soxr",
    "av",
)
# One distribution of TensorFlow is installed at a time; all answer to one name.
_DISTRIBUTIONS = {"tensorflow": ("tensorflow", "tensorflow-cpu", "tensorflow-macos")}
_ROOT = Path(__file__).parents[1]
_GIT_TIMEOUT_SECONDS = 10


def versions() -> dict[str, str]:
    """Versions of Python, of SongNet and of the packages that shape a result.

    Returns
    -------
    versions : dict of str to str
        Packages that are not installed are left out.
    """
    found = {"python": platform.python_version(), "songnet": songnet.__version__}
    for package in _PACKAGES:
        for distribution in _DISTRIBUTIONS.get(package, (package,)):
            try:
                found[package] = metadata.version(distribution)
                break
            except metadata.PackageNotFoundError:
                continue
    return found


def git_commit(root: Path = _ROOT) -> str | None:
    """Commit of the code that runs.

    Parameters
    ----------
    root : Path
        Top folder of the repository; the one that holds this package if not
        given.

    Returns
    -------
    commit : str or None
        Forty hex digits, with "-dirty" after them if something under
        ``songnet/`` is changed or not yet tracked. None where ``root`` is not
        the top folder of a repository, has no commit, or git is not there.
    """
    top = _git(root, "rev-parse", "--show-toplevel")
    if top is None or Path(top).resolve() != root.resolve():
        return None
    commit = _git(root, "rev-parse", "--verify", "HEAD")
    changes = _git(root, "status", "--porcelain", "--", "songnet")
    if commit is None or changes is None:
        return None
    return f"{commit}-dirty" if changes else commit


def _git(root: Path, *arguments: str) -> str | None:
    """Return what git prints, or None if it fails."""
    # A hook's GIT_DIR would point elsewhere; without optional locks, reading
    # the status cannot get in the way of a commit.
    environment = {k: v for k, v in os.environ.items() if not k.startswith("GIT_")}
    environment["GIT_OPTIONAL_LOCKS"] = "0"
    try:
        done = subprocess.run(
            ["git", *arguments],
            cwd=root,
            env=environment,
            capture_output=True,
            text=True,
            timeout=_GIT_TIMEOUT_SECONDS,
            check=True,
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return done.stdout.strip()
