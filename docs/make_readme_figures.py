"""Write the measured figures into README.md, between its markers.

Accuracy comes from models/songnet/report.json, the detector of music from
music_report.json beside it, speed from the results in benchmarks/results; a
test compares README.md with what this would write.

    python -m docs.make_readme_figures
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from songnet.evaluation.report import Report
from songnet.inference.bundle import RUNTIME_FILES

ROOT = Path(__file__).parents[1]
README = ROOT / "README.md"
BUNDLE = ROOT / "models" / "songnet"
RESULTS = ROOT / "benchmarks" / "results"
BEGIN, END = "<!-- figures: begin -->\n", "<!-- figures: end -->"

_ROWS = (
    ("accuracy", "accuracy", ".1%"),
    ("balanced accuracy", "balanced_accuracy", ".1%"),
    ("macro-F1", "macro_f1", ".3f"),
    ("right genre among the first three", "top3_accuracy", ".1%"),
    ("expected calibration error", "ece", ".3f"),
)


def accuracy_text(report: Report, int8_bytes: int) -> str:
    """Return the table of the headline metrics, with how they were measured."""
    rows = [
        f"| {label} | {item.value:{form}} | {item.low:{form}} to {item.high:{form}} |"
        for label, name, form in _ROWS
        for item in [getattr(report, name)]
    ]
    scored = {name: runtime["accuracy"] for name, runtime in report.extra["runtimes"].items()}
    not_sure = report.extra["not_sure"]
    lines = [
        (
            f"{report.protocol['folds']}-fold cross-validation, {report.protocol['split']}. "
            f"{report.n_tracks:,} tracks by {report.n_groups} artists in "
            f"{len(report.genres)} genres, each predicted by a network that never heard its "
            "artist; "
            f"{report.interval['confidence']:.0%} intervals by bootstrap over artists."
        ),
        "",
        "| metric | value | interval |",
        "|---|---|---|",
        *rows,
        "",
        (
            f'It says "not sure" for {not_sure["refused_share"]:.0%} of the tracks; of the others '
            f"{not_sure['accuracy_kept']:.1%} are right. "
            f"The 8-bit network ({int8_bytes / 1e6:.2f} MB) scores {scored['litert-int8']:.1%}, "
            f"the one that Keras runs {scored['keras']:.1%}."
        ),
    ]
    codec = report.extra["codec"]
    if codec is not None:
        lines += [
            "",
            (
                f"On {codec['n_tracks']} tracks in the codec they came in (WAV, MP3) "
                f"it is right for {codec['accuracy_other_codec']:.0%}, on the same tracks as "
                f"Opus at 28 kbit/s for {codec['accuracy']:.0%}."
            ),
        ]
    degraded = report.extra.get("degraded")
    if degraded is not None:
        lines += [
            "",
            (
                f"Heard by a microphone across a room, through a small speaker with noise "
                f"{degraded['degradation']['snr_db'][0]:.0f} dB below the music, "
                f"{degraded['accuracy']:.1%} of all tracks are right "
                f"(balanced {degraded['balanced_accuracy']:.1%})."
            ),
        ]
    return "\n".join(lines) + "\n"


def detector_text(kinds: dict[str, Any]) -> str:
    """Return what the detector of music refuses and doubts, each by one that had not heard it."""
    shares = {name: f"{kinds[name]['refused_or_doubted']:.0%}" for name in kinds}
    return (
        f"\nOf speech {shares['speech']} and of environmental sounds {shares['environment']} are "
        f"refused or called doubtful, at the cost of {shares['music']} of the music "
        f"({kinds['music']['refused']:.1%} is refused).\n"
    )


def speed_text(latency: dict[str, Any] | None, cold_start: dict[str, Any] | None) -> str:
    """Return a sentence for each benchmark that has a result."""
    sentences = []
    if latency is not None:
        sentences.append(
            f"One prediction of a 30 s MP3, decoding included, takes "
            f"{latency['predict_ms']['median']:.0f} ms on {_machine(latency)}, "
            f"{latency['ratio']['median']:.2f} times decoding and librosa's `melspectrogram`."
        )
    if cold_start is not None:
        sentences.append(
            f"From `streamlit run` to the first genre in the browser: "
            f"{cold_start['prediction_seconds']['median']:.1f} s on {_machine(cold_start)}."
        )
    return "".join(f"\n{sentence}\n" for sentence in sentences)


def _machine(result: dict[str, Any]) -> str:
    machine = result["machine"]
    return f"{machine['cores']} cores ({machine['cpu']})"


def figures() -> str:
    """Return what stands between the markers."""
    report = Report.load(BUNDLE / "report.json")
    int8_bytes = (BUNDLE / RUNTIME_FILES["litert-int8"]).stat().st_size
    results = [
        json.loads(path.read_text(encoding="utf-8")) if path.is_file() else None
        for path in (RESULTS / "predict_latency.json", RESULTS / "cold_start.json")
    ]
    detector = json.loads((BUNDLE / "music_report.json").read_text(encoding="utf-8"))
    return (
        accuracy_text(report, int8_bytes)
        + detector_text(detector["clean"]["kind"])
        + speed_text(*results)
    )


def with_figures(readme: str, text: str) -> str:
    """Return the README with ``text`` between its markers."""
    before, rest = readme.split(BEGIN)
    _, after = rest.split(END)
    return before + BEGIN + text + END + after


def main() -> None:
    """Write README.md."""
    readme = README.read_text(encoding="utf-8")
    README.write_text(with_figures(readme, figures()), encoding="utf-8")


if __name__ == "__main__":
    main()
