"""SongNet classifies the genre of music.

>>> from songnet import Classifier
>>> Classifier.load().predict("song.mp3").genre
'Jazz'

The names below are loaded on first use, so ``import songnet`` costs nothing.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from songnet.inference.classifier import Classifier
    from songnet.inference.prediction import Prediction
    from songnet.signal.audio import load_audio

__all__ = ["Classifier", "Prediction", "__version__", "load_audio"]
__version__ = "0.1.0"

_HOMES = {
    "Classifier": "songnet.inference.classifier",
    "Prediction": "songnet.inference.prediction",
    "load_audio": "songnet.signal.audio",
}


def __getattr__(name: str) -> Any:
    if name in _HOMES:
        return getattr(import_module(_HOMES[name]), name)
    raise AttributeError(f"module 'songnet' has no attribute {name!r}")
