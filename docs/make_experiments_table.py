"""Write the table of benchmarks/results/experiments.json into docs/experiments.md.

python -m docs.make_experiments_table
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from docs.make_readme_figures import RESULTS, with_figures

PAGE = Path(__file__).parent / "experiments.md"


def table_text(result: dict[str, Any]) -> str:
    """Return the table, the base first and then the greatest gain of accuracy."""
    base, *others = result["variations"]
    n_runs = len(result["splits"]) * len(result["seeds"])
    rows = [_row(base)]
    rows += [_row(row) for row in sorted(others, key=lambda row: -row["accuracy_gain"])]
    return "\n".join(
        [
            (
                f"{result['what'].capitalize()}; {result['epochs']} epochs if nothing else is "
                f"said. Means of {n_runs} runs ({len(result['splits'])} splits, "
                f"{len(result['seeds'])} seeds) in percent; gains over the first row in points, "
                "with the standard error of the paired runs."
            ),
            "",
            "| one change | accuracy | gain | balanced accuracy | gain |",
            "|---|---|---|---|---|",
            *rows,
            "",
        ]
    )


def _row(row: dict[str, Any]) -> str:
    cells = [row["title"]]
    for metric in ("accuracy", "balanced_accuracy"):
        gain = row.get(f"{metric}_gain")
        cells.append(f"{100 * row[metric]:.1f}")
        cells.append(
            "" if gain is None else f"{100 * gain:+.1f} ± {100 * row[f'{metric}_gain_error']:.1f}"
        )
    return f"| {' | '.join(cells)} |"


def figures() -> str:
    """Return what stands between the markers."""
    return table_text(json.loads((RESULTS / "experiments.json").read_text(encoding="utf-8")))


def main() -> None:
    """Write docs/experiments.md."""
    page = PAGE.read_text(encoding="utf-8")
    PAGE.write_text(with_figures(page, figures()), encoding="utf-8")


if __name__ == "__main__":
    main()
