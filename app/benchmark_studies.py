"""The charts of the benchmark's studies: more music, less sound, worse sound, other splits."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pandas as pd

from app.benchmark import Results
from app.benchmark_charts import heat_figure, line_colors, lines_figure
from app.benchmark_pairs import SIGNIFICANT
from app.benchmark_tradeoffs import dumbbell_figure
from app.report import ReportFigure
from songnet.evaluation.comparison import holm, mcnemar_exact_of_counts

__all__ = [
    "codec_chart",
    "leaky_chart",
    "learning_chart",
    "robustness_chart",
    "seconds_chart",
    "seconds_choice",
    "source_chart",
]

_BANDS = "Shaded: 95 % intervals by bootstrap over artists."
_OF_EACH_KIND = ", the best model of each kind"
_OUT_OF_RANGE = (
    "The classifiers learned from statistics of whole, clean clips; those of a few seconds or of "
    "bad sound lie outside what they know, and some then say one genre of all."
)
_CONDITIONS = {
    "mp3-32k": "MP3 32 kbit/s",
    "opus-12k": "Opus 12 kbit/s",
    "telephone": "Telephone",
    "noise-20db": "Noise, 20 dB",
    "noise-10db": "Noise, 10 dB",
    "noise-0db": "Noise, 0 dB",
    "small-room": "Small room",
}


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
    n_train, intervals = needed.get("n_train", {}), needed.get("intervals", {})
    answers = [
        f"{title} about {n_train[model]:,}{_between(intervals.get(model))}"
        for model, title in results.titles.items()
        if model in n_train
    ]
    if not answers:
        return ""
    return (
        f"If the error goes on falling by its power law, {needed['accuracy']:.0%} need this many "
        f"clips to learn from (95 % interval over artists): {'; '.join(answers)}."
    )


def _between(interval: list[int | None] | None) -> str:
    if interval is None:
        return ""
    low, high = interval
    return f" ({low:,} to {high:,})" if high else f" (from {low:,}, without an upper end)"


def seconds_choice(results: Results) -> tuple[list[str], list[str]]:
    """Models that heard less than all, and of them the best of each kind."""
    models = [model for model in results.titles if model in results.section("seconds")]
    best = {results.kinds[model]: model for model in reversed(models)}
    return models, [model for model in models if model in best.values()]


def seconds_chart(results: Results, models: Sequence[str] | None = None) -> ReportFigure | None:
    """Accuracy against the seconds heard, of the best model of each kind if none are named."""
    section = results.section("seconds")
    if not section:
        return None
    shown = seconds_choice(results)[1] if models is None else models
    return _lines_chart(
        results,
        {
            m: ([float(r["condition"].removesuffix("s")) for r in section[m]], section[m])
            for m in results.titles
            if m in shown
        },
        title="How long each must listen",
        x_title="Seconds heard",
        note=f"On {_n_tracks(section)} of the tracks{_OF_EACH_KIND if models is None else ''}. "
        f"{_OUT_OF_RANGE}",
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
    names = [results.titles[model] for model in points]
    lines, bands = {}, {}
    for name, (x, rows) in zip(names, points.values(), strict=True):
        lines[name] = (x, [100 * row["accuracy"]["value"] for row in rows])
        bands[name] = (
            [100 * row["accuracy"]["low"] for row in rows],
            [100 * row["accuracy"]["high"] for row in rows],
        )
    colors = line_colors({results.titles[model]: results.kinds[model] for model in points})
    figure = lines_figure(
        lines, colors=colors, x_title=x_title, y_title="Accuracy (%)", bands=bands
    )
    return ReportFigure(
        title=title,
        alt=f"{title}: accuracy of {len(lines)} models with intervals",
        figure=figure,
        note=f"{_BANDS} {note}".strip(),
    )


def robustness_chart(results: Results) -> ReportFigure | None:
    """What each condition costs each model."""
    section = results.section("robustness")
    if not section:
        return None
    conditions = [
        _CONDITIONS.get(row["condition"], row["condition"]) for row in next(iter(section.values()))
    ]
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
        note=f"Points of accuracy against the same {_n_tracks(section)} tracks clean. "
        f"{_OUT_OF_RANGE}",
    )


def _n_tracks(section: dict[str, Any]) -> int:
    """Tracks that each model heard under each condition."""
    return int(next(iter(section.values()))[0]["n_tracks"])


def codec_chart(results: Results) -> ReportFigure | None:
    """The same tracks in two codecs."""
    section = results.section("codec")
    if not section:
        return None
    counts = [(row["only_encoded"], row["only_original"]) for row in section.values()]
    frame = pd.DataFrame(section).T.assign(
        title=[results.titles[m] for m in section],
        about=[f"{encoded} right only as Opus, {own} only as they came" for encoded, own in counts],
    )
    n_tracks = int(frame["n_tracks"].iloc[0])
    p_values = holm([mcnemar_exact_of_counts(*pair) for pair in counts])
    real = [title for title, p in zip(frame["title"], p_values, strict=True) if p < SIGNIFICANT]
    return ReportFigure(
        title="The same tracks in another codec",
        alt="Accuracy of each model on tracks in two codecs",
        figure=dumbbell_figure(
            frame,
            left="accuracy",
            right="original_accuracy",
            names=("as in the training", "as they came"),
        ),
        note=f"{n_tracks} tracks, as Opus like all others and in the codec they came in: one track "
        f"is {100 / n_tracks:.0f} points. Significant by McNemar's exact test after Holm's "
        f"correction: {'; '.join(real) or 'none of these differences'}.",
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
                "about": f"{row['n_scored']:,} {row['split']} of {_folds(row['folds'])}",
            }
            for model, row in section.items()
        ]
    )
    return ReportFigure(
        title="How far a leaky split flatters",
        alt="Accuracy of each model on the honest and on a leaky split",
        figure=dumbbell_figure(
            frame, left="honest", right="leaky", names=("artists apart", "leaky"), is_told=True
        ),
        note="Leaky: tracks, or segments of them for the networks of earlier projects, split at "
        "random, so that an artist or a recording stands on both sides. The figures that those "
        "projects publish were made so. Both are scored on the same tracks, or both on single "
        "segments; what was scored stands under each name.",
    )


def _folds(folds: list[int]) -> str:
    return f"{len(folds)} folds" if len(folds) > 1 else "one fold"


def source_chart(results: Results) -> ReportFigure | None:
    """Accuracy of each model on the music of each source."""
    sources = sorted(results.models[0]["by_source"])
    if len(sources) < 2:
        return None
    found = {
        row["title"]: [row["by_source"][source]["accuracy"] for source in sources]
        for row in results.models
    }
    values = pd.DataFrame(
        {title: [100 * cell["value"] for cell in cells] for title, cells in found.items()},
        index=sources,
    ).T
    figure = heat_figure(values, texts=[[f"{v:.0f}" for v in r] for r in values.to_numpy(float)])
    figure.update_traces(
        customdata=[
            [f"{100 * cell['low']:.0f} to {100 * cell['high']:.0f}" for cell in cells]
            for cells in found.values()
        ],
        hovertemplate="%{y}<br>%{x}: %{text} %, 95 % interval %{customdata}<extra></extra>",
    )
    n_tracks = {s: results.models[0]["by_source"][s]["n_tracks"] for s in sources}
    widest = max(found[results.models[0]["title"]], key=lambda cell: cell["high"] - cell["low"])
    return ReportFigure(
        title="By source of the music",
        alt="Accuracy by model and source",
        figure=figure,
        note="Accuracy in percent. Sources differ in recording and in who named the genres: "
        + ", ".join(f"{source} {n:,} tracks" for source, n in n_tracks.items())
        + ". Few tracks say little: the widest 95 % interval of the first model runs from "
        f"{widest['low']:.0%} to {widest['high']:.0%}.",
    )
