"""Where model and label disagree: confident mistakes, and labels that are likely wrong."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pandas as pd

from songnet.inference.collection import Collection

__all__ = ["confident_mistakes", "label_rows", "likely_label_errors"]

IntArray = npt.NDArray[np.int64]


def label_rows(collection: Collection) -> tuple[IntArray, IntArray]:
    """Return the tracks that have a prediction and whose label is a genre of the model.

    Returns
    -------
    rows : np.ndarray [shape=(n,), dtype=int64]
    labels : np.ndarray [shape=(n,), dtype=int64]
        Places of the labels in ``collection.genres``; case does not matter.
    """
    place = {genre.casefold(): i for i, genre in enumerate(collection.genres)}
    names = collection.frame["genre"].astype(object).str.casefold()
    labels = names.map(place).fillna(-1).to_numpy(dtype=np.int64)
    rows = collection.predicted_rows
    rows = rows[labels[rows] >= 0]
    return rows, labels[rows]


def confident_mistakes(collection: Collection) -> pd.DataFrame:
    """List the tracks that the model puts into another genre than their label, and is sure.

    Returns
    -------
    frame : pandas.DataFrame
        Rows of ``collection.frame``, most confident first.
    """
    rows, labels = label_rows(collection)
    wrong = collection.probs[rows].argmax(axis=1) != labels
    frame = collection.frame.iloc[rows[wrong]]
    frame = frame[frame["status"] == "ok"]
    return frame.sort_values("confidence", ascending=False, kind="stable")


def likely_label_errors(collection: Collection) -> pd.DataFrame:
    """List the tracks whose label is likely wrong, by confident learning.

    A genre's threshold is the mean probability that the model gives to it over
    the tracks labelled so. A label is suspected where the model is at least so
    sure of another genre, and less sure of the label. [1]_

    Returns
    -------
    frame : pandas.DataFrame
        Rows of ``collection.frame`` with ``suggested`` (a genre) and ``margin``
        (its probability less that of the label), greatest margin first.

    References
    ----------
    .. [1] Northcutt, C., Jiang, L. & Chuang, I. "Confident learning: estimating
       uncertainty in dataset labels", JAIR 70, 2021.
    """
    rows, labels = label_rows(collection)
    probs = collection.probs[rows].astype(np.float64)
    n_genres = len(collection.genres)
    own = probs[np.arange(len(rows)), labels]
    counts = np.bincount(labels, minlength=n_genres)
    sums = np.bincount(labels, weights=own, minlength=n_genres)
    # A genre that labels no track cannot be suggested.
    thresholds = np.where(counts > 0, sums / np.maximum(counts, 1), np.inf)
    candidates = np.where(probs >= thresholds, probs, -1.0)
    suggested = candidates.argmax(axis=1)
    margin = candidates.max(axis=1) - own
    suspected = (suggested != labels) & (margin > 0)
    order = np.flatnonzero(suspected)[np.argsort(-margin[suspected], kind="stable")]
    names = np.asarray(collection.genres, dtype=object)
    return collection.frame.iloc[rows[order]].assign(
        suggested=names[suggested[order]], margin=margin[order]
    )
