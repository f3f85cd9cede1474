"""Splits never tear a group apart."""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from songnet.datasets.base import Dataset, Track
from songnet.datasets.corpus import load_corpus
from songnet.datasets.splits import assign_folds, assign_random_split, draw_groups, hold_out_groups
from songnet.exceptions import DatasetError, ParameterError

quick = settings(max_examples=60, deadline=None)


def make_tracks(pairs: list[tuple[int, int]]) -> tuple[Track, ...]:
    """Tracks of (genre, group) pairs; a group may have several genres."""
    return tuple(
        Track(track_id=str(i), path=Path(str(i)), genre=f"genre {genre}", group=f"group {group}")
        for i, (genre, group) in enumerate(pairs)
    )


any_tracks = st.lists(
    st.tuples(st.integers(0, 4), st.integers(0, 15)), min_size=1, max_size=80
).map(make_tracks)
shares = st.floats(0.05, 0.5)
seeds = st.integers(0, 1_000)


def groups_of(tracks: tuple[Track, ...]) -> dict[str, set[str]]:
    groups = defaultdict(set)
    for track in tracks:
        groups[track.genre].add(track.group)
    return groups


@quick
@given(tracks=any_tracks, share=shares, seed=seeds)
def test_hold_out_keeps_groups_whole_and_genres_in_training(
    tracks: tuple[Track, ...], share: float, seed: int
) -> None:
    train, held_out = hold_out_groups(tracks, share=share, seed=seed)
    assert sorted(train + held_out, key=lambda t: int(t.track_id)) == list(tracks)
    assert not {t.group for t in train} & {t.group for t in held_out}
    assert {t.genre for t in train} == {t.genre for t in tracks}


@quick
@given(
    sizes=st.lists(st.lists(st.integers(1, 9), min_size=2, max_size=12), min_size=1, max_size=5),
    share=shares,
    seed=seeds,
)
def test_every_genre_with_two_groups_is_on_both_sides(
    sizes: list[list[int]], share: float, seed: int
) -> None:
    pairs = [
        (genre, 100 * genre + group)
        for genre, groups in enumerate(sizes)
        for group, n in enumerate(groups)
        for _ in range(n)
    ]
    train, held_out = hold_out_groups(make_tracks(pairs), share=share, seed=seed)
    assert set(groups_of(train)) == set(groups_of(held_out)) == {t.genre for t in train + held_out}


@pytest.mark.parametrize("share", [0.1, 0.2, 0.5])
@pytest.mark.parametrize("seed", range(5))
def test_share_is_met_in_every_genre(share: float, seed: int) -> None:
    pairs = [(genre, 100 * genre + i // 2) for genre in range(3) for i in range(40 * (genre + 1))]
    _, held_out = hold_out_groups(make_tracks(pairs), share=share, seed=seed)
    for genre in range(3):
        n = sum(track.genre == f"genre {genre}" for track in held_out)
        assert n == pytest.approx(share * 40 * (genre + 1), abs=2)


def test_hold_out_is_repeated_by_the_seed_and_differs_without() -> None:
    tracks = make_tracks([(i % 3, i // 2) for i in range(120)])
    splits = [hold_out_groups(tracks, share=0.2, seed=seed)[1] for seed in (1, 1, 2)]
    assert splits[0] == splits[1] != splits[2]
    shuffled = tuple(reversed(tracks))
    assert set(hold_out_groups(shuffled, share=0.2, seed=1)[1]) == set(splits[0])


@pytest.mark.parametrize("share", [0.0, 1.0, -0.1, 12])
def test_impossible_share_is_refused(share: float) -> None:
    with pytest.raises(ParameterError, match=f"share is {share}; expected .* between 0 and 1"):
        hold_out_groups(make_tracks([(0, 0), (0, 1)]), share=share, seed=0)


def test_nothing_to_split_is_refused() -> None:
    with pytest.raises(ParameterError, match="no track to split"):
        hold_out_groups((), share=0.1, seed=0)


@quick
@given(tracks=any_tracks, n_folds=st.integers(2, 6), seed=seeds)
def test_folds_keep_groups_whole_and_are_never_empty(
    tracks: tuple[Track, ...], n_folds: int, seed: int
) -> None:
    dataset = Dataset("test", tracks, citation="someone", licence="CC0-1.0")
    if len({t.group for t in tracks}) < n_folds:
        with pytest.raises(DatasetError, match=f"{n_folds} folds need at least {n_folds}"):
            assign_folds(dataset, n_folds=n_folds, seed=seed)
        return
    folded = assign_folds(dataset, n_folds=n_folds, seed=seed)
    assert folded.folds == tuple(range(n_folds))
    assert [t.track_id for t in folded] == [t.track_id for t in tracks]
    assert (folded.citation, folded.licence) == ("someone", "CC0-1.0")
    folds = defaultdict(set)
    for track in folded:
        folds[track.group].add(track.fold)
    assert all(len(numbers) == 1 for numbers in folds.values())
    assert assign_folds(dataset, n_folds=n_folds, seed=seed) == folded


def test_folds_have_similar_genres() -> None:
    pairs = [(genre, 100 * genre + i // 3) for genre in range(4) for i in range(60)]
    folded = assign_folds(Dataset("test", make_tracks(pairs)), n_folds=5, seed=3)
    for genre in folded.genres:
        counts = [sum(t.genre == genre and t.fold == fold for t in folded) for fold in range(5)]
        assert counts == [12] * 5


def test_one_fold_is_refused() -> None:
    with pytest.raises(ParameterError, match="n_folds is 1; expected at least 2"):
        assign_folds(Dataset("test", make_tracks([(0, 0)])), n_folds=1, seed=0)


@pytest.mark.corpus
def test_hold_out_of_the_corpus(corpus_root: Path) -> None:
    tracks = tuple(t for t in load_corpus(corpus_root) if t.fold != 0)
    for seed in range(3):
        train, held_out = hold_out_groups(tracks, share=0.12, seed=seed)
        assert 0.1 < len(held_out) / len(tracks) < 0.16
        assert {t.genre for t in train} == {t.genre for t in held_out}


def test_an_official_validation_split_is_what_is_held_out() -> None:
    sides = ("train", "validation", "train")
    tracks = tuple(
        replace(track, split=sides[i % 3]) for i, track in enumerate(make_tracks([(0, 0)] * 9))
    )
    learned, held_out = hold_out_groups(tracks, share=0.5, seed=0)
    assert [t.track_id for t in held_out] == ["1", "4", "7"]
    assert [t.track_id for t in learned] == ["0", "2", "3", "5", "6", "8"]


def test_a_share_is_drawn_whatever_the_official_split_is() -> None:
    tracks = [
        replace(track, split="train" if i % 5 else "validation")
        for i, track in enumerate(make_tracks([(0, group) for group in range(40)]))
    ]
    sizes = [len(draw_groups(tracks, share=share, seed=0)[1]) for share in (0.25, 0.5)]
    assert sizes == [10, 20]


def test_a_random_split_has_the_same_shares_of_every_genre() -> None:
    dataset = Dataset("d", make_tracks([(i % 4, i % 3) for i in range(400)]))
    split = assign_random_split(dataset, seed=1)
    assert [t.track_id for t in split] == [t.track_id for t in dataset]
    for genre in dataset.genres:
        sides = Counter(t.split for t in split if t.genre == genre)
        assert sides == {"train": 80, "validation": 10, "test": 10}
    assert len({t.group for t in split}) == 400
    assert assign_random_split(dataset, seed=1) == split
    assert assign_random_split(dataset, seed=2) != split
    assert split.splits == ("train", "validation", "test")
