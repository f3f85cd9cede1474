"""The model card of a bundle, every figure from its report."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from songnet.config import ModelConfig
from songnet.evaluation.intervals import Interval
from songnet.evaluation.report import Report
from songnet.inference.bundle import RUNTIME_FILES, Bundle
from songnet.models.registry import has_statistics_branch

if TYPE_CHECKING:
    from songnet.export.bundle import ExportedFile

__all__ = ["model_card"]

_TEMPLATE = """# {name} {version}

Names the genre of music: {genres}.

{network} on log-mel spectrograms: {sr} Hz, {n_mels} mel bands
from {fmin:g} to {fmax:g} Hz, windows of {seconds:.0f} s.{branch}
Written by `songnet export`; every figure here is read from `report.json`.

## How good it is

{protocol}
95 % intervals by bootstrap over artists.

| metric | value | 95 % interval |
|---|---|---|
{headline}

Expected calibration error: {ece_before:.3f} before and {ece_after:.3f} after temperature scaling.
"Not sure" withholds {refused:.1%} of the tracks; {kept:.1%} of the rest are right,
and {withheld} of those withheld would have been.

| genre | precision | recall | F1 | tracks |
|---|---|---|---|---|
{by_genre}
{codec}{degraded}
## Files

| file | size | greatest difference from Keras | out-of-fold accuracy |
|---|---|---|---|
{files}

The int8 file keeps the weights in 8 bits and computes in float.
All TFLite files read one window of shape (1, {patch_frames}, {n_mels}) with builtin operations.

## Data and limits

Trained on the data set "{dataset}" (hash `{data_hash}`) with seed {seed}; evaluated at commit
`{commit}`.{terms}

- {n_genres} genres only: whatever it hears becomes one of them, or "not sure".
  Silence is refused; speech, noise and other sounds as far as the detector of music knows them
  (`songnet train-detector`; its figures are in `music_report.json`).
- Genres are a convention of people, not a property of sound.{labels}
- The table shows genres that it seldom gets right.
  Do not use it to decide about people or their work.
"""

_NETWORKS = {"songnet": "A CNN + GRU + attention network"}

_CROSS_VALIDATED = """{folds}-fold cross-validation, artist-disjoint: {n_tracks:,} tracks by \
{n_groups:,} artists,
each predicted by a network that never saw its artist.
The network that ships has the same recipe, trained on all folds."""

_HELD_OUT = """Held-out test of {dataset}: {n_tracks:,} tracks.
Split: {split}; {artists_on_both_sides} artists stand on both sides."""

_CORPUS_TERMS = " The clips are for research use; none of them is in this repository."
_CORPUS_LABELS = """ The labels come from four
  collections that disagree, and Western popular music dominates them."""

_BRANCH = """
A second branch reads statistics of the window (how the timbre is, varies, moves together, and
at which rates); the logits are the mean of the two."""


def model_card(bundle: Bundle, report: Report, files: Sequence[ExportedFile]) -> str:
    """Return the model card as Markdown.

    Parameters
    ----------
    bundle : Bundle
    report : Report
        Of the cross-validation of the recipe.
    files : sequence of ExportedFile
    """
    features = bundle.features
    model = ModelConfig.from_dict(bundle.training["settings"]["model"])
    is_corpus = bundle.training["dataset"] == "corpus"
    not_sure = report.extra["not_sure"]
    withheld = not_sure["accuracy_refused"]
    return _TEMPLATE.format(
        name=bundle.name,
        version=bundle.version,
        genres=", ".join(bundle.genres),
        sr=features.sr,
        n_mels=features.n_mels,
        fmin=features.fmin,
        fmax=features.fmax,
        seconds=features.patch_seconds,
        network=_NETWORKS.get(model.architecture, f"The network `{model.architecture}`"),
        branch=_BRANCH if has_statistics_branch(model) else "",
        n_genres=len(bundle.genres),
        labels=_CORPUS_LABELS if is_corpus else "",
        terms=_CORPUS_TERMS if is_corpus else "",
        patch_frames=features.patch_frames,
        protocol=_protocol(report),
        headline=_headline(report),
        ece_before=report.calibration["ece_before"],
        ece_after=report.calibration["ece_after"],
        refused=not_sure["refused_share"],
        kept=not_sure["accuracy_kept"],
        withheld="none" if withheld is None else f"{withheld:.1%}",
        by_genre=_by_genre(report),
        codec=_codec(report),
        degraded=_degraded(report),
        files=_files(report, files),
        dataset=bundle.training["dataset"],
        data_hash=bundle.training["data_hash"][:12],
        seed=report.seed,
        commit=(report.commit or "unknown")[:12],
    )


def _protocol(report: Report) -> str:
    about = {**report.protocol, "n_tracks": report.n_tracks, "n_groups": report.n_groups}
    is_held_out = report.protocol["name"] == "held-out test"
    return (_HELD_OUT if is_held_out else _CROSS_VALIDATED).format(**about)


def _headline(report: Report) -> str:
    rows: list[tuple[str, Interval, str]] = [
        ("accuracy", report.accuracy, ".1%"),
        ("balanced accuracy", report.balanced_accuracy, ".1%"),
        ("macro-F1", report.macro_f1, ".3f"),
        ("right genre among the first three", report.top3_accuracy, ".1%"),
        ("log-loss", report.log_loss, ".3f"),
        ("expected calibration error", report.ece, ".3f"),
    ]
    return "\n".join(
        f"| {label} | {item.value:{spec}} | {item.low:{spec}} to {item.high:{spec}} |"
        for label, item, spec in rows
    )


def _by_genre(report: Report) -> str:
    return "\n".join(
        f"| {genre} | {s['precision']:.2f} | {s['recall']:.2f} | {s['f1']:.2f} | {s['support']:g} |"
        for genre, s in report.per_genre.items()
    )


def _codec(report: Report) -> str:
    codec = report.extra["codec"]
    if codec is None:
        return ""
    return (
        f"\nOn {codec['n_tracks']} tracks in the codec they came in (WAV, MP3): "
        f"{codec['accuracy_other_codec']:.1%} right,\nagainst {codec['accuracy']:.1%} of the same "
        f"tracks as Opus at 28 kbit/s; {codec['same_answer']:.0%} get the same answer.\n"
    )


def _degraded(report: Report) -> str:
    degraded = report.extra.get("degraded")
    if degraded is None:
        return ""
    settings = degraded["degradation"]
    return (
        f"\nHeard by a microphone ({settings['rooms']} rooms, a speaker from "
        f"{settings['low_hz'][0]:.0f} to {settings['high_hz'][0]:,.0f} Hz, noise "
        f"{settings['snr_db'][0]:.0f} dB below the music,\nOpus at "
        f"{settings['bit_rate'][0] / 1000:.0f} kbit/s): {degraded['accuracy']:.1%} of the same "
        f"tracks are right, against {report.accuracy.value:.1%} clean;\n"
        f"balanced accuracy {degraded['balanced_accuracy']:.1%}. "
        "No such room was in the training.\n"
    )


def _files(report: Report, files: Sequence[ExportedFile]) -> str:
    scored = report.extra["runtimes"]
    accuracy_of = {file: scored[name]["accuracy"] for name, file in RUNTIME_FILES.items()}
    return "\n".join(
        f"| {file.name} | {file.n_bytes / 1e6:.2f} MB | "
        f"{'-' if file.max_difference is None else f'{file.max_difference:.1e}'} | "
        f"{accuracy_of[file.name]:.1%} |"
        for file in files
    )
