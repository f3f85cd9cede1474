"""Who made a track and how it is stored: the same words on its page and in its report."""

from __future__ import annotations

from app.analysis import Analysis
from songnet.datasets.recognise import FoundBy, TrackInfo

__all__ = ["track_facts"]


def track_facts(analysis: Analysis, info: TrackInfo) -> tuple[dict[str, str], str]:
    """Say who made a track and how it is stored.

    Parameters
    ----------
    analysis : Analysis
    info : TrackInfo

    Returns
    -------
    rows : dict of str to str
        What has a licence names it.
    unknown : str
        Stands for an empty value.
    """
    is_recognised = info.found_by in (FoundBy.SHA1, FoundBy.FMA_ID)
    channels = {1: "mono", 2: "stereo"}.get(
        analysis.source_channels, f"{analysis.source_channels} channels"
    )
    rows = {
        "Artist": info.artist,
        "Title": info.title,
        "Album": info.album,
        "Year": str(info.year or ""),
        f"Genre in the {'collection' if is_recognised else 'tags'}": info.genre,
    }
    if is_recognised:
        rows |= {"Licence": info.licence, "Collection": f"{info.source} {info.track_id}".strip()}
    rows["Sound"] = f"{analysis.codec}, {analysis.source_sr / 1000:g} kHz, {channels}"
    return rows, "unknown" if is_recognised else "not in the file"
