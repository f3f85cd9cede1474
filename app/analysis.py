"""Everything the Classify page shows about one file, from one decoding."""

from __future__ import annotations

from dataclasses import dataclass

from songnet.datasets.tags import Tags, read_tags
from songnet.inference.classifier import Classifier
from songnet.inference.prediction import Prediction
from songnet.inference.timeline import genre_steps, time_shares
from songnet.signal.audio import DecodeLimits, decode_audio
from songnet.signal.views import Envelope, min_max_envelope

__all__ = [
    "Analysis",
    "Envelope",
    "analyse_audio",
    "genre_steps",
    "min_max_envelope",
    "time_shares",
]


@dataclass(frozen=True)
class Analysis:
    """One analysed file.

    Parameters
    ----------
    digest : str
        SHA-256 of the file.
    prediction : Prediction
    tags : Tags
    envelope : Envelope
    codec : str
        As the decoder names it.
    source_sr, source_channels : int
        Rate in Hz and channels of the file.
    """

    digest: str
    prediction: Prediction
    tags: Tags
    envelope: Envelope
    codec: str
    source_sr: int
    source_channels: int


def analyse_audio(
    data: bytes, *, digest: str, classifier: Classifier, limits: DecodeLimits
) -> Analysis:
    """Decode a file once and take the genre, tags and envelope from it.

    Parameters
    ----------
    data : bytes
    digest : str
        SHA-256 of the data.
    classifier : Classifier
    limits : DecodeLimits

    Returns
    -------
    analysis : Analysis

    Raises
    ------
    AudioDecodeError, AudioTooLongError, AudioTooShortError, SilentAudioError
    """
    decoded = decode_audio(data, sr=classifier.bundle.features.sr, limits=limits)
    return Analysis(
        digest=digest,
        prediction=classifier.predict_decoded(decoded),
        tags=read_tags(data),
        envelope=min_max_envelope(decoded.y),
        codec=decoded.codec,
        source_sr=decoded.source_sr,
        source_channels=decoded.source_channels,
    )
