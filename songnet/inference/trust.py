"""Is there anything to name, and is it sure enough? One answer for files and streams."""

from __future__ import annotations

from dataclasses import dataclass

from songnet.inference.prediction import Status
from songnet.signal.quality import SignalQuality

__all__ = ["NOT_MUSIC", "Thresholds", "judge"]

NOT_MUSIC = (
    "It does not sound like music, so no genre is named; speech, noise and single tones have none."
)


@dataclass(frozen=True)
class Thresholds:
    """What is needed to name a genre.

    Parameters
    ----------
    not_sure_below : float
        Probability of the most probable genre.
    not_music_below : float
        Probability of music under which nothing is named.
    doubt_music_below : float
        Probability of music under which the answer is "not sure".
    """

    not_sure_below: float
    not_music_below: float = 0.0
    doubt_music_below: float = 0.0


def judge(
    quality: SignalQuality,
    *,
    confidence: float,
    music_probability: float | None,
    thresholds: Thresholds,
) -> Status:
    """Decide whether a genre may be named.

    Parameters
    ----------
    quality : SignalQuality
        Of the audio; of a stream, of its last two seconds.
    confidence : float
        Probability of the most probable genre.
    music_probability : float, optional
        None where nothing measures it.
    thresholds : Thresholds

    Returns
    -------
    status : {"no_signal", "silent", "not_music", "not_sure", "ok"}
        The first of them that holds.
    """
    if not quality.has_signal:
        return "no_signal"
    if quality.is_silent:
        return "silent"
    music = 1.0 if music_probability is None else music_probability
    if music < thresholds.not_music_below:
        return "not_music"
    is_sure = confidence >= thresholds.not_sure_below and music >= thresholds.doubt_music_below
    return "ok" if is_sure else "not_sure"
