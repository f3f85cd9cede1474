"""Splits that keep each artist on one side and each genre on both."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import numpy.typing as npt

from songnet.datasets.base import Dataset, Track
from songnet.exceptions import DatasetError, ParameterError

__all__ = ["assign_folds", "assign_random_split", "draw_groups", "hold_out_groups"]

_Counts = npt.NDArray[np.float64]


def hold_out_groups(
    tracks: Sequence[Track], *, share: float, seed: int
) -> tuple[tuple[Track, ...], tuple[Track, ...]]:
    """Hold out a share of the tracks of every genre, whole groups at a time.

    Where tracks have an official validation split, it is held out instead.

    Parameters
    ----------
    tracks : sequence of Track
    share : float
        Share of the tracks of each genre to hold out, between 0 and 1; met as
        closely as whole groups allow.
    seed : int

    Returns
    -------
    train, held_out : tuple of Track
        In the given order. No group is on both sides, and every genre has a
        track in ``train``; a genre has one in ``held_out`` too if a group of
        it can be spared.

    Raises
    ------
    ParameterError
        If ``share`` is not between 0 and 1, or there is no track.
    """
    if any(track.split == "validation" for track in tracks):
        return (
            tuple(track for track in tracks if track.split != "validation"),
            tuple(track for track in tracks if track.split == "validation"),
        )
    return draw_groups(tracks, share=share, seed=seed)


def draw_groups(
    tracks: Sequence[Track], *, share: float, seed: int
) -> tuple[tuple[Track, ...], tuple[Track, ...]]:
    """Draw a share of the tracks of every genre, as `hold_out_groups` without an official split.

    Parameters, errors: see `hold_out_groups`.

    Returns
    -------
    rest, drawn : tuple of Track
    """
    if not 0 < share < 1:
        raise ParameterError(f"share is {share}; expected a number between 0 and 1, as 0.1.")
    if not tracks:
        raise ParameterError("There is no track to split; expected at least one.")
    groups, counts = _count_groups(tracks)
    per_genre = counts.sum(axis=0)
    order = np.random.default_rng(seed).permutation(len(groups))
    held = np.zeros(len(groups), bool)
    for index in order:
        if _is_spared(counts, held, index) and _excess(counts, held, index, share * per_genre) < 0:
            held[index] = True
    for genre in np.argsort(per_genre, kind="stable"):
        if counts[held, genre].any():
            continue
        spared = [i for i in order if counts[i, genre] and _is_spared(counts, held, i)]
        if spared:
            held[min(spared, key=lambda i: _excess(counts, held, i, share * per_genre))] = True
    names = {group for group, is_held in zip(groups, held, strict=True) if is_held}
    return (
        tuple(track for track in tracks if track.group not in names),
        tuple(track for track in tracks if track.group in names),
    )


def assign_folds(dataset: Dataset, *, n_folds: int, seed: int) -> Dataset:
    """Number the tracks by group-disjoint folds with similar genres.

    Parameters
    ----------
    dataset : Dataset
    n_folds : int
    seed : int

    Returns
    -------
    dataset : Dataset
        The same tracks in the same order, each with a fold from 0 to
        ``n_folds - 1``; no fold is empty.

    Raises
    ------
    ParameterError
        If ``n_folds`` is less than 2.
    DatasetError
        If there are fewer groups than folds.
    """
    if n_folds < 2:
        raise ParameterError(f"n_folds is {n_folds}; expected at least 2.")
    groups, counts = _count_groups(dataset.tracks)
    if len(groups) < n_folds:
        raise DatasetError(
            f"The data set {dataset.name!r} has {len(groups)} groups (artists); {n_folds} folds "
            f"need at least {n_folds}. Use fewer folds or add artists."
        )
    shares = counts / counts.sum(axis=0)
    shuffled = np.random.default_rng(seed).permutation(len(groups))
    largest_first = shuffled[np.argsort(-shares[shuffled].sum(axis=1), kind="stable")]
    filled = np.zeros((n_folds, shares.shape[1]))
    folds: dict[str, int] = {}
    for index in largest_first:
        overlap = (filled * shares[index]).sum(axis=1)
        fold = int(np.lexsort((filled.sum(axis=1), overlap))[0])
        filled[fold] += shares[index]
        folds[groups[index]] = fold
    return dataset.with_tracks(replace(track, fold=folds[track.group]) for track in dataset)


def assign_random_split(dataset: Dataset, *, seed: int) -> Dataset:
    """Split the tracks at random, 80 : 10 : 10 in every genre, whoever made them.

    An artist, even an album, is then on several sides, so figures come out too
    good; it is for comparing with work that was evaluated so.

    Parameters
    ----------
    dataset : Dataset
    seed : int

    Returns
    -------
    dataset : Dataset
        The same tracks in the same order, each a group of its own.
    """
    order = np.random.default_rng(seed).permutation(len(dataset))
    by_genre = sorted(order, key=lambda index: dataset.tracks[index].genre)
    sides = {4: "validation", 9: "test"}
    split_of = {index: sides.get(place % 10, "train") for place, index in enumerate(by_genre)}
    return dataset.with_tracks(
        replace(track, split=split_of[index], group=f"track:{track.track_id}")
        for index, track in enumerate(dataset)
    )


def _count_groups(tracks: Sequence[Track]) -> tuple[list[str], _Counts]:
    """Return the sorted groups and their tracks of each genre, a row a group."""
    groups = sorted({track.group for track in tracks})
    genres = sorted({track.genre for track in tracks})
    rows = {group: row for row, group in enumerate(groups)}
    columns = {genre: column for column, genre in enumerate(genres)}
    counts = np.zeros((len(groups), len(genres)))
    for track in tracks:
        counts[rows[track.group], columns[track.genre]] += 1
    return groups, counts


def _is_spared(counts: _Counts, held: npt.NDArray[np.bool_], index: int) -> bool:
    """Whether every genre of the group keeps another group for training."""
    others = ~held
    others[index] = False
    return bool((counts[others].sum(axis=0) > 0)[counts[index] > 0].all())


def _excess(counts: _Counts, held: npt.NDArray[np.bool_], index: int, target: _Counts) -> float:
    """How much farther from the target the genres are with the group held out."""
    before = counts[held].sum(axis=0)
    after = before + counts[index]
    return float(((((after - target) / target) ** 2) - ((before - target) / target) ** 2).sum())
