"""What all tests share: the corpus, where there is one, and that it is not skipped silently."""

from __future__ import annotations

import os
import sys
from collections.abc import Generator, Iterator
from pathlib import Path

import pytest

from songnet.datasets.corpus import CORPUS_VARIABLE, find_corpus

ROOT = Path(__file__).parents[1]


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--update-golden", action="store_true", help="Write the arrays of tests/golden again."
    )


@pytest.fixture(autouse=True)
def _own_main() -> Iterator[None]:
    """Put back ``__main__``: AppTest leaves its script there, which a spawned process would run."""
    main = sys.modules["__main__"]
    yield
    sys.modules["__main__"] = main


@pytest.fixture(autouse=True, scope="session")
def _own_cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Leave the indexes and collections of the person who runs the tests alone."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SONGNET_CACHE", str(tmp_path_factory.mktemp("cache")))
        yield


@pytest.fixture(scope="session")
def repo_root() -> Path:
    """The folder of the repository."""
    return ROOT


@pytest.fixture(scope="session")
def corpus_root() -> Path:
    """The folder of the corpus; skips where SONGNET_CORPUS is not set."""
    if not os.environ.get(CORPUS_VARIABLE):
        pytest.skip(f"{CORPUS_VARIABLE} is not set")
    return find_corpus()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item,
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Fail a corpus test that was skipped although the corpus is there."""
    report = yield
    named = os.environ.get(CORPUS_VARIABLE)
    if named and report.skipped and item.get_closest_marker("corpus"):
        report.outcome = "failed"
        report.longrepr = f"{CORPUS_VARIABLE} is {named}, yet this test was skipped."
    return report
