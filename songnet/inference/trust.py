"""Is there anything to name, and is it sure enough? One answer for files and streams."""

from __future__ import annotations

from songnet.inference.prediction import Status
from songnet.signal.quality import SignalQuality

__all__ = ["judge"]


def judge(quality: SignalQuality, confidence: float, *, not_sure_below: float) -> Status:
    """Decide whether a genre may be named.

    Parameters
    ----------
    quality : SignalQuality
        Of the audio; of a stream, of its last two seconds.
    confidence : float
        Probability of the most probable genre.
    not_sure_below : float
        Threshold of the bundle.

    Returns
    -------
    status : {"no_signal", "silent", "not_music", "not_sure", "ok"}
        The first of them that holds.
    """
    if not quality.has_signal:
        return "no_signal"
    if quality.is_silent:
        return "silent"
    return "ok" if confidence >= not_sure_below else "not_sure"
