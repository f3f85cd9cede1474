"""Is one model better than another? Paired tests on the same tracks.

McNemar's exact test [1]_ counts the tracks that only one of two models names
right. It takes tracks as independent, which those of one artist are not: the
bootstrap of the difference draws whole artists instead. Both p-values are
corrected by Holm's method [2]_ for the number of comparisons.

References
----------
.. [1] McNemar, Q. "Note on the sampling error of the difference between
   correlated proportions or percentages", Psychometrika 12 (1947).
.. [2] Holm, S. "A simple sequentially rejective multiple test procedure",
   Scandinavian Journal of Statistics 6 (1979).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import lru_cache
from typing import Any

import numpy as np
import numpy.typing as npt

from songnet.evaluation.intervals import CONFIDENCE, Interval, group_indices
from songnet.evaluation.metrics import validate
from songnet.exceptions import ParameterError

__all__ = [
    "N_RESAMPLES",
    "Comparison",
    "accuracy_difference",
    "compare_models",
    "holm",
    "mcnemar_exact",
    "mcnemar_exact_of_counts",
]

BoolArray = npt.NDArray[np.bool_]
# The smallest p-value that they can show must outlast Holm's correction for all pairs of models.
N_RESAMPLES = 100_000
_DRAWN_AT_ONCE = 10_000


@dataclass(frozen=True)
class Comparison:
    """A model beside the reference, on the same tracks.

    Parameters
    ----------
    model, reference : str
    only_model, only_reference : int
        Tracks that only one of the two names right.
    difference : Interval
        Accuracy of the model minus that of the reference, a fraction.
    p_mcnemar, p_bootstrap : float
        Two-sided, uncorrected.
    p_mcnemar_holm, p_bootstrap_holm : float
        Corrected for all comparisons made together.
    """

    model: str
    reference: str
    only_model: int
    only_reference: int
    difference: Interval
    p_mcnemar: float
    p_bootstrap: float
    p_mcnemar_holm: float
    p_bootstrap_holm: float

    def to_dict(self) -> dict[str, Any]:
        """Return the fields as plain types."""
        return asdict(self)


def mcnemar_exact(is_right_a: BoolArray, is_right_b: BoolArray) -> float:
    """Two-sided exact p-value of McNemar's test.

    Parameters
    ----------
    is_right_a, is_right_b : np.ndarray [shape=(n_tracks,), dtype=bool]
        Whether each model names each track right.

    Returns
    -------
    p : float
        1 where the models never differ.
    """
    return mcnemar_exact_of_counts(
        int(np.sum(is_right_a & ~is_right_b)), int(np.sum(~is_right_a & is_right_b))
    )


def mcnemar_exact_of_counts(only_a: int, only_b: int) -> float:
    """`mcnemar_exact` of the numbers of tracks that only one of two models names right."""
    from scipy.stats import binomtest

    if only_a + only_b == 0:
        return 1.0
    return float(binomtest(only_a, only_a + only_b, 0.5).pvalue)


def accuracy_difference(
    is_right_a: BoolArray,
    is_right_b: BoolArray,
    groups: Sequence[object] | npt.NDArray[np.generic],
    *,
    n_resamples: int = N_RESAMPLES,
    seed: int = 0,
) -> tuple[Interval, float]:
    """Accuracy of ``a`` minus that of ``b``, with an interval over artists.

    Parameters
    ----------
    is_right_a, is_right_b : np.ndarray [shape=(n_tracks,), dtype=bool]
    groups : sequence [length=n_tracks]
        The artist of each track; at least two different ones.
    n_resamples, seed : int

    Returns
    -------
    difference : Interval
        Of 95 %, between percentiles of the resampled differences.
    p : float
        Two-sided: twice the share of resamples on the other side of 0, with
        one resample added, so that it is never 0.

    Raises
    ------
    ParameterError
        If there is not one group a track, or only one group.
    """
    group_of, n_groups = group_indices(groups, n_tracks=is_right_a.size)
    if n_groups < 2:
        raise ParameterError(f"groups names {n_groups} group; a bootstrap needs at least 2.")
    gain = np.bincount(group_of, is_right_a.astype(float) - is_right_b, n_groups)
    size = np.bincount(group_of, minlength=n_groups)
    sums = _draws(n_groups, n_resamples, seed) @ np.stack([gain, size], axis=1).astype(np.float32)
    resampled = sums[:, 0].astype(float) / sums[:, 1]  # whole numbers: exact in float32
    tail = (1 - CONFIDENCE) / 2
    low, high = np.quantile(resampled, [tail, 1 - tail])
    other_side = min(int(np.sum(resampled <= 0)), int(np.sum(resampled >= 0)))
    p = min(1.0, 2 * (other_side + 1) / (n_resamples + 1))
    return Interval(float(gain.sum() / size.sum()), float(low), float(high)), p


@lru_cache(maxsize=1)
def _draws(n_groups: int, n_resamples: int, seed: int) -> npt.NDArray[np.float32]:
    """How often each group is drawn, shape (n_resamples, n_groups); the same for all models."""
    rng = np.random.default_rng(seed)
    draws = np.empty((n_resamples, n_groups), np.float32)
    for part in np.array_split(draws, max(1, n_resamples // _DRAWN_AT_ONCE)):
        part[:] = rng.multinomial(n_groups, np.full(n_groups, 1 / n_groups), size=len(part))
    draws.setflags(write=False)
    return draws


def holm(p_values: Sequence[float]) -> list[float]:
    """Correct p-values for their number by Holm's step-down method.

    Parameters
    ----------
    p_values : sequence of float

    Returns
    -------
    corrected : list of float
        In the given order, at most 1.
    """
    order = np.argsort(p_values, kind="stable")
    corrected = np.empty(len(p_values))
    highest = 0.0
    for rank, index in enumerate(order):
        highest = max(highest, min(1.0, p_values[index] * (len(p_values) - rank)))
        corrected[index] = highest
    return [float(p) for p in corrected]


def compare_models(
    y_true: npt.ArrayLike,
    probs: Mapping[str, npt.ArrayLike],
    groups: Sequence[object] | npt.NDArray[np.generic],
    *,
    reference: str,
    n_resamples: int = N_RESAMPLES,
    seed: int = 0,
) -> list[Comparison]:
    """Compare every model with a reference.

    Parameters
    ----------
    y_true : array-like [shape=(n_tracks,), dtype=int]
    probs : mapping of str to array-like [shape=(n_tracks, n_genres)]
        By model, the rows in the same order for all.
    groups : sequence [length=n_tracks]
    reference : str
        One of the models.
    n_resamples, seed : int

    Returns
    -------
    comparisons : list of Comparison
        One for each other model, in the order of ``probs``.

    Raises
    ------
    ParameterError
        If the data are invalid, or ``reference`` is not among them.
    """
    if reference not in probs:
        raise ParameterError(f"There is no model {reference!r}; expected one of {list(probs)}.")
    is_right: dict[str, BoolArray] = {}
    for name, values in probs.items():
        truth, p = validate(y_true, values)
        is_right[name] = p.argmax(axis=1) == truth
    theirs = is_right.pop(reference)
    bootstraps = {
        name: accuracy_difference(mine, theirs, groups, n_resamples=n_resamples, seed=seed)
        for name, mine in is_right.items()
    }
    p_mcnemar = [mcnemar_exact(mine, theirs) for mine in is_right.values()]
    p_bootstrap = [p for _, p in bootstraps.values()]
    corrected = zip(holm(p_mcnemar), holm(p_bootstrap), strict=True)
    return [
        Comparison(
            model=name,
            reference=reference,
            only_model=int(np.sum(mine & ~theirs)),
            only_reference=int(np.sum(~mine & theirs)),
            difference=bootstraps[name][0],
            p_mcnemar=p,
            p_bootstrap=bootstraps[name][1],
            p_mcnemar_holm=mcnemar_holm,
            p_bootstrap_holm=bootstrap_holm,
        )
        for (name, mine), p, (mcnemar_holm, bootstrap_holm) in zip(
            is_right.items(), p_mcnemar, corrected, strict=True
        )
    ]
