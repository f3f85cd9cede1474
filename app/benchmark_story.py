"""The charts of a benchmark, in the order in which they are told."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from app.benchmark import (
    Results,
    cost_frame,
    leaderboard_frame,
    per_genre_frame,
)
from app.benchmark_charts import (
    accuracy_figure,
    confusion_figure,
    differences_figure,
    heat_figure,
    lines_figure,
)
from app.benchmark_pairs import comparison_frame, pair_rows
from app.benchmark_studies import (
    codec_chart,
    leaky_chart,
    learning_chart,
    robustness_chart,
    seconds_chart,
    source_chart,
)
from app.benchmark_tradeoffs import cost_figure
from app.charts import genre_colors
from app.report import ReportFigure
from songnet.evaluation.curves import precision_recall_curves, roc_curves

__all__ = [
    "COSTS",
    "CURVES",
    "accuracy_chart",
    "confusion_chart",
    "cost_chart",
    "curve_chart",
    "differences_chart",
    "pairs_chart",
    "per_genre_chart",
    "tell_story",
]

COSTS = {
    "Time for a track": ("track_ms", "ms for 30 s of decoded sound, one thread"),
    "File size": ("weights_mb", "MB of weights, without the optimiser's"),
    "Multiplications": ("macs", "multiplications for a window"),
    "Parameters": ("parameters", "parameters"),
    "Memory": ("peak_mib", "MiB at most, a process of its own"),
    "Training time": ("train_seconds", "s for a fold: a step, times the steps"),
}
CURVES = ("ROC", "Precision and recall")
_TWINS = ("songnet_one_cycle", "songnet_no_statistics")
_TRAINING = (
    " On one thread; of a network without what makes its crops, of a classifier without the search "
    "for its hyperparameters; epochs as the folds had them."
)
_METRICS = {"accuracy": "Accuracy", "balanced_accuracy": "Balanced accuracy",
            "macro_f1": "Macro-F1"}  # fmt: skip
# Of a difference, in colour: chance alone, far below, would leave the others all alike.
_STRONGEST_POINTS = 25
_SAY = "95 % intervals by bootstrap over artists."


def accuracy_chart(results: Results, frame: pd.DataFrame, metric: str) -> ReportFigure:
    """A metric of each model, with its interval."""
    n_tracks, folds = results.about["n_tracks"], len(results.about["folds"])
    return ReportFigure(
        title=f"{_METRICS[metric]} of each model",
        alt=f"{_METRICS[metric]} of {len(frame)} models with intervals",
        figure=accuracy_figure(frame, metric),
        note=f"{n_tracks:,} tracks, each said by a model that never heard its artist "
        f"({folds} folds). {_SAY}",
    )


def differences_chart(results: Results, reference: str) -> ReportFigure | None:
    """What each model gains or loses against one, in pairs."""
    frame = comparison_frame(results, reference)
    if frame.empty:
        return None
    name = results.titles[reference]
    n_significant = int(frame["is_significant"].sum())
    unsure = "; ".join(frame.loc[~frame["is_significant"], "title"])
    return ReportFigure(
        title=f"Against {name}, track by track",
        alt=f"Difference of accuracy of each model from {name}",
        figure=differences_figure(frame),
        note=f"{n_significant} of {len(frame)} differences are significant: McNemar's exact test "
        "and the bootstrap over artists both below 0.05 after Holm's correction for these "
        f"{len(frame)} comparisons." + (f" Not significant: {unsure}." if unsure else ""),
    )


def pairs_chart(results: Results) -> ReportFigure | None:
    """Every model against every other."""
    models = list(results.titles)
    if len(models) < 2 or not results.section("comparisons"):
        return None
    values = pd.DataFrame(np.nan, index=models, columns=models)
    texts = pd.DataFrame("", index=models, columns=models)
    for pair in pair_rows(results):
        one, other = pair["model"], pair["reference"]
        values.loc[one, other] = 100 * pair["difference"]
        values.loc[other, one] = -100 * pair["difference"]
        texts.loc[one, other] = texts.loc[other, one] = "" if pair["is_significant"] else "?"
    titles = [results.titles[model] for model in models]
    values.columns = pd.Index([str(i + 1) for i in range(len(models))])
    values.index = pd.Index([f"{i + 1} {title}" for i, title in enumerate(titles)])
    figure = heat_figure(values, texts=texts.to_numpy().tolist(), is_signed=True)
    figure.update_traces(
        zmin=-_STRONGEST_POINTS,
        zmax=_STRONGEST_POINTS,
        customdata=[titles] * len(titles),
        hovertemplate="%{y}<br>over %{customdata}: %{z:+.1f} points<extra></extra>",
    )
    figure.update_xaxes(tickangle=0)
    return ReportFigure(
        title="Every model against every other",
        alt="Differences of accuracy between all models",
        figure=figure,
        note="Green where the model of the row is right more often than that of the column, by its "
        f"number; strongest from {_STRONGEST_POINTS} points on; ? where the difference is not "
        "significant after Holm's correction for all "
        f"{len(models) * (len(models) - 1) // 2} pairs.",
    )


def confusion_chart(results: Results, model: str, other: str | None = None) -> ReportFigure:
    """What a model takes for what, or how that differs from another."""
    matrix = np.array(results.row(model)["confusion"])
    minus = np.array(results.row(other)["confusion"]) if other else None
    name = results.titles[model]
    title = f"{name} minus {results.titles[other]}" if other else f"What {name} takes for what"
    return ReportFigure(
        title=title,
        alt=f"Confusion matrix: {title}",
        figure=confusion_figure(matrix, results.genres, minus=minus),
        note="Percent of the tracks of each genre"
        + (", the first minus the second." if other else "; the diagonal is right."),
    )


def per_genre_chart(results: Results, metric: str = "f1") -> ReportFigure:
    """A metric of each model for each genre."""
    frame = per_genre_frame(results, metric)
    name = {"f1": "F1", "precision": "Precision", "recall": "Recall"}[metric]
    texts = [[f"{100 * value:.0f}" for value in row] for row in frame.to_numpy(float)]
    return ReportFigure(
        title=f"{name} of each genre",
        alt=f"{name} by model and genre",
        figure=heat_figure(frame, texts=texts),
        note="In percent, the best model on top.",
    )


def curve_chart(results: Results, model: str, kind: str) -> ReportFigure | None:
    """ROC or precision-recall curves of a model, a genre each against the rest."""
    y_true, probs = results.probs(model)
    if not y_true.size:
        return None
    name, colors = results.titles[model], genre_colors(results.genres)
    lines, tints = {}, {}
    if kind == "ROC":
        for genre, roc in roc_curves(y_true, probs, genres=results.genres).items():
            label = f"{genre} {roc['auc'] or 0:.2f}"
            lines[label], tints[label] = (roc["fpr"], roc["tpr"]), colors[genre]
        axes, what = ("False positive rate", "True positive rate"), "area under the curve"
    else:
        for genre, found in precision_recall_curves(y_true, probs, genres=results.genres).items():
            label = f"{genre} {found['average_precision'] or 0:.2f}"
            lines[label], tints[label] = (found["recall"], found["precision"]), colors[genre]
        axes, what = ("Recall", "Precision"), "average precision"
    figure = lines_figure(
        lines, colors=tints, x_title=axes[0], y_title=axes[1], is_diagonal=kind == "ROC"
    )
    return ReportFigure(
        title=f"{kind} of {name}",
        alt=f"{kind} curve of each genre",
        figure=figure,
        note=f"Each genre against the rest, with its {what}.",
    )


def cost_chart(results: Results, name: str) -> ReportFigure | None:
    """Accuracy against a cost, one of `COSTS`."""
    column, axis = COSTS[name]
    frame = cost_frame(results)
    if frame.empty or frame[column].isna().all():
        return None
    without = sorted(set(frame.loc[frame[column].isna(), "title"]))
    cores, loads = frame["cores"].iloc[0], frame["load"]
    return ReportFigure(
        title=f"Accuracy against {name.lower()}",
        alt=f"Accuracy of the models against {name.lower()}",
        figure=cost_figure(frame, cost=column, title=axis),
        note="The dotted line joins what nothing else beats in both. Diamonds run in LiteRT. "
        f"Measured on {cores} cores under a load of {loads.min():.1f} to {loads.max():.1f}."
        + (_TRAINING if column == "train_seconds" else "")
        + (_twins_note(frame, column) if column == "track_ms" else "")
        + (f" Not known of: {'; '.join(without)}." if without else ""),
    )


def _twins_note(frame: pd.DataFrame, column: str) -> str:
    """How far two measurements of one and the same network lie apart."""
    rows = frame.set_index(["model", "runtime"])[column].unstack()
    if not set(_TWINS) <= set(rows.index):
        return ""
    one, other = rows.loc[list(_TWINS)].to_numpy(float)
    apart = np.nanmax(np.maximum(one, other) / np.minimum(one, other) - 1)
    names = frame.drop_duplicates("model").set_index("model")["title"]
    return (
        f" {' and '.join(names[name] for name in _TWINS)} are one network that was measured "
        f"twice: the two lie up to {apart:.0%} apart, so smaller differences say nothing."
    )


def tell_story(results: Results, kinds: Sequence[str] = ()) -> list[ReportFigure]:
    """Return the charts of the presentation and the report, as far as they were measured."""
    leader = results.leader
    charts = [
        accuracy_chart(results, leaderboard_frame(results, kinds), "accuracy"),
        differences_chart(results, leader),
        pairs_chart(results),
        confusion_chart(results, leader),
        per_genre_chart(results),
        curve_chart(results, leader, "ROC"),
        curve_chart(results, leader, "Precision and recall"),
        learning_chart(results),
        seconds_chart(results),
        robustness_chart(results),
        codec_chart(results),
        source_chart(results),
        leaky_chart(results),
        *(cost_chart(results, name) for name in COSTS),
    ]
    return [chart for chart in charts if chart is not None]
