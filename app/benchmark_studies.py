"""The charts of the benchmark's studies: more music, less sound, worse sound, other splits."""

from __future__ import annotations

from typing import Any

import pandas as pd

from app.benchmark import Results
from app.benchmark_charts import heat_figure, line_colors, lines_figure
from app.benchmark_tradeoffs import dumbbell_figure
from app.report import ReportFigure

__all__ = [
    "codec_chart",
    "leaky_chart",
    "learning_chart",
    "robustness_chart",
    "seconds_chart",
    "source_chart",
]


def learning_chart(results: Results) -> ReportFigure | None:
    """Accuracy against the share of the training data."""
    section = results.section("learning_curve")
    curves = {m: section[m] for m in results.titles if len(section.get(m, ())) > 1}
    return _lines_chart(
        results,
        {m: ([100 * r["share"] for r in rows], rows) for m, rows in curves.items()},
        title="How much each learns from more music",
        x_title="Share of the training artists (%)",
        note=_needed_note(results),
    )


def _needed_note(results: Results) -> str:
    """How many tracks the wanted accuracy would need."""
    needed = results.files.get("learning_curve", {}).get("needed", {})
    n_train = needed.get("n_train", {})
    answers = [
        f"{title} about {n_train[model]:,}"
        for model, title in results.titles.items()
        if model in n_train
    ]
    if not answers:
        return ""
    return (
        f"If the error goes on falling by its power law, {needed['accuracy']:.0%} need this many "
        f"clips to learn from: {'; '.join(answers)}."
    )


def seconds_chart(results: Results) -> ReportFigure | None:
    """Accuracy against the seconds heard, of the best model of each kind."""
    section = results.section("seconds")
    if not section:
        return None
    best = {results.kinds[m]: m for m in reversed(list(results.titles)) if m in section}
    return _lines_chart(
        results,
        {
            m: ([float(r["condition"].removesuffix("s")) for r in section[m]], section[m])
            for m in results.titles
            if m in best.values()
        },
        title="How long each must listen",
        x_title="Seconds heard",
        note=f"The best model of each kind that was run, on {_n_tracks(section)} of the tracks.",
    )


def _lines_chart(
    results: Results,
    points: dict[str, tuple[list[float], list[dict[str, dict[str, float]]]]],
    *,
    title: str,
    x_title: str,
    note: str = "",
) -> ReportFigure | None:
    if not points:
        return None
    lines = {
        results.titles[model]: (x, [100 * row["accuracy"]["value"] for row in rows])
        for model, (x, rows) in points.items()
    }
    figure = lines_figure(
        lines, colors=line_colors(list(lines)), x_title=x_title, y_title="Accuracy (%)"
    )
    return ReportFigure(
        title=title, alt=f"{title}: accuracy of {len(lines)} models", figure=figure, note=note
    )


def robustness_chart(results: Results) -> ReportFigure | None:
    """What each condition costs each model."""
    section = results.section("robustness")
    if not section:
        return None
    conditions = [row["condition"] for row in next(iter(section.values()))]
    order = [model for model in results.titles if model in section]
    values = pd.DataFrame(
        {results.titles[m]: [-100 * row["lost"] for row in section[m]] for m in order},
        index=conditions,
    ).T
    texts = [[f"{value:+z.0f}" for value in row] for row in values.to_numpy(float)]
    return ReportFigure(
        title="What bad sound costs",
        alt="Change of accuracy by model and condition",
        figure=heat_figure(values, texts=texts, is_signed=True),
        note=f"Points of accuracy against the same {_n_tracks(section)} tracks clean.",
    )


def _n_tracks(section: dict[str, Any]) -> int:
    """Tracks that each model heard under each condition."""
    return int(next(iter(section.values()))[0]["n_tracks"])


def codec_chart(results: Results) -> ReportFigure | None:
    """The same tracks in two codecs."""
    section = results.section("codec")
    if not section:
        return None
    frame = pd.DataFrame(section).T.assign(title=[results.titles[m] for m in section])
    n_tracks = int(frame["n_tracks"].iloc[0])
    return ReportFigure(
        title="The same tracks in another codec",
        alt="Accuracy of each model on tracks in two codecs",
        figure=dumbbell_figure(
            frame,
            left="accuracy",
            right="original_accuracy",
            names=("as in the training", "as they came"),
        ),
        note=f"{n_tracks} tracks, as Opus like all others and in the codec they came in.",
    )


def leaky_chart(results: Results) -> ReportFigure | None:
    """How far a split that leaks flatters."""
    section = results.section("leaky")
    if not section:
        return None
    frame = pd.DataFrame(
        [
            {
                "title": results.titles[model],
                "honest": row["honest"]["accuracy"],
                "leaky": row["accuracy"]["value"],
            }
            for model, row in section.items()
        ]
    )
    return ReportFigure(
        title="How far a leaky split flatters",
        alt="Accuracy of each model on the honest and on a leaky split",
        figure=dumbbell_figure(
            frame, left="honest", right="leaky", names=("artists apart", "leaky")
        ),
        note="Leaky: tracks (published networks: segments) split at random, so that an artist "
        "or a recording stands on both sides. Their published figures were made so. Both are "
        "scored on the same tracks, or both on single segments.",
    )


def source_chart(results: Results) -> ReportFigure | None:
    """Accuracy of each model on the music of each source."""
    sources = sorted(results.models[0]["by_source"])
    if len(sources) < 2:
        return None
    values = pd.DataFrame(
        {
            row["title"]: {s: 100 * row["by_source"][s]["accuracy"]["value"] for s in sources}
            for row in results.models
        }
    ).T
    n_tracks = {s: results.models[0]["by_source"][s]["n_tracks"] for s in sources}
    return ReportFigure(
        title="By source of the music",
        alt="Accuracy by model and source",
        figure=heat_figure(values, texts=[[f"{v:.0f}" for v in r] for r in values.to_numpy(float)]),
        note="Accuracy in percent. Sources differ in recording and in who named the genres: "
        + ", ".join(f"{source} {n:,} tracks" for source, n in n_tracks.items())
        + ".",
    )
