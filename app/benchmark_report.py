"""The benchmark as one HTML file that needs nothing else."""

from __future__ import annotations

from app.benchmark import KINDS, Results, leaderboard_frame
from app.benchmark_story import tell_story
from app.offline_page import render_offline_page

__all__ = ["benchmark_html"]


def benchmark_html(results: Results) -> str:
    """Write the report of a benchmark.

    Parameters
    ----------
    results : Results

    Returns
    -------
    html : str
        A whole document with all charts that were measured.
    """
    return render_offline_page(
        "benchmark.html.jinja",
        about=results.about,
        rows=leaderboard_frame(results).to_dict("records"),
        not_run=results.not_run,
        kinds=KINDS,
        figures=tell_story(results),
    )
