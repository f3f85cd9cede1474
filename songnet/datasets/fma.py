"""FMA, the Free Music Archive data set of Defferrard et al.

Subsets small (8 genres), medium (16), large and full. Genres are the
top-level ones, splits the official ones, which keep each artist on one side.

References
----------
.. [1] M. Defferrard, K. Benzi, P. Vandergheynst, X. Bresson, "FMA: A Dataset
   for Music Analysis", ISMIR 2017.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from songnet.datasets.audio_files import FileFacts, inspect_files
from songnet.datasets.base import Dataset, Track
from songnet.datasets.checksums import read_checksums, verify_checksums
from songnet.datasets.fma_metadata import FmaEntry, read_fma_metadata
from songnet.exceptions import DatasetError

__all__ = ["BROKEN_IDS", "FMA_SUBSETS", "clip_name", "load_fma", "load_fma_metadata", "verify_fma"]

FMA_SUBSETS = ("small", "medium", "large", "full")
BROKEN_IDS = {
    98565: "known to be too short",
    98567: "known to be too short",
    98569: "known to be too short",
    99134: "known to hold no audio",
    108925: "known to hold no audio",
    133297: "known to hold no audio",
}
_CITATION = "Defferrard et al., FMA: A Dataset for Music Analysis, ISMIR 2017 (arXiv:1612.01840)"
_LICENCE = "Creative Commons and others, chosen by the artists; licence of each track in its row"


def load_fma(
    root: Path, *, subset: str, progress: Callable[[int, int], None] | None = None
) -> Dataset:
    """Load a subset of FMA with its official split.

    Every audio file is read once for its checksums; `songnet.datasets.collections`
    keeps the result in an index.

    Parameters
    ----------
    root : Path
        Holds ``fma_metadata`` and ``fma_<subset>``, as unpacked.
    subset : str
        One of `FMA_SUBSETS`.
    progress : callable, optional
        Called with (files read, files).

    Returns
    -------
    dataset : Dataset
        Tracks with a top-level genre and a file that opens. ``skipped`` says
        why others are left out: known to be broken, missing, without one
        top-level genre, not audio, or other than the official checksum.

    Raises
    ------
    DatasetError
        If tables or audio are not there, or no track is left.
    """
    audio = root / f"fma_{subset}"
    if not audio.is_dir():
        raise DatasetError(f"{root} has no fma_{subset}; run `songnet data download fma-{subset}`.")
    entries = _of_subset(read_fma_metadata(root / "fma_metadata"), subset)
    checksums = read_checksums(audio / "checksums")
    skipped: dict[str, str] = {}
    wanted = []
    for track_id, entry in entries.items():
        reason = _reason_to_skip(entry, audio)
        if reason:
            skipped[_text_id(track_id)] = reason
        else:
            wanted.append(entry)
    facts = inspect_files([audio / clip_name(e.track_id) for e in wanted], progress=progress)
    tracks = []
    for entry, fact in zip(wanted, facts, strict=True):
        name = clip_name(entry.track_id)
        problem = fact.problem or _checksum_problem(fact, checksums.get(name, ""))
        if problem:
            skipped[_text_id(entry.track_id)] = problem
        else:
            tracks.append(_track(entry, audio / name, facts=fact))
    if not tracks:
        raise DatasetError(
            f"{audio} holds none of the {len(entries)} tracks of FMA's {subset} subset that can be "
            f"used; run `songnet data download fma-{subset}`."
        )
    return Dataset(
        f"fma-{subset}", tuple(tracks), citation=_CITATION, licence=_LICENCE, skipped=skipped
    )


def load_fma_metadata(root: Path) -> Dataset:
    """Load who made each track of FMA, without any audio.

    Parameters
    ----------
    root : Path
        Holds ``fma_metadata``. Checksums are taken from the ``checksums`` of
        whichever ``fma_<subset>`` is there too, so clips can be recognised.

    Returns
    -------
    dataset : Dataset
        Tracks without a file; the genre is empty where FMA gives none.
    """
    checksums: dict[str, str] = {}
    for subset in reversed(FMA_SUBSETS):
        checksums |= read_checksums(root / f"fma_{subset}" / "checksums")
    tracks = tuple(
        _track(entry, Path(), facts=FileFacts(sha1=checksums.get(clip_name(entry.track_id), "")))
        for entry in read_fma_metadata(root / "fma_metadata").values()
    )
    return Dataset("fma-metadata", tracks, citation=_CITATION, licence=_LICENCE)


def verify_fma(folder: Path, *, progress: Callable[[int, int], None] | None = None) -> int:
    """Compare the files of a part of FMA with the list that came in its archive.

    Parameters
    ----------
    folder : Path
        ``fma_<subset>`` or ``fma_metadata``, as unpacked.
    progress : callable, optional
        Called with (done, total) after each file.

    Returns
    -------
    n_files : int

    Raises
    ------
    DatasetError
        Names the files that are missing or changed; or if there is no list.
    """
    n_files = verify_checksums(folder, progress=progress)
    if not n_files:
        raise DatasetError(
            f"{folder} has no list of checksums, so there is nothing to compare with; run "
            f"`songnet data download {folder.name.replace('_', '-')}`."
        )
    return n_files


def clip_name(track_id: int) -> str:
    """Path of a clip inside of a subset, as "098/098565.mp3"."""
    return f"{track_id // 1000:03d}/{_text_id(track_id)}.mp3"


def _text_id(track_id: int) -> str:
    return f"{track_id:06d}"


def _of_subset(entries: dict[int, FmaEntry], subset: str) -> dict[int, FmaEntry]:
    if subset == "full":
        return entries
    accepted = FMA_SUBSETS[: FMA_SUBSETS.index(subset) + 1]
    return {i: entry for i, entry in entries.items() if entry.subset in accepted}


def _reason_to_skip(entry: FmaEntry, audio: Path) -> str:
    if entry.track_id in BROKEN_IDS:
        return BROKEN_IDS[entry.track_id]
    if not (audio / clip_name(entry.track_id)).is_file():
        return "its file is missing"
    return "" if entry.genre else "it has no single top-level genre"


def _checksum_problem(facts: FileFacts, official: str) -> str:
    if not official or facts.sha1 == official:
        return ""
    return "its SHA-1 is not the official one"


def _track(entry: FmaEntry, path: Path, *, facts: FileFacts) -> Track:
    return Track(
        track_id=_text_id(entry.track_id),
        path=path,
        genre=entry.genre,
        group=f"artist:{entry.artist_id}" if entry.artist_id else f"track:{entry.track_id}",
        split=entry.split,
        artist=entry.artist,
        album=entry.album,
        title=entry.title,
        year=entry.year,
        licence=entry.licence,
        source="fma",
        sha1=facts.sha1,
        sha256=facts.sha256,
        duration_seconds=facts.duration_seconds or (None if path.name else entry.seconds),
    )
