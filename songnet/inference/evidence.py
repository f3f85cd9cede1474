"""Why this genre? What each moment said, exactly; it needs no more than the prediction."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from songnet.exceptions import ParameterError
from songnet.inference.prediction import Prediction

__all__ = ["evidence_for", "genre_index"]

FloatArray = npt.NDArray[np.float64]


def evidence_for(prediction: Prediction, genre: str, *, against: str | None = None) -> FloatArray:
    """What each moment said for a genre and against the others, exactly.

    A genre's evidence alone says little: adding the same to all genres changes
    no probability. Here the sum over time is the log-odds:
    ``ln P(genre) - ln P(against)``.

    Parameters
    ----------
    prediction : Prediction
    genre : str
    against : str, optional
        Another genre; without it all others, as the mean of their logarithms.

    Returns
    -------
    evidence : np.ndarray [shape=(n_moments,), dtype=float64]
        Positive where a moment spoke for ``genre``; at the moments
        ``prediction.evidence.seconds``.

    Raises
    ------
    ParameterError
        If a genre is unknown, or both are the same.
    """
    index = genre_index(prediction.genres, genre)
    contributions = prediction.evidence.contributions
    if against is None:
        others = np.delete(contributions, index, axis=1).mean(axis=1)
    else:
        if against == genre:
            raise ParameterError(f"Both genres are {genre!r}; choose two different ones.")
        others = contributions[:, genre_index(prediction.genres, against)]
    evidence: FloatArray = contributions[:, index] - others
    return evidence


def genre_index(genres: tuple[str, ...], genre: str) -> int:
    """Return the place of a genre.

    Raises
    ------
    ParameterError
        If the genre is unknown.
    """
    if genre not in genres:
        raise ParameterError(f"There is no genre {genre!r}; expected one of {list(genres)}.")
    return genres.index(genre)
