"""Write the folder that ships: networks, settings, report and model card."""

from __future__ import annotations

import json
import shutil
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np

from songnet.config import FeatureConfig
from songnet.datasets.base import file_sha256
from songnet.evaluation.report import Report
from songnet.exceptions import BundleError, ParameterError
from songnet.export.card import model_card
from songnet.export.describe import describe_network
from songnet.export.tflite import (
    MAX_FLOAT32_DIFFERENCE,
    RUNTIME_PRECISIONS,
    check_parity,
    export_tflite,
)
from songnet.inference.bundle import MUSIC_FILE, MUSIC_REPORT_FILE, RUNTIME_FILES, Bundle
from songnet.models.registry import load_network, whole_network
from songnet.signal.music import MusicDetector

__all__ = ["ExportedFile", "export_bundle"]

_N_PARITY_PATCHES = 8


@dataclass(frozen=True)
class ExportedFile:
    """One network file of a bundle.

    Parameters
    ----------
    name : str
    n_bytes : int
    max_difference : float or None
        Greatest difference of any output from Keras on generated patches;
        None for the Keras file itself.
    """

    name: str
    n_bytes: int
    max_difference: float | None


def export_bundle(
    run_dir: Path, report: Report, folder: Path, *, name: str = "songnet", version: str
) -> list[ExportedFile]:
    """Turn a finished training run into a bundle.

    It is made beside ``folder`` and moved there at the end, ``bundle.json``
    last, so an export that fails leaves the bundle that was there.

    Parameters
    ----------
    run_dir : Path
        Folder of a finished run (see `songnet.training.train.train`).
    report : Report
        Of the cross-validation of the same recipe; its section ``shipping``
        gives the temperature and the "not sure" threshold.
    folder : Path
        Made if missing; files of the same names are replaced. A detector of
        music (`songnet train-detector`) stays if it has the same features.
    name, version : str

    Returns
    -------
    files : list of ExportedFile

    Raises
    ------
    BundleError
        If the run is not finished, or a TFLite file differs from Keras.
    ParameterError
        If the report is of another recipe or of other genres.
    """
    run, genres = _read_run(run_dir)
    _check_recipe(run["settings"], genres, report)
    features = FeatureConfig.from_dict(run["settings"]["features"])
    folder = folder.resolve()
    folder.parent.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(dir=folder.parent, prefix=f".{folder.name}-") as beside:
        made = Path(beside)
        files = _write_networks(run_dir / "network.keras", made, features)
        report.save(made / "report.json")
        describe_network(run_dir, made, features=features, files=files)
        _keep_detector(folder, made, features)
        shipping = report.extra["shipping"]
        bundle = Bundle(
            folder=made,
            name=name,
            version=version,
            features=features,
            genres=genres,
            temperature=shipping["temperature"],
            not_sure_below=shipping["not_sure"]["threshold"],
            files={path.name: file_sha256(path) for path in sorted(made.iterdir())},
            training={
                key: run[key] for key in ("dataset", "data_hash", "settings", "versions", "commit")
            },
        )
        (made / "README.md").write_text(model_card(bundle, report, files), encoding="utf-8")
        bundle.save()
        _move(made, folder)
    return files


def _read_run(run_dir: Path) -> tuple[dict[str, Any], tuple[str, ...]]:
    for name in ("run.json", "network.keras", "result.json"):
        if not (run_dir / name).is_file():
            raise BundleError(f"{run_dir} has no {name}; finish the training first.")
    run: dict[str, Any] = json.loads((run_dir / "run.json").read_text(encoding="utf-8"))
    return run, tuple(run["genres"])


def _check_recipe(settings: dict[str, Any], genres: tuple[str, ...], report: Report) -> None:
    if report.genres != genres:
        raise ParameterError(
            f"The report has the genres {report.genres}; the run has {genres}: "
            "evaluate the same data set."
        )
    if report.extra.get("settings") != settings:
        raise ParameterError(
            "The report is of another recipe than the run; evaluate with the same settings."
        )


def _keep_detector(folder: Path, made: Path, features: FeatureConfig) -> None:
    """Copy the detector of music to the new bundle, if it is whole and for the same features."""
    path = folder / MUSIC_FILE
    with suppress(BundleError):
        if path.is_file() and MusicDetector.load(path).feature_hash == features.hash:
            for name in (MUSIC_FILE, MUSIC_REPORT_FILE):
                shutil.copyfile(folder / name, made / name)


def _move(made: Path, folder: Path) -> None:
    """Move a new bundle into its folder, ``bundle.json`` last; a detector it has not goes."""
    folder.mkdir(exist_ok=True)
    names = {path.name for path in made.iterdir()}
    for name in sorted(names, key="bundle.json".__eq__):
        (made / name).replace(folder / name)
    for name in {MUSIC_FILE, MUSIC_REPORT_FILE} - names:
        (folder / name).unlink(missing_ok=True)


def _write_networks(source: Path, folder: Path, features: FeatureConfig) -> list[ExportedFile]:
    network = whole_network(load_network(source))
    target = folder / RUNTIME_FILES["keras"]
    network.save(target)
    files = [ExportedFile(target.name, target.stat().st_size, None)]
    rng = np.random.default_rng(0)
    shape = (_N_PARITY_PATCHES, features.patch_frames, features.n_mels)
    patches = np.maximum(rng.normal(-15, 12, shape), features.floor_db).astype(np.float32)
    for runtime, precision in RUNTIME_PRECISIONS.items():
        path = folder / RUNTIME_FILES[runtime]
        export_tflite(network, path, features=features, precision=precision)
        worst = check_parity(network, path, patches).worst
        if precision == "fp32" and worst > MAX_FLOAT32_DIFFERENCE:
            raise BundleError(
                f"{path.name} differs from Keras by {worst:.1e}; at most "
                f"{MAX_FLOAT32_DIFFERENCE:.0e} is expected of float32."
            )
        files.append(ExportedFile(path.name, path.stat().st_size, worst))
    return files
