"""README holds no figure by hand, and its links lead somewhere."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import pytest
import typer

from docs import make_readme_figures
from docs.make_readme_figures import BEGIN, BUNDLE, END, README, figures, with_figures
from songnet.cli.main import app

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


def commands(text: str) -> Iterator[list[str]]:
    """Words of the commands in blocks, in `code` and in strings that have options and no gap."""
    text = re.sub(r"\\\n\s*", " ", text)
    for block in re.findall(r"```\w*\n(.*?)```", text, flags=re.DOTALL):
        yield from (
            shlex.split(line, comments=True) for line in re.findall(r"(?m)^songnet .*", block)
        )
    for code in re.findall(r'(?<!`)[`"](songnet [^`"]+)[`"]', text):
        if " --" in code and not re.search(r"[…{}]", code):
            yield shlex.split(code.replace("\\n", " "), comments=True)
    for options in re.findall(r'(?m)^(\w+):.*make \w+ ARGS="([^"]*)"', text):
        yield ["songnet", options[0], *options[1].split()]


@pytest.mark.parametrize(
    "page",
    [
        "Makefile",
        "data/README.md",
        *sorted(str(p.relative_to(ROOT)) for p in (ROOT / "docs").glob("*.md")),
        "README.md",
        "app",
    ],
)
def test_commands_can_be_run_as_they_stand(page: str) -> None:
    path = ROOT / page
    paths = sorted(path.glob("*.py")) if path.is_dir() else [path]
    found = [words for path in paths for words in commands(path.read_text(encoding="utf-8"))]
    assert found or page not in {"Makefile", "README.md", "app"}
    for _, *words in found:
        command = typer.main.get_command(app)
        while hasattr(command, "commands") and words:
            command = command.commands[words.pop(0)]
        parser = command.make_parser(command.context_class(command))
        given, surplus, _ = parser.parse_args(list(words))
        required = [option.name for option in command.params if option.required]
        assert surplus == [], words
        assert [name for name in required if not given.get(name)] == [], (command.name, words)
