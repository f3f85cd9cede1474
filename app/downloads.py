"""What a visitor can keep of a result: JSON of all of it, CSV of the timeline."""

from __future__ import annotations

import csv
import io
import re
from dataclasses import asdict

from app.analysis import Analysis
from songnet.inference.prediction import Timeline
from songnet.inference.sections import Section
from songnet.json_text import readable_json

__all__ = ["download_stem", "result_json", "sections_csv", "timeline_csv"]


def result_json(analysis: Analysis, *, name: str, model: str) -> str:
    """Write a result as JSON, with what made it.

    Parameters
    ----------
    analysis : Analysis
    name : str
        Name of the file, for a person.
    model : str
        Name and version of the model.

    Returns
    -------
    text : str
    """
    prediction = analysis.prediction
    timeline = prediction.timeline
    values = {
        "file": name,
        "sha256": analysis.digest,
        "model": model,
        **prediction.to_dict(top_k=len(prediction.genres)),
        "tags": asdict(analysis.tags),
        "genres": prediction.genres,
        "timeline": [
            {"start_seconds": start, "end_seconds": end, "probabilities": probs}
            for start, end, probs in zip(
                timeline.start_seconds.tolist(),
                timeline.end_seconds.tolist(),
                timeline.probs.tolist(),
                strict=True,
            )
        ],
    }
    return readable_json(values)


def timeline_csv(steps: Timeline, *, genres: tuple[str, ...]) -> str:
    """Write the genre over time as CSV, a row a step.

    Parameters
    ----------
    steps : Timeline
    genres : tuple of str

    Returns
    -------
    text : str
    """
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    writer.writerow(["start_seconds", "end_seconds", "genre", *genres])
    for start, end, probs in zip(steps.start_seconds, steps.end_seconds, steps.probs, strict=True):
        row = [f"{p:.4f}" for p in probs]
        writer.writerow([f"{start:.3f}", f"{end:.3f}", genres[int(probs.argmax())], *row])
    return buffer.getvalue()


def sections_csv(sections: tuple[Section, ...], *, genres: tuple[str, ...]) -> str:
    """Write the sections as CSV, a row a section.

    Parameters
    ----------
    sections : tuple of Section
    genres : tuple of str

    Returns
    -------
    text : str
    """
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    writer.writerow(["start_seconds", "end_seconds", "genre", "confidence", *genres])
    for section in sections:
        times = [f"{section.start_seconds:.3f}", f"{section.end_seconds:.3f}"]
        probs = [f"{p:.4f}" for p in section.probs]
        writer.writerow([*times, section.genre, f"{section.confidence:.4f}", *probs])
    return buffer.getvalue()


def download_stem(name: str) -> str:
    """Make the beginning of a download's name out of a file's name.

    Parameters
    ----------
    name : str

    Returns
    -------
    stem : str
        Letters, digits, underscores and hyphens only; never empty.
    """
    stem = re.sub(r"[^\w-]+", "-", name.rpartition(".")[0] or name).strip("-_")
    return stem[:60] or "song"
