"""Folds to run in other processes, without anything that learns."""

from __future__ import annotations

from pathlib import Path
from threading import Event

from songnet.exceptions import DatasetError

LONGER_THAN_A_TEST_NEEDS = 10


def fold_that_waits(fold: int, *, run_dir: Path, **_: object) -> int:
    """Return the first fold at once; another waits, and leaves a file where it is not ended."""
    if fold:
        Event().wait(LONGER_THAN_A_TEST_NEEDS)
        run_dir.touch()
    return fold


def first_fold_that_fails(fold: int, *, run_dir: Path, **_: object) -> int:
    """Fail in the first fold; another waits, and leaves a file where it is not ended."""
    if not fold:
        raise DatasetError("The first fold is wrong.")
    return fold_that_waits(fold, run_dir=run_dir)
