"""The parts of the Benchmark page."""

from __future__ import annotations

from functools import partial

import pandas as pd
import streamlit as st

from app import benchmark, benchmark_story, benchmark_studies
from app.benchmark import KINDS, Results
from app.benchmark_pairs import comparison_frame
from app.benchmark_report import benchmark_html
from app.components import MUTED
from app.report import ReportFigure

__all__ = ["VIEWS", "show_about", "show_chart", "show_empty", "show_exports", "show_view"]

RUN = "songnet benchmark run --dataset corpus"
_FORMS = ("PNG", "SVG")
_PICTURES = "benchmark-pictures"
VIEWS = ("Leaderboard", "Significance", "Genres", "Curves", "Data", "Robustness", "Cost", "Tracks")
_METRICS = {"Accuracy": "accuracy", "Balanced accuracy": "balanced_accuracy",
            "Macro-F1": "macro_f1"}  # fmt: skip
_PERCENT = ("accuracy", "balanced_accuracy", "macro_f1", "top3_accuracy", "ece")
_TRACK_FILTERS = ("All", "All models wrong", "All models right", "They disagree")


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
        "Tracks": _show_tracks,
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
    st.dataframe(
        _readable(shown),
        hide_index=True,
        alt="Leaderboard; a click on a heading sorts",
        column_config={"Model": st.column_config.TextColumn(pinned=True)},
    )
    _show_not_run(results)


def _readable(frame: pd.DataFrame) -> pd.DataFrame:
    """Figures in percent with headings for people."""
    table = pd.DataFrame({"Model": frame["title"], "Kind": frame["kind"].map(KINDS)})
    names = ("Accuracy %", "Balanced %", "Macro-F1 %", "Top 3 %", "Calibration error %")
    for name, column in zip(names, _PERCENT, strict=True):
        table[name] = (100 * frame[column]).round(1)
        if name == "Accuracy %":
            table["from %"] = (100 * frame["accuracy_low"]).round(1)
            table["to %"] = (100 * frame["accuracy_high"]).round(1)
    table["Training s, by the clock"] = frame["train_seconds"].astype(float).round(1)
    return table


def _show_not_run(results: Results) -> None:
    if not results.not_run:
        return
    st.subheader("Not run yet", anchor=False)
    st.caption("These models are part of the benchmark; nobody has trained them on all folds yet.")
    rows = [
        {"Model": m["title"], "Kind": KINDS[m["kind"]], "Lacks folds": m["missing_folds"]}
        for m in results.not_run
    ]
    st.dataframe(pd.DataFrame(rows), hide_index=True, alt="Models that were not run")
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
            "Points": (100 * frame["difference"]).round(1),
            "from": (100 * frame["low"]).round(1),
            "to": (100 * frame["high"]).round(1),
            "Only it right": frame["only_model"],
            "Only the other": frame["only_reference"],
            "p McNemar": frame["p_mcnemar"].map("{:.2g}".format),
            "p bootstrap": frame["p_bootstrap"].map("{:.2g}".format),
            "Significant": frame["is_significant"],
        }
    )
    st.dataframe(table, hide_index=True, alt="Comparisons in pairs")
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
    show_chart(benchmark_studies.seconds_chart(results), missing="Seconds heard", study="seconds")
    show_chart(benchmark_studies.leaky_chart(results), missing="Leaky split", study="leaky")


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
            "train_seconds": "Training s, by the clock",
        }  # fmt: skip
        table = frame[list(columns)].rename(columns=columns)
        st.dataframe(table.round(2), hide_index=True, alt="Costs of each model and runtime")


def _show_tracks(results: Results) -> None:
    models = st.multiselect(
        "Models",
        list(results.titles),
        default=list(results.titles)[:4],
        format_func=results.titles.__getitem__,
        key="benchmark-track-models",
    )
    frame = benchmark.track_frame(results, models)
    if frame.empty:
        missing = results.predictions.empty
        said = "Nothing is kept of single tracks: predictions.parquet is missing."
        st.info(said if missing else "Choose a model.", icon=":material/checklist:")
        return
    shown = st.segmented_control(
        "Which tracks", _TRACK_FILTERS, default=_TRACK_FILTERS[0], required=True
    )
    genre = st.selectbox("Genre", ["All genres", *results.genres], width=240)
    keep = {
        "All": frame["n_right"] >= 0,
        "All models wrong": frame["n_right"] == 0,
        "All models right": frame["n_right"] == len(models),
        "They disagree": frame["n_right"].between(1, len(models) - 1),
    }[shown]
    rows = frame[keep & ((frame["genre"] == genre) | (genre == "All genres"))]
    st.caption(f"{len(rows):,} of {len(frame):,} tracks, each said out of fold.")
    table = rows.rename(columns=results.titles | {"genre": "Genre", "n_right": "Right"})
    st.dataframe(table.rename_axis("Track"), alt="What each model said of each track")
    _show_track(results, list(rows.index))


def _show_track(results: Results, track_ids: list[str]) -> None:
    track = st.selectbox(
        "Look at one track", track_ids, index=None, placeholder="Type a part of its name"
    )
    if track is None:
        return
    said = results.predictions[results.predictions["track_id"] == track].set_index("model")
    probs = said[[f"p_{genre}" for genre in results.genres]].loc[list(results.titles)]
    table = (100 * probs).round(0).astype(int)
    table.columns = pd.Index(list(results.genres))
    table.index = pd.Index([results.titles[model] for model in table.index], name="Probability, %")
    st.markdown(f"**{track}** is {said['genre'].iloc[0]}.")
    st.dataframe(table, alt="Probability of each genre by model")


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
        f"{about['dataset']} (hash {about['data_hash'][:12]}), seed {about['seed']}, commit "
        f"{(about['commit'] or 'unknown')[:12]}. {protocol[0].upper()}{protocol[1:]}.</p>"
    )
