"""The parts of the Benchmark page."""

from __future__ import annotations

from functools import partial

import pandas as pd
import streamlit as st

from app import benchmark, benchmark_story, benchmark_studies
from app.benchmark import KINDS, Results
from app.benchmark_pairs import comparison_frame
from app.benchmark_report import benchmark_html
from app.benchmark_tracks import show_tracks
from app.components import MUTED
from app.report import ReportFigure
from app.tables import show_table

__all__ = ["VIEWS", "show_about", "show_chart", "show_empty", "show_exports", "show_view"]

RUN = "songnet benchmark run --dataset corpus"
_FORMS = ("PNG", "SVG")
_PICTURES = "benchmark-pictures"
VIEWS = ("Leaderboard", "Significance", "Genres", "Curves", "Data", "Robustness", "Cost", "Tracks")
_METRICS = {"Accuracy": "accuracy", "Balanced accuracy": "balanced_accuracy",
            "Macro-F1": "macro_f1"}  # fmt: skip
_PERCENT = _METRICS | {"Top 3": "top3_accuracy", "Calibration error": "ece"}


def show_empty() -> None:
    """Say how to get results."""
    with st.container(border=True):
        st.markdown("**No benchmark has been run yet.** Two commands make one:")
        st.code(f"{RUN}\nsongnet benchmark summarise --dataset corpus", language="bash")
        st.markdown(
            "The first works in pieces and goes on where it stopped; the second writes "
            "`benchmarks/results/benchmark`, which this page reads."
        )


def show_chart(chart: ReportFigure | None, *, missing: str = "", study: str = "") -> None:
    """Show a chart with its title, note and buttons, or what to run for it.

    Parameters
    ----------
    chart : ReportFigure or None
    missing : str
        What the chart would show.
    study : str
        The study of `songnet benchmark` that it needs.
    """
    if chart is None:
        with st.container(border=True):
            st.markdown(f"**{missing}: not run yet.**")
            if study:
                st.code(f"{RUN} --study {study}", language="bash")
        return
    st.subheader(chart.title, anchor=False)
    st.plotly_chart(
        chart.figure, key=f"chart-{chart.title}", config=plot_config(chart.title), alt=chart.alt
    )
    if chart.note:
        st.caption(chart.note)


def plot_config(title: str) -> dict[str, object]:
    """Buttons of a chart: its picture in the chosen format, nothing else."""
    stem = "".join(char if char.isalnum() else "-" for char in title.lower())
    form = st.session_state.get(_PICTURES, "PNG").lower()
    return {
        "displaylogo": False,
        "displayModeBar": True,
        "modeBarButtons": [["toImage"]],
        "toImageButtonOptions": {"format": form, "filename": stem, "scale": 2},
    }


def show_view(view: str, results: Results) -> None:
    """Show one of `VIEWS`."""
    shows = {
        "Leaderboard": _show_leaderboard,
        "Significance": _show_significance,
        "Genres": _show_genres,
        "Curves": _show_curves,
        "Data": _show_data,
        "Robustness": _show_robustness,
        "Cost": _show_cost,
        "Tracks": show_tracks,
    }
    shows[view](results)


def _show_leaderboard(results: Results) -> None:
    known = [kind for kind in KINDS if kind in results.kinds.values()]
    kinds = st.pills(
        "Kinds of models",
        known,
        selection_mode="multi",
        format_func=KINDS.__getitem__,
        key="benchmark-kinds",
    )
    metric = st.selectbox("Order by", list(_METRICS), key="benchmark-metric", width=240)
    frame = benchmark.leaderboard_frame(results, kinds)
    show_chart(benchmark_story.accuracy_chart(results, frame, _METRICS[metric]))
    shown = frame.sort_values(_METRICS[metric], ascending=False)
    show_table(
        _readable(shown, metric),
        alt="Leaderboard; a click on a heading sorts",
        decimals=1,
        first="Model",
    )
    st.caption(
        "The calibration error is that after one temperature for each model. The scores of KNN and "
        "SVM are counts of votes, which no temperature turns into probabilities."
    )
    _show_not_run(results)


def _readable(frame: pd.DataFrame, ordered_by: str) -> pd.DataFrame:
    """Figures in percent with headings for people; the interval is that of one metric."""
    table = pd.DataFrame({"Model": frame["title"]})
    for name, column in _PERCENT.items():
        table[f"{name} %"] = 100 * frame[column]
        if name == ordered_by:
            table["from %"] = 100 * frame[f"{column}_low"]
            table["to %"] = 100 * frame[f"{column}_high"]
    return table.assign(Kind=frame["kind"].map(KINDS), What=frame["about"])


def _show_not_run(results: Results) -> None:
    if not results.not_run:
        return
    st.subheader("Not run yet", anchor=False)
    st.caption("These models are part of the benchmark; nobody has trained them on all folds yet.")
    rows = [
        {"Model": m["title"], "Kind": KINDS[m["kind"]], "Lacks folds": m["missing_folds"]}
        for m in results.not_run
    ]
    show_table(pd.DataFrame(rows), alt="Models that were not run")
    names = " ".join(f"--model {m['model']}" for m in results.not_run)
    st.code(f"{RUN} --study folds {names}", language="bash", wrap_lines=True)


def _choose_model(results: Results, label: str, *, key: str, default: str | None = None) -> str:
    models = list(results.titles)
    return st.selectbox(
        label,
        models,
        index=models.index(default or results.leader),
        format_func=results.titles.__getitem__,
        key=key,
    )


