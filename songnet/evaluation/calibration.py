"""Calibration: a temperature for the logits, a threshold for "not sure".

Conventions
-----------
- Logits are those of whole tracks: the mean of the logits of the windows, the
  same number that `songnet.inference.classifier` divides by the temperature.
- Both are chosen on tracks that the network did not learn from, and by artist
  apart from the tracks that are reported.
- A track is refused where its confidence, the highest calibrated probability,
  is below the threshold; at the threshold it is answered.

References
----------
.. [1] Guo, Pleiss, Sun, Weinberger: On calibration of modern neural networks.
   ICML 2017.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass

import numpy as np
import numpy.typing as npt
from scipy.optimize import minimize_scalar
from scipy.special import logsumexp, softmax

from songnet.evaluation.metrics import confidence_bins
from songnet.exceptions import ParameterError

__all__ = [
    "TEMPERATURE_RANGE",
    "NotSureThreshold",
    "apply_temperature",
    "choose_not_sure_threshold",
    "fit_temperature",
]

FloatArray = npt.NDArray[np.float64]

TEMPERATURE_RANGE = (0.05, 20.0)


@dataclass(frozen=True)
class NotSureThreshold:
    """A threshold of the confidence, and what it does to the tracks it came from.

    Parameters
    ----------
    threshold : float
        Refuse where the confidence is below; 0 refuses nothing.
    refused_share : float
        Refused tracks as a fraction of all.
    accuracy_kept : float
        Share of right answers among the tracks that are answered.
    accuracy_refused : float or None
        The same among the refused; None where nothing is refused.
    """

    threshold: float
    refused_share: float
    accuracy_kept: float
    accuracy_refused: float | None

    def to_dict(self) -> dict[str, float | None]:
        """Return the fields by name."""
        return asdict(self)


def fit_temperature(logits: npt.ArrayLike, y_true: npt.ArrayLike) -> float:
    """Find the temperature of least negative log-likelihood [1]_.

    Parameters
    ----------
    logits : array-like [shape=(n_tracks, n_genres), dtype=float]
    y_true : array-like [shape=(n_tracks,), dtype=int]
        Index of the true genre of each track.

    Returns
    -------
    temperature : float
        Within `TEMPERATURE_RANGE`; near its lower end if every track is right
        by a wide margin, near its upper end if the logits say nothing.

    Raises
    ------
    ParameterError
        If the shapes disagree, a logit is not finite or an index is no column.

    Notes
    -----
    The likelihood is concave in the inverse temperature, so there is one
    optimum, and a bounded search over the logarithm finds it.
    """
    z, truth = _check_logits(logits), np.asarray(y_true)
    if truth.shape != z.shape[:1] or not np.issubdtype(truth.dtype, np.integer):
        raise ParameterError(
            f"y_true has shape {truth.shape} and type {truth.dtype}; expected {len(z)} integers, "
            "the index of a genre for each row of logits."
        )
    if truth.min() < 0 or truth.max() >= z.shape[1]:
        raise ParameterError(
            f"y_true runs from {truth.min()} to {truth.max()}; expected indices from 0 to "
            f"{z.shape[1] - 1}, the columns of logits."
        )
    chosen = z[np.arange(truth.size), truth]

    def negative_log_likelihood(log_temperature: float) -> float:
        scale = np.exp(-log_temperature)
        return float(np.mean(logsumexp(z * scale, axis=1) - chosen * scale))

    low, high = np.log(TEMPERATURE_RANGE)
    found = minimize_scalar(
        negative_log_likelihood, bounds=(low, high), method="bounded", options={"xatol": 1e-6}
    )
    return float(np.clip(np.exp(found.x), *TEMPERATURE_RANGE))


def apply_temperature(logits: npt.ArrayLike, temperature: float) -> FloatArray:
    """Divide the logits by the temperature and apply the softmax.

    Parameters
    ----------
    logits : array-like [shape=(n_tracks, n_genres), dtype=float]
    temperature : float
        Above 0; more than 1 makes the probabilities more even.

    Returns
    -------
    probs : np.ndarray [shape=(n_tracks, n_genres), dtype=float64]
        Rows sum to 1. The order of the genres is that of the logits.

    Raises
    ------
    ParameterError
        If a logit is not finite or the temperature is not above 0.
    """
    if not (np.isfinite(temperature) and temperature > 0):
        raise ParameterError(f"The temperature is {temperature}; expected a number above 0.")
    return np.asarray(softmax(_check_logits(logits) / temperature, axis=1), dtype=np.float64)


def choose_not_sure_threshold(
    probs: npt.ArrayLike,
    y_true: npt.ArrayLike,
    *,
    max_refused_share: float = 0.1,
    max_refused_accuracy: float = 0.5,
) -> NotSureThreshold:
    """Choose the confidence below which the answer is "not sure".

    The rule: of all thresholds, the highest that satisfies both

    1. at most ``max_refused_share`` of the tracks are refused, and
    2. of the refused tracks, less than ``max_refused_accuracy`` would have
       been answered right;

    and 0, which refuses nothing, where none does. So a person seldom goes
    without an answer, and what is withheld would more often have been wrong
    than right. The threshold lies midway between the highest refused and the
    lowest kept confidence.

    Parameters
    ----------
    probs : array-like [shape=(n_tracks, n_genres), dtype=float]
        Calibrated probabilities of held-out tracks.
    y_true : array-like [shape=(n_tracks,), dtype=int]
    max_refused_share : float
        Within [0, 1).
    max_refused_accuracy : float
        Within [0, 1].

    Returns
    -------
    choice : NotSureThreshold

    Raises
    ------
    ParameterError
        If the data or a limit is invalid.
    """
    if not (0 <= max_refused_share < 1 and 0 <= max_refused_accuracy <= 1):
        raise ParameterError(
            f"max_refused_share is {max_refused_share} and max_refused_accuracy "
            f"{max_refused_accuracy}; expected fractions, the first below 1."
        )
    _, confidence, correct = confidence_bins(y_true, probs)
    order = np.argsort(confidence)
    ranked = confidence[order]
    # Entry i: the i + 1 least confident are refused. Equal confidences stay together.
    n_refused = np.arange(1, ranked.size)
    allowed = (
        (ranked[:-1] < ranked[1:])
        & (n_refused <= max_refused_share * ranked.size)
        & (np.cumsum(correct[order])[:-1] < max_refused_accuracy * n_refused)
    )
    threshold = 0.0
    if allowed.any():
        last = int(np.flatnonzero(allowed)[-1])
        # Midway, unless the two are neighbouring numbers and it rounds to the lower.
        midway = float(ranked[last : last + 2].mean())
        threshold = midway if midway > ranked[last] else float(ranked[last + 1])
    return _describe(threshold, confidence, correct)


def _describe(threshold: float, confidence: FloatArray, correct: FloatArray) -> NotSureThreshold:
    refused = confidence < threshold
    return NotSureThreshold(
        threshold=threshold,
        refused_share=float(refused.mean()),
        accuracy_kept=float(correct[~refused].mean()),
        accuracy_refused=float(correct[refused].mean()) if refused.any() else None,
    )


def _check_logits(logits: npt.ArrayLike) -> FloatArray:
    z = np.asarray(logits, dtype=np.float64)
    if z.ndim != 2 or z.shape[0] < 1 or z.shape[1] < 2 or not np.isfinite(z).all():
        raise ParameterError(
            f"logits has shape {z.shape}, {int((~np.isfinite(z)).sum())} values not finite; "
            "expected finite numbers of shape (n_tracks, n_genres), at least one track and two "
            "genres."
        )
    return z
