"""Compare the models of a benchmark in pairs, over the same tracks."""

from __future__ import annotations

from typing import Any

import pandas as pd

from app.benchmark import Results
from songnet.evaluation.comparison import holm

__all__ = ["SIGNIFICANT", "comparison_frame", "pair_rows"]

SIGNIFICANT = 0.05


def comparison_frame(results: Results, reference: str) -> pd.DataFrame:
    """Compare every model with one, in pairs over the same tracks.

    Returns
    -------
    frame : pandas.DataFrame
        model, title, difference, low, high (fractions), only_model,
        only_reference (tracks), p_mcnemar, p_bootstrap (Holm-corrected) and
        ``is_significant``: both below 0.05.
    """
    rows = []
    for pair in results.section("comparisons").get(reference, []):
        p_mcnemar, p_bootstrap = pair["p_mcnemar_holm"], pair["p_bootstrap_holm"]
        rows.append(
            {
                "model": pair["model"],
                "title": results.titles.get(pair["model"], pair["model"]),
                "difference": pair["difference"]["value"],
                "low": pair["difference"]["low"],
                "high": pair["difference"]["high"],
                "only_model": pair["only_model"],
                "only_reference": pair["only_reference"],
                "p_mcnemar": p_mcnemar,
                "p_bootstrap": p_bootstrap,
                "is_significant": max(p_mcnemar, p_bootstrap) < SIGNIFICANT,
            }
        )
    frame = pd.DataFrame(rows)
    return frame.sort_values("difference", ascending=False) if rows else frame


def pair_rows(results: Results) -> list[dict[str, Any]]:
    """Compare all models in pairs, each pair once.

    Returns
    -------
    rows : list of dict
        model, reference, difference (a fraction) and ``is_significant``: both
        tests below 0.05, corrected by Holm's method for all pairs.
    """
    names = list(results.titles)
    pairs = [
        pair
        for reference, rows in results.section("comparisons").items()
        for pair in rows
        if names.index(pair["model"]) < names.index(reference)
    ]
    corrected = zip(
        holm([pair["p_mcnemar"] for pair in pairs]),
        holm([pair["p_bootstrap"] for pair in pairs]),
        strict=True,
    )
    return [
        {
            "model": pair["model"],
            "reference": pair["reference"],
            "difference": pair["difference"]["value"],
            "is_significant": max(p_values) < SIGNIFICANT,
        }
        for pair, p_values in zip(pairs, corrected, strict=True)
    ]