def _show_significance(results: Results) -> None:
    reference = _choose_model(results, "Compare with", key="benchmark-reference")
    show_chart(
        benchmark_story.differences_chart(results, reference),
        missing="Comparisons of at least two models",
        study="folds",
    )
    frame = comparison_frame(results, reference)
    if frame.empty:
        return
    table = pd.DataFrame(
        {
            "Model": frame["title"],
            "Points": 100 * frame["difference"],
            "from": 100 * frame["low"],
            "to": 100 * frame["high"],
            "Only it right": frame["only_model"],
            "Only the other": frame["only_reference"],
            "p McNemar (Holm)": frame["p_mcnemar"].map("{:.2g}".format),
            "p bootstrap (Holm)": frame["p_bootstrap"].map("{:.2g}".format),
            "Significant": frame["is_significant"],
        }
    )
    show_table(table, alt="Comparisons in pairs", decimals=1, first="Model")
    show_chart(benchmark_story.pairs_chart(results))


def _show_genres(results: Results) -> None:
    model = _choose_model(results, "Model", key="benchmark-confusion")
    others = [None, *(name for name in results.titles if name != model)]
    other = st.selectbox(
        "Minus",
        others,
        format_func=lambda name: results.titles[name] if name else "nothing: the model itself",
        key="benchmark-minus",
    )
    show_chart(benchmark_story.confusion_chart(results, model, other))
    metric = st.segmented_control(
        "Metric of each genre", ["F1", "Precision", "Recall"], default="F1", required=True
    )
    show_chart(benchmark_story.per_genre_chart(results, metric.lower()))


def _show_curves(results: Results) -> None:
    model = _choose_model(results, "Model", key="benchmark-curves")
    for kind in benchmark_story.CURVES:
        show_chart(
            benchmark_story.curve_chart(results, model, kind),
            missing=f"{kind} curves",
            study="folds",
        )


def _show_data(results: Results) -> None:
    show_chart(
        benchmark_studies.learning_chart(results), missing="Learning curve", study="learning-curve"
    )
    _show_seconds(results)
    show_chart(benchmark_studies.leaky_chart(results), missing="Leaky split", study="leaky")


def _show_seconds(results: Results) -> None:
    known, best = benchmark_studies.seconds_choice(results)
    models = known and st.multiselect(
        "Models that listen",
        known,
        default=best,
        format_func=results.titles.__getitem__,
        key="benchmark-seconds",
    )
    if known and not models:
        st.info("Choose a model.", icon=":material/checklist:")
        return
    show_chart(
        benchmark_studies.seconds_chart(results, models), missing="Seconds heard", study="seconds"
    )


def _show_robustness(results: Results) -> None:
    show_chart(
        benchmark_studies.robustness_chart(results), missing="Degraded sound", study="robustness"
    )
    show_chart(benchmark_studies.codec_chart(results), missing="Change of codec", study="codec")
    show_chart(benchmark_studies.source_chart(results), missing="Sources of the music")


def _show_cost(results: Results) -> None:
    name = st.selectbox("Cost", list(benchmark_story.COSTS), key="benchmark-cost", width=240)
    show_chart(benchmark_story.cost_chart(results, name), missing=name, study="cost")
    frame = benchmark.cost_frame(results)
    if not frame.empty:
        columns = {
            "title": "Model", "runtime": "Runtime", "track_ms": "Track ms",
            "track_ms_p95": "Track ms, 95 %", "window_ms": "Window ms",
            "window_ms_p95": "Window ms, 95 %", "weights_mb": "MB", "peak_mib": "Memory MiB",
            "parameters": "Parameters", "macs": "Multiplications",
            "train_seconds": "Training s",
        }  # fmt: skip
        table = frame[list(columns)].rename(columns=columns)
        show_table(table, alt="Costs of each model and runtime", decimals=2, first="Model")


def show_exports(results: Results) -> None:
    """Offer the figures as CSV, the charts as pictures, everything as one page."""
    with st.popover("Export", icon=":material/download:"):
        for label, name, make in (
            ("Leaderboard (CSV)", "leaderboard.csv", benchmark.leaderboard_frame),
            ("Predictions (CSV)", "predictions.csv", lambda r: r.predictions),
        ):
            st.download_button(
                label,
                partial(_csv, make, results),
                file_name=name,
                mime="text/csv",
                icon=":material/table:",
                on_click="ignore",
            )
        st.download_button(
            "Report (HTML)",
            partial(benchmark_html, results),
            file_name="songnet-benchmark.html",
            mime="text/html",
            icon=":material/article:",
            on_click="ignore",
        )
        form = st.session_state.get(_PICTURES, "PNG")
        st.radio("Charts as", _FORMS, index=_FORMS.index(form), horizontal=True,
                 key="benchmark-form", on_change=_take_form,
                 help="The camera above each chart saves it.")  # fmt: skip


def _take_form() -> None:
    """Keep the choice for the presentation, where the widget is not."""
    st.session_state[_PICTURES] = st.session_state["benchmark-form"]


def _csv(make: object, results: Results) -> str:
    assert callable(make)
    return str(make(results).to_csv(index=False))


def show_about(results: Results) -> None:
    """Say from which data, code and protocol the figures come."""
    about = results.about
    protocol = about["protocol"]
    st.html(
        f'<p style="{MUTED};font-size:.875rem">{about["n_tracks"]:,} tracks of '
        f"{about['dataset']} (hash {about['data_hash'][:12]}), seed {about['seed']}, summarised "
        f"at commit {(about['commit'] or 'unknown')[:12]}. {protocol[0].upper()}{protocol[1:]}.</p>"
    )
