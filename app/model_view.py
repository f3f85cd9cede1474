"""The parts of the Model page."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import streamlit as st

from app import model_charts, track_services
from app.benchmark_charts import confusion_figure
from app.benchmark_view import show_chart
from app.components import facts_html, show_error
from app.model_facts import ModelFiles, classification_frame, file_frame, layer_frame
from app.report import ReportFigure
from app.session import current_clip
from app.settings import Settings
from app.tables import show_table
from app.views import Span, draw_picture
from songnet.exceptions import AudioError

__all__ = ["VIEWS", "show_view"]

VIEWS = ("Card", "Architecture", "Training", "Results", "Calibration", "MFCC", "Files", "Data")
_SAMPLE_SECONDS = 30.0


_EVALUATE = "songnet evaluate --dataset corpus --run-dir runs/cv"
_EXPORT = "songnet export runs/final --report runs/cv/report.json --to models/songnet"


def show_view(view: str, files: ModelFiles, *, settings: Settings) -> None:
    """Show one of `VIEWS`."""
    if view == "MFCC":
        _show_mfcc(files, settings)
        return
    {
        "Card": _show_card,
        "Architecture": _show_architecture,
        "Training": _show_training,
        "Results": _show_results,
        "Calibration": _show_calibration,
        "Files": _show_files,
        "Data": _show_data,
    }[view](files)


def _missing(what: str, command: str) -> None:
    with st.container(border=True):
        st.markdown(f"**{what}: not measured yet.**")
        st.code(command, language="bash", wrap_lines=True)


def _show_card(files: ModelFiles) -> None:
    if not files.card:
        _missing("Model card", _EXPORT)
        return
    st.markdown(files.card.replace("\n## ", "\n### ").replace("# ", "## ", 1))
    st.download_button(
        "Model card (Markdown)",
        files.card,
        file_name="model-card.md",
        mime="text/markdown",
        icon=":material/download:",
        on_click="ignore",
    )


def _show_architecture(files: ModelFiles) -> None:
    features = files.bundle.features
    st.markdown(
        f"Sound at {features.sr:,} Hz becomes {features.n_mels} mel bands from "
        f"{features.fmin:g} to {features.fmax:,g} Hz, every "
        f"{1000 * features.hop_length / features.sr:.0f} ms; the network reads windows of "
        f"{features.patch_frames} frames ({features.patch_seconds:.1f} s), a new one every "
        f"{features.patch_hop_seconds:.1f} s."
    )
    if not files.network:
        _missing("Layers", _EXPORT)
        return
    frame = layer_frame(files)
    columns = st.columns(3)
    columns[0].metric("Parameters", f"{frame['Parameters'].sum():,}")
    columns[1].metric("Multiplications a window", f"{frame['Multiplications'].sum() / 1e6:.1f} M")
    columns[2].metric("Layers", len(frame))
    show_table(frame, alt="Layers of the network")
    st.caption("Shapes without the batch: time, (bands,) channels.")


def _show_training(files: ModelFiles) -> None:
    if files.network:
        kept = files.network["kept_epoch"]
        show_chart(
            ReportFigure(
                title="Loss and accuracy over the training",
                alt="Loss and accuracy over the epochs",
                figure=model_charts.history_figure(files.network["history"], kept_epoch=kept),
                note=f"The network of epoch {kept} ships. The training hears distorted, cut and "
                "mixed crops, the artists held out whole clean tracks.",
            )
        )
    else:
        _missing("Training history", _EXPORT)
    settings = files.bundle.training["settings"]["training"]
    with st.expander("Settings of the training", icon=":material/tune:"):
        rows = {
            name.replace("_", " ").capitalize(): ", ".join(map(str, value))
            if isinstance(value, list)
            else str(value)
            for name, value in settings.items()
        }
        st.html(facts_html(rows, unknown="none"))


def _show_results(files: ModelFiles) -> None:
    report = files.report
    if not report:
        _missing("Results", _EVALUATE)
        return
    show_chart(
        ReportFigure(
            title="What it takes for what",
            alt="Confusion matrix of the model",
            figure=confusion_figure(np.array(report["confusion"]), files.genres, minus=None),
            note=f"Percent of the tracks of each genre; {report['n_tracks']:,} tracks by "
            f"{report['n_groups']} artists, each said by a network that never heard its artist.",
        )
    )
    st.subheader("Classification report", anchor=False)
    show_table(classification_frame(files), alt="Figures of each genre", decimals=2)
    for title, figure, what in (
        ("ROC curves", model_charts.roc_figure, "area under the curve"),
        ("Precision and recall", model_charts.precision_recall_figure, "average precision"),
    ):
        show_chart(
            ReportFigure(
                title=title,
                alt=f"{title} of each genre",
                figure=figure(report, files.genres),
                note=f"Each genre against the rest, with its {what}.",
            )
        )


def _show_calibration(files: ModelFiles) -> None:
    report = files.report
    if not report:
        _missing("Calibration", _EVALUATE)
        return
    found = report["calibration"]
    columns = st.columns(2)
    columns[0].metric("Calibration error before", f"{found['ece_before']:.1%}")
    columns[1].metric(
        "After temperature scaling",
        f"{found['ece_after']:.1%}",
        delta=f"{100 * (found['ece_after'] - found['ece_before']):+.1f} points",
        delta_color="inverse",
    )
    show_chart(
        ReportFigure(
            title="Is it as sure as it is right?",
            alt="Accuracy against confidence",
            figure=model_charts.reliability_figure(report["reliability"]),
            note="Out of fold, after scaling; a larger point holds more tracks.",
        )
    )
    shipping, not_sure = report["shipping"], report["not_sure"]
    st.markdown(
        f"The shipped network divides its logits by {shipping['temperature']:.3f} and answers "
        f"“not sure” below {shipping['not_sure']['threshold']:.0%}. With thresholds that each "
        "fold's own tracks had no part in, that withholds "
        f"{not_sure['refused_share']:.0%} of the tracks and leaves "
        f"{not_sure['accuracy_kept']:.0%} of the rest right."
    )


def _show_mfcc(files: ModelFiles, settings: Settings) -> None:
    st.markdown(
        "MFCC were what published networks read before this one. SongNet reads the mel "
        "spectrogram itself; this shows what MFCC can tell of a genre."
    )
    _show_mfcc_sample(files, settings)
    if not files.mfcc:
        _missing("MFCC by genre", "songnet benchmark run --dataset corpus --model rbf_svm\n"
                 "songnet benchmark summarise --dataset corpus")  # fmt: skip
        return
    for quantity, note in (
        ("mean", "Green is above, red below the mean of the genres; coefficient 0 is the level."),
        (
            "variance",
            "Within the tracks and between them; green above, red below the mean of the genres.",
        ),
    ):
        figure = model_charts.mfcc_genres_figure(files.mfcc["by_genre"], quantity=quantity)
        title = f"{quantity.capitalize()} of each MFCC by genre"
        show_chart(ReportFigure(title=title, alt=title, figure=figure, note=note))


def _show_mfcc_sample(files: ModelFiles, settings: Settings) -> None:
    """Show the MFCC of the current clip, or why there are none; the genres stay beside it."""
    clip = current_clip()
    if clip is None:
        with st.container(border=True):
            st.markdown("**A heat map of your sample appears here** once you have chosen a track.")
            st.page_link(
                Path(__file__).parents[1] / "pages" / "classify.py",
                label="Choose a track on Classify",
                icon=":material/graphic_eq:",
            )
        return
    try:
        y = track_services.load_waveform(clip, limits=settings.limits)
    except AudioError as error:
        show_error(error)
        return
    config = files.bundle.features
    span = Span(0.0, min(_SAMPLE_SECONDS, y.size / config.sr))
    view = draw_picture("MFCC", y, config=config, span=span)
    show_chart(
        ReportFigure(
            title="MFCC of your track",
            alt="Heat map of the MFCC over time",
            figure=model_charts.mfcc_sample_figure(view),
            note="Its first half minute; green is above, red below the mean of a coefficient.",
        )
    )


def _show_files(files: ModelFiles) -> None:
    frame = file_frame(files).dropna(axis=1, how="all")
    show_table(frame, alt="Files of the network", decimals=2)
    with st.container(horizontal=True):
        for name in frame["File"]:
            st.download_button(
                name,
                (files.bundle.folder / name).read_bytes,
                file_name=name,
                mime="application/octet-stream",
                icon=":material/download:",
                on_click="ignore",
            )
    st.caption(
        "Accuracy is out of fold, of that precision. The app runs model.tflite. The difference is "
        "the greatest of any output on generated windows."
    )
    if files.latency:
        machine = files.latency["machine"]
        st.caption(
            f"Latency of the network alone on one thread of {machine['cores']} cores "
            f"({machine['cpu']}), load {machine['load_average']:.1f}."
        )
    else:
        _missing("Latency of these files", "python benchmarks/tflite_variants.py")


def _show_data(files: ModelFiles) -> None:
    training, report = files.bundle.training, files.report
    protocol = report.get("protocol", {})
    rows = {
        "Data set": training["dataset"],
        "Data hash": training["data_hash"],
        "Tracks": f"{report.get('n_tracks', 0):,} by {report.get('n_groups', 0)} artists",
        "Protocol": f"{protocol.get('name', '')}: {protocol.get('split', '')}",
        "Evaluated": report.get("created", ""),
        "Commit of the training": training["commit"] or "",
        "Versions": ", ".join(f"{k} {v}" for k, v in training["versions"].items()),
        "SHA-256 of model.tflite": files.bundle.files.get("model.tflite", ""),
    }
    st.html(facts_html(rows, unknown="not known"))
    by_source = report.get("by_source")
    if by_source:
        st.subheader("By source of the music", anchor=False)
        table = [
            {
                "Source": source,
                "Tracks": row["n_tracks"],
                "Accuracy %": round(100 * row["accuracy"]["value"], 1),
                "from": round(100 * row["accuracy"]["low"], 1),
                "to": round(100 * row["accuracy"]["high"], 1),
            }
            for source, row in by_source.items()
        ]
        show_table(pd.DataFrame(table), alt="Accuracy by source", decimals=1)
    st.markdown(
        "The clips are for research use only and are not part of this project; the code and the "
        "weights are under the licence in `LICENSE`."
    )
