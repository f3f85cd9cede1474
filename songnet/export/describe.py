"""What a bundle says of its network: layers, training history, files."""

from __future__ import annotations

import csv
import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from songnet.config import FeatureConfig
from songnet.export.layers import layer_rows
from songnet.json_text import to_plain, write_object
from songnet.models.registry import load_network

if TYPE_CHECKING:
    from songnet.export.bundle import ExportedFile

__all__ = ["NETWORK_FILE", "describe_network"]

NETWORK_FILE = "network.json"


def describe_network(
    run_dir: Path, folder: Path, *, features: FeatureConfig, files: Sequence[ExportedFile]
) -> None:
    """Write ``network.json`` of a bundle, which the Model page reads.

    Parameters
    ----------
    run_dir : Path
        Of a finished training.
    folder : Path
        Of the bundle.
    features : FeatureConfig
    files : sequence of ExportedFile
    """
    network = load_network(run_dir / "network.keras")
    result = json.loads((run_dir / "result.json").read_text(encoding="utf-8"))
    values = {
        "input_shape": [features.patch_frames, features.n_mels],
        "layers": layer_rows(network, (features.patch_frames, features.n_mels)),
        "history": _read_history(run_dir / "history.csv"),
        "kept_epoch": result["kept_epoch"],
        "files": [
            {"name": f.name, "n_bytes": f.n_bytes, "max_difference": f.max_difference}
            for f in files
        ],
    }
    write_object(folder / NETWORK_FILE, to_plain(values))


def _read_history(path: Path) -> dict[str, Any]:
    """Columns of the history, by their names."""
    with path.open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    return {key: [float(row[key]) for row in rows] for key in rows[0]}
