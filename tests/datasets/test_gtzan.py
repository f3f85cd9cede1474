"""The GTZAN loader, on generated clips in both layouts."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import pytest

from songnet.datasets.gtzan import GTZAN_GENRES, SPLIT_LISTS, load_gtzan
from songnet.exceptions import DatasetError
from tests.encoders import encode_soundfile, noise


def write_gtzan(audio: Path, *, kind: str = "AU", n_clips: int = 3) -> None:
    for genre in GTZAN_GENRES:
        for number in range(n_clips):
            path = audio / genre / f"{genre}.{number:05d}.{kind.lower()}"
            path.parent.mkdir(parents=True, exist_ok=True)
            seed = sum(map(ord, genre)) * 100 + number
            path.write_bytes(encode_soundfile(noise(seconds=0.5, seed=seed), sr=22_050, kind=kind))


def write_lists(root: Path, **lines: Iterable[str]) -> None:
    for split, name in SPLIT_LISTS.items():
        text = "".join(f"{i.partition('.')[0]}/{i}.wav\n" for i in lines[split])
        (root / name).write_text(text)


@pytest.mark.parametrize(
    ("place", "kind"), [("genres", "AU"), ("Data/genres_original", "WAV"), (".", "WAV")]
)
def test_official_and_kaggle_layout(tmp_path: Path, place: str, kind: str) -> None:
    write_gtzan(tmp_path / place, kind=kind)
    dataset = load_gtzan(tmp_path)
    assert len(dataset) == 30
    assert dataset.genres == tuple(sorted(GTZAN_GENRES.values()))
    assert dataset.tracks[0].track_id == "blues.00000"
    assert dataset.tracks[0].duration_seconds == pytest.approx(16_000 / 22_050 / 2)
    assert (dataset.folds, dataset.splits) == ((), ())
    assert len({t.group for t in dataset}) == 30


def test_a_clip_in_both_formats_counts_once(tmp_path: Path) -> None:
    write_gtzan(tmp_path / "genres", kind="AU")
    write_gtzan(tmp_path / "genres", kind="WAV", n_clips=4)
    suffixes = [t.path.suffix for t in load_gtzan(tmp_path)]
    assert (suffixes.count(".au"), suffixes.count(".wav")) == (30, 10)


def test_the_broken_clip_is_recorded_and_skipped(tmp_path: Path) -> None:
    write_gtzan(tmp_path / "genres", kind="WAV")
    (tmp_path / "genres" / "jazz" / "jazz.00054.wav").write_bytes(b"\x00" * 1000)
    (tmp_path / "genres" / "jazz" / "notes.wav").write_bytes(b"other files are not clips")
    dataset = load_gtzan(tmp_path)
    assert len(dataset) == 30
    assert list(dataset.skipped) == ["jazz.00054"]


def test_lists_give_the_split_and_leave_out_the_rest(tmp_path: Path) -> None:
    write_gtzan(tmp_path / "genres")
    write_lists(
        tmp_path,
        train=[f"{genre}.00000" for genre in GTZAN_GENRES],
        validation=[f"{genre}.00001" for genre in GTZAN_GENRES if genre != "jazz"],
        test=["jazz.00001", "jazz.00099"],
    )
    dataset = load_gtzan(tmp_path)
    assert [sum(t.split == s for t in dataset) for s in SPLIT_LISTS] == [10, 9, 1]
    assert dataset.skipped["jazz.00099"] == "its file is missing"
    assert dataset.skipped["rock.00002"] == "the fault-filtered lists leave it out"
    assert len(dataset.skipped) == 11


def test_lists_that_overlap_or_lack_one_are_refused(tmp_path: Path) -> None:
    write_gtzan(tmp_path / "genres")
    write_lists(tmp_path, train=["rock.00000"], validation=["pop.00000"], test=["rock.00000"])
    with pytest.raises(DatasetError, match=r"rock\.00000 is in two lists"):
        load_gtzan(tmp_path)
    (tmp_path / SPLIT_LISTS["test"]).unlink()
    with pytest.raises(DatasetError, match="the split needs all of"):
        load_gtzan(tmp_path)


def test_artists_give_groups_and_disjoint_folds(tmp_path: Path) -> None:
    write_gtzan(tmp_path / "genres")
    lines = [f"{g}.{n:05d},{g} band {n // 2}" for g in GTZAN_GENRES for n in range(3)]
    (tmp_path / "artists.csv").write_text("\n".join(["track_id,artist", *lines[:-1], ""]))
    dataset = load_gtzan(tmp_path)
    assert dataset.folds == (0, 1, 2, 3, 4)
    groups = {t.track_id: t.group for t in dataset}
    assert groups["blues.00000"] == groups["blues.00001"] == "artist:blues band 0"
    assert groups["rock.00002"] == "track:rock.00002"
    folds = {t.group: t.fold for t in dataset}
    assert all(folds[t.group] == t.fold for t in dataset)
    (tmp_path / "artists.csv").write_text("file,name\na,b\n")
    with pytest.raises(DatasetError, match="needs the columns track_id and artist"):
        load_gtzan(tmp_path)


def test_no_audio_says_what_to_fetch(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match="run `songnet data download gtzan`"):
        load_gtzan(tmp_path)
    for genre in GTZAN_GENRES:
        (tmp_path / "genres" / genre).mkdir(parents=True)
    with pytest.raises(DatasetError, match="holds no clip such as"):
        load_gtzan(tmp_path)
