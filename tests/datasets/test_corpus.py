"""The corpus loader, on a small manifest and on the corpus itself."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest
from scipy.signal import correlate

from songnet.datasets.base import Dataset, file_sha256
from songnet.datasets.corpus import find_corpus, load_corpus, load_originals
from songnet.exceptions import DatasetError
from songnet.signal.audio import load_audio

COLUMNS = (
    *("clip_id", "file", "genre", "fold", "evaluate", "kind", "group", "artist", "title", "album"),
    *("year", "licence", "source", "source_id", "source_tags", "seconds", "sha256"),
)


def make_row(number: int, **changes: str) -> dict[str, str]:
    row = dict.fromkeys(COLUMNS, "")
    row |= {
        "clip_id": f"clip{number}",
        "file": f"clips/{number}.ogg",
        "genre": ("Jazz", "Rock")[number % 2],
        "fold": str(number % 5),
        "evaluate": "1",
        "group": f"artist {number}",
        "year": "1975",
        "seconds": "30.0",
    }
    return row | changes


def write_csv(path: Path, rows: list[dict[str, str]]) -> None:
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)


@pytest.fixture
def small(tmp_path: Path) -> Path:
    (tmp_path / "clips").mkdir()
    rows = []
    for number in range(4):
        path = tmp_path / "clips" / f"{number}.ogg"
        path.write_bytes(f"clip {number}".encode())
        rows.append(make_row(number, sha256=file_sha256(path)))
    rows[3] |= {"evaluate": "0", "year": "", "title": 'Ça, "va"'}
    write_csv(tmp_path / "manifest.csv", rows)
    original = {"clip_id": "clip1", "file": "originals/1.mp3"}
    write_csv(tmp_path / "originals.csv", [original])
    return tmp_path


def test_rows_become_tracks(small: Path) -> None:
    dataset = load_corpus(small)
    assert dataset.name == "corpus"
    assert [t.track_id for t in dataset] == ["clip0", "clip1", "clip2", "clip3"]
    assert dataset.genres == ("Jazz", "Rock")
    assert dataset.folds == (0, 1, 2, 3)
    assert [t.evaluate for t in dataset] == [True, True, True, False]
    first, *_, last = dataset
    assert (first.year, first.group, first.duration_seconds) == (1975, "artist 0", 30.0)
    assert first.path == small / "clips" / "0.ogg"
    assert (last.year, last.title) == (None, 'Ça, "va"')
    dataset.verify()


def test_variable_names_the_folder(small: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SONGNET_CORPUS", str(small))
    assert find_corpus() == small
    assert len(load_corpus()) == 4
    with pytest.raises(DatasetError, match="has no manifest"):
        load_corpus(small / "clips")


def test_originals_are_twins_of_their_clips(small: Path) -> None:
    (track,) = load_originals(small)
    assert (track.track_id, track.genre, track.fold) == ("clip1", "Rock", 1)
    assert track.path == small / "originals" / "1.mp3"


@pytest.mark.parametrize("change", [{"fold": "first"}, {"year": "MMX"}, {"seconds": ""}])
def test_a_row_that_cannot_be_read_is_named(tmp_path: Path, change: dict[str, str]) -> None:
    write_csv(tmp_path / "manifest.csv", [make_row(0), make_row(1, **change)])
    with pytest.raises(DatasetError, match=r"a row that cannot be read.*clip1"):
        load_corpus(tmp_path)


def test_a_missing_column_is_named(tmp_path: Path) -> None:
    row = make_row(0)
    del row["group"]
    write_csv(tmp_path / "manifest.csv", [row])
    with pytest.raises(DatasetError, match=r"KeyError.*group"):
        load_corpus(tmp_path)


def test_repeated_ids_and_an_empty_manifest_are_refused(tmp_path: Path) -> None:
    write_csv(tmp_path / "manifest.csv", [make_row(0), make_row(0)])
    with pytest.raises(DatasetError, match=r"\['clip0'\] more than once"):
        load_corpus(tmp_path)
    (tmp_path / "manifest.csv").write_text(",".join(COLUMNS) + "\n")
    with pytest.raises(DatasetError, match="has no track; expected at least one"):
        load_corpus(tmp_path)


def test_verify_names_what_is_missing_or_changed(small: Path) -> None:
    dataset = load_corpus(small)
    (small / "clips" / "0.ogg").write_bytes(b"changed")
    (small / "clips" / "2.ogg").unlink()
    with pytest.raises(DatasetError, match=r"2 of 4 files .*\(0\.ogg, 2\.ogg\); fetch"):
        dataset.verify()


def test_hash_is_of_the_contents_not_of_the_order_or_place(small: Path) -> None:
    dataset = load_corpus(small)
    backwards = dataset.with_tracks(reversed(dataset.tracks))
    assert backwards.hash == dataset.hash
    assert dataset.select(lambda track: track.evaluate).hash != dataset.hash
    assert len(dataset.hash) == 64


@pytest.fixture
def corpus(corpus_root: Path) -> Dataset:
    return load_corpus(corpus_root)


@pytest.mark.corpus
def test_corpus_is_what_its_readme_says(corpus: Dataset) -> None:
    assert sum(t.evaluate for t in corpus) == 1237
    assert sum(not t.evaluate for t in corpus) == 180
    assert len(corpus.genres) == 10
    assert corpus.folds == (0, 1, 2, 3, 4)
    assert sum(t.genre == "Rock" and t.evaluate for t in corpus) == 322


@pytest.mark.corpus
def test_corpus_folds_are_artist_disjoint(corpus: Dataset) -> None:
    assert all(t.group for t in corpus)
    assert len({(t.group, t.fold) for t in corpus}) == len({t.group for t in corpus})


@pytest.mark.corpus
def test_originals_are_the_same_music(corpus_root: Path, corpus: Dataset) -> None:
    originals = load_originals(corpus_root)
    assert len(originals) == 50
    twins = {t.track_id: t for t in corpus}
    for track in originals.tracks[::20]:
        y, _ = load_audio(track.path, sr=16_000)
        twin, _ = load_audio(twins[track.track_id].path, sr=16_000)
        # Codecs delay: an MP3 without a LAME header by up to a frame.
        overlap = np.abs(correlate(y, twin, method="fft"))
        assert overlap.max() / np.linalg.norm(y) / np.linalg.norm(twin) > 0.9
        assert abs(int(overlap.argmax()) - twin.size + 1) < 0.05 * 16_000
