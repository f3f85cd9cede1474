"""A bundle: the folder that holds everything a prediction needs.

``bundle.json`` names the feature settings, genres, temperature, threshold and
the SHA-256 of each file beside it; a folder whose files changed is refused.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

from songnet.config import FeatureConfig
from songnet.datasets.base import file_sha256
from songnet.exceptions import BundleError, ParameterError
from songnet.inference.runtime import KerasRuntime, LiteRTRuntime, Runtime
from songnet.json_text import readable_json, to_plain, write_object
from songnet.signal.music import MusicDetector

__all__ = [
    "MODELS_VARIABLE",
    "MUSIC_FILE",
    "RUNTIME_FILES",
    "SCHEMA",
    "Bundle",
    "RuntimeName",
    "find_bundle",
]

SCHEMA = 1
LIVE_HOP_SECONDS = 0.5
MUSIC_FILE = "music.json"
MUSIC_REPORT_FILE = "music_report.json"
MODELS_VARIABLE = "SONGNET_MODELS"
RuntimeName = Literal["litert", "litert-fp16", "litert-int8", "keras"]
RUNTIME_FILES: dict[str, str] = {
    "litert": "model.tflite",
    "litert-fp16": "model_fp16.tflite",
    "litert-int8": "model_int8.tflite",
    "keras": "model.keras",
}


@dataclass(frozen=True)
class Bundle:
    """The contents of ``bundle.json``.

    Parameters
    ----------
    folder : Path
    name, version : str
    features : FeatureConfig
    genres : tuple of str
        In the order of the network's outputs.
    temperature : float
        The logits are divided by it before the softmax.
    not_sure_below : float
        Confidence under which the answer is "not sure".
    files : dict of str to str
        SHA-256 of each file.
    training : dict
        Configuration, data hash, seed, versions and commit of the training.
    live_hop_frames : int
        Frames between two updates of a stream; where it is not given, as many
        as fit into half a second.
    """

    folder: Path
    name: str
    version: str
    features: FeatureConfig
    genres: tuple[str, ...]
    temperature: float
    not_sure_below: float
    files: dict[str, str]
    training: dict[str, Any]
    live_hop_frames: int = 0

    def __post_init__(self) -> None:
        if self.live_hop_frames == 0:
            fitting = int(LIVE_HOP_SECONDS / self.features.frame_seconds)
            object.__setattr__(self, "live_hop_frames", max(1, fitting))
        if self.live_hop_frames < 1:
            raise ParameterError(
                f"live_hop_frames is {self.live_hop_frames}; it must be at least 1."
            )

    @classmethod
    def load(cls, folder: Path) -> Bundle:
        """Read and check ``bundle.json``.

        Raises
        ------
        BundleError
            If it is missing, of another schema, or its feature hash does not
            match its feature settings.
        """
        path = folder / "bundle.json"
        if not path.is_file():
            raise BundleError(f"{folder} has no bundle.json; expected the folder of a model.")
        try:
            values = json.loads(path.read_text(encoding="utf-8"))
            if values["schema"] != SCHEMA:
                raise BundleError(
                    f"{path} has schema {values['schema']}; this version reads {SCHEMA}."
                )
            features = FeatureConfig.from_dict(values["features"])
            if features.hash != values["feature_hash"]:
                raise BundleError(
                    f"{path} was made with other feature settings (hash {values['feature_hash']}, "
                    f"expected {features.hash}); train or export the model again."
                )
            return cls(
                folder=folder,
                name=values["name"],
                version=values["version"],
                features=features,
                genres=tuple(values["genres"]),
                temperature=float(values["temperature"]),
                not_sure_below=float(values["not_sure_below"]),
                files=dict(values["files"]),
                training=dict(values["training"]),
                live_hop_frames=int(values.get("live_hop_frames", 0)),
            )
        except (KeyError, TypeError, ValueError, ParameterError) as error:
            raise BundleError(f"{path} cannot be read: {error!r}.") from error

    def save(self) -> None:
        """Write ``bundle.json`` into the folder."""
        values = {
            "schema": SCHEMA,
            "name": self.name,
            "version": self.version,
            "features": self.features.to_dict(),
            "feature_hash": self.features.hash,
            "genres": list(self.genres),
            "temperature": self.temperature,
            "not_sure_below": self.not_sure_below,
            "live_hop_frames": self.live_hop_frames,
            "files": self.files,
            "training": self.training,
        }
        text = readable_json(values)
        (self.folder / "bundle.json").write_text(text, encoding="utf-8")

    def file(self, name: str) -> Path:
        """Return a file of the bundle after checking that it is unchanged.

        Raises
        ------
        BundleError
            If it is not part of the bundle, missing or changed.
        """
        path = self.folder / name
        if name not in self.files or not path.is_file():
            raise BundleError(f"{self.folder} has no {name}; it holds {sorted(self.files)}.")
        if file_sha256(path) != self.files[name]:
            raise BundleError(f"{path} has changed since it was exported; export it again.")
        return path

    def open_runtime(self, name: RuntimeName = "litert") -> Runtime:
        """Open one of the networks of the bundle."""
        if name not in RUNTIME_FILES:
            raise ParameterError(f"There is no runtime {name!r}; expected {list(RUNTIME_FILES)}.")
        path = self.file(RUNTIME_FILES[name])
        return KerasRuntime(path) if name == "keras" else LiteRTRuntime(path)

    def open_detector(self) -> MusicDetector | None:
        """Open the detector of music; None where the bundle has none.

        Raises
        ------
        BundleError
            If it is changed or was trained with other feature settings.
        """
        if MUSIC_FILE not in self.files:
            return None
        path = self.file(MUSIC_FILE)
        detector = MusicDetector.load(path)
        if detector.feature_hash != self.features.hash:
            raise BundleError(
                f"{path} was trained with other feature settings (hash {detector.feature_hash}, "
                f"expected {self.features.hash}); run `songnet train-detector`."
            )
        return detector

    def save_detector(self, detector: MusicDetector, report: Mapping[str, Any]) -> Bundle:
        """Put a detector and its report into the folder, and return the bundle with it.

        Parameters
        ----------
        detector : MusicDetector
            Trained with the feature settings of the bundle.
        report : mapping of JSON types
            How it was measured.

        Returns
        -------
        bundle : Bundle
        """
        detector.save(self.folder / MUSIC_FILE)
        write_object(self.folder / MUSIC_REPORT_FILE, to_plain(report))
        names = (MUSIC_FILE, MUSIC_REPORT_FILE)
        added = {name: file_sha256(self.folder / name) for name in names}
        bundle = replace(self, files=self.files | added)
        bundle.save()
        return bundle


def find_bundle(name: str = "songnet") -> Path:
    """Return the folder of a shipped model.

    Parameters
    ----------
    name : str
        A folder in ``models`` of this repository, or of the folder that the
        variable SONGNET_MODELS names.
    """
    root = os.environ.get(MODELS_VARIABLE)
    return (Path(root) if root else Path(__file__).parents[2] / "models") / name
