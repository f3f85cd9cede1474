"""What lies beside the shipped network, as tables for the Model page."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from songnet.exceptions import BundleError
from songnet.inference.bundle import RUNTIME_FILES, Bundle

__all__ = [
    "LATENCY",
    "MFCC",
    "ModelFiles",
    "classification_frame",
    "file_frame",
    "layer_frame",
    "read_model_files",
]

_RESULTS = Path(__file__).resolve().parents[1] / "benchmarks" / "results"
LATENCY = _RESULTS / "tflite_variants.json"
MFCC = _RESULTS / "benchmark" / "mfcc.json"


@dataclass(frozen=True)
class ModelFiles:
    """The shipped network and what was measured of it.

    Parameters
    ----------
    bundle : Bundle
    card : str
        Model card, Markdown.
    report : dict
        Of the cross-validation; empty if there is none.
    network : dict
        Layers, history and files; empty for a bundle of an older export.
    latency : dict
        Of ``benchmarks/tflite_variants.py``; empty where it was not run on
        these very files.
    mfcc : dict
        Mean and variance by genre; empty where it was not measured.
    """

    bundle: Bundle
    card: str
    report: dict[str, Any]
    network: dict[str, Any]
    latency: dict[str, Any]
    mfcc: dict[str, Any]

    @property
    def genres(self) -> tuple[str, ...]:
        """Genres of the network."""
        return self.bundle.genres


def read_model_files(folder: Path) -> ModelFiles:
    """Read a bundle and the results about it.

    Parameters
    ----------
    folder : Path
        Of the bundle.

    Raises
    ------
    BundleError
        If it is damaged.
    """
    bundle = Bundle.load(folder)
    card = folder / "README.md"
    latency = _read(LATENCY)
    known = latency.get("sha256", {})
    if any(bundle.files.get(name) != sha256 for name, sha256 in known.items()):
        latency = {}
    return ModelFiles(
        bundle=bundle,
        card=card.read_text(encoding="utf-8") if card.is_file() else "",
        report=_read(folder / "report.json"),
        network=_read(folder / "network.json"),
        latency=latency,
        mfcc=_read(MFCC),
    )


def _read(path: Path) -> dict[str, Any]:
    try:
        values: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except (OSError, ValueError) as error:
        raise BundleError(f"{path} is damaged: {error}. Write it again.") from error
    return values


def layer_frame(files: ModelFiles) -> pd.DataFrame:
    """Return a row a layer: name, kind, shape, parameters, multiplications."""
    return pd.DataFrame(
        [
            {
                "Layer": row["name"],
                "Output": ", ".join(str(size) for size in row["output_shape"]),
                "Parameters": row["parameters"],
                "Multiplications": row["macs"],
                "Kind": row["kind"],
            }
            for row in files.network["layers"]
        ]
    )


def classification_frame(files: ModelFiles) -> pd.DataFrame:
    """Return precision, recall, F1, AUC and the number of tracks of each genre."""
    roc, curve = files.report["roc"], files.report["precision_recall"]
    return pd.DataFrame(
        [
            {
                "Genre": genre,
                "Precision %": round(100 * scores["precision"], 1),
                "Recall %": round(100 * scores["recall"], 1),
                "F1 %": round(100 * scores["f1"], 1),
                "ROC area": roc[genre]["auc"],
                "Average precision": curve[genre]["average_precision"],
                "Tracks": scores["support"],
            }
            for genre, scores in files.report["per_genre"].items()
        ]
    )


def file_frame(files: ModelFiles) -> pd.DataFrame:
    """Return a row a network file: size, difference from Keras, accuracy, latency."""
    described = {item["name"]: item for item in files.network.get("files", [])}
    scored = files.report.get("runtimes", {})
    rows = []
    for runtime, name in RUNTIME_FILES.items():
        path = files.bundle.folder / name
        if not path.is_file():
            continue
        measured = files.latency.get("files", {}).get(name, {})
        window, track = measured.get("window_ms", {}), measured.get("track_ms", {})
        difference = described.get(name, {}).get("max_difference")
        accuracy = scored.get(runtime, {}).get("accuracy")
        rows.append(
            {
                "File": name,
                "MB": round(path.stat().st_size / 1e6, 2),
                "Difference from Keras": "" if difference is None else f"{difference:.1e}",
                "Accuracy %": None if accuracy is None else round(100 * accuracy, 1),
                "Window ms": window.get("p50"),
                "Window ms, 95 %": window.get("p95"),
                "Track of 30 s, ms": track.get("p50"),
                "Track, 95 %": track.get("p95"),
            }
        )
    return pd.DataFrame(rows)
