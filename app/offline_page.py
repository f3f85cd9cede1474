"""HTML documents that need nothing else: plotly.js travels in them, compressed."""

from __future__ import annotations

import base64
import gzip
import secrets
from pathlib import Path
from typing import Any

import jinja2
from plotly.offline import get_plotlyjs

from app.charts import clock_text
from app.components import percent

__all__ = ["render_offline_page"]


def render_offline_page(template: str, **values: Any) -> str:
    """Fill a template of ``app/assets``; whatever it is given is escaped.

    Parameters
    ----------
    template : str
        Name of the file. It has the filters ``percent`` and ``clock``, and
        includes ``charts_script.html.jinja`` for its charts.
    values
        What the template names.

    Returns
    -------
    html : str
        A whole document.
    """
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(Path(__file__).parent / "assets"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {"percent": percent, "clock": clock_text}
    return environment.get_template(template).render(
        nonce=secrets.token_urlsafe(16),
        plotly=base64.b64encode(gzip.compress(get_plotlyjs().encode(), 6)).decode(),
        **values,
    )
