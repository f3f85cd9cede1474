"""README holds no figure by hand, and its links lead somewhere."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from docs import make_readme_figures
from docs.make_readme_figures import BEGIN, BUNDLE, END, README, figures, with_figures

ROOT = Path(__file__).parents[1]


def test_figures_replace_only_what_is_between_the_markers() -> None:
    text = f"before\n{BEGIN}old\n{END}\nafter"
    assert with_figures(text, "new\n") == f"before\n{BEGIN}new\n{END}\nafter"


def test_readme_shows_what_the_reports_say() -> None:
    assert (BUNDLE / "report.json").is_file(), "the shipped model has a report"
    readme = README.read_text(encoding="utf-8")
    assert readme == with_figures(readme, figures()), "run: make readme"


def test_a_missing_benchmark_is_left_out() -> None:
    assert make_readme_figures.speed_text(None, None) == ""


@pytest.mark.parametrize(
    "page", ["README.md", "CHANGELOG.md", "docs/architecture.md", "data/README.md"]
)
def test_links_within_the_repository_lead_somewhere(page: str) -> None:
    text = (ROOT / page).read_text(encoding="utf-8")
    links = re.findall(r"\]\((?!https?:|#|mailto:)([^)#]+)", text)
    assert [link for link in links if not ((ROOT / page).parent / link).exists()] == []
