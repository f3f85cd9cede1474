"""The benchmark as one HTML file that needs nothing else, see `app.report`."""

from __future__ import annotations

import base64
import gzip
import secrets
from pathlib import Path

import jinja2
from plotly.offline import get_plotlyjs

from app.benchmark import KINDS, Results, leaderboard_frame
from app.benchmark_story import tell_story

__all__ = ["benchmark_html"]

_TEMPLATE = "benchmark.html.jinja"


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
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(Path(__file__).parent / "assets"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment.get_template(_TEMPLATE).render(
        about=results.about,
        rows=leaderboard_frame(results).to_dict("records"),
        not_run=results.not_run,
        kinds=KINDS,
        figures=tell_story(results),
        nonce=secrets.token_urlsafe(16),
        plotly=base64.b64encode(gzip.compress(get_plotlyjs().encode(), 6)).decode(),
    )
