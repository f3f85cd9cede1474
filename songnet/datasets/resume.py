"""A downloader for pooch that goes on where a broken download stopped."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import requests

from songnet.exceptions import DatasetError

__all__ = ["ResumingDownloader"]

_BLOCK = 1 << 16  # what a cut connection loses at most
_TIMEOUT_SECONDS = (10, 60)
_CUT = (requests.ConnectionError, requests.Timeout, requests.exceptions.ChunkedEncodingError)


class ResumingDownloader:
    """Fetches a URL into a part file by HTTP range, then hands it to pooch.

    Parameters
    ----------
    part : Path
        Kept when a download breaks, also over several runs.
    max_bytes : int
        Larger answers are refused.
    auth : tuple of str, optional
        Name and key, sent to the host of the URL only.
    progress : callable, optional
        Called with (bytes there, bytes in all).
    """

    def __init__(
        self,
        part: Path,
        *,
        max_bytes: int,
        auth: tuple[str, str] | None = None,
        progress: Callable[[int, int], None] | None = None,
    ) -> None:
        self.part = part
        self.max_bytes = max_bytes
        self.auth = auth
        self.progress = progress

    def __call__(self, url: str, output_file: str, *_: object) -> None:
        """Fetch ``url``; pooch then compares ``output_file`` with the checksum.

        A cut connection is taken up again as long as each try brings
        something; ``requests`` raises what ends it.
        """
        while True:
            before = self._n_bytes
            try:
                self._fetch(url)
                break
            except _CUT:
                if self._n_bytes == before:
                    raise
        self.part.replace(output_file)

    @property
    def _n_bytes(self) -> int:
        return self.part.stat().st_size if self.part.is_file() else 0

    def _fetch(self, url: str) -> None:
        start = self._n_bytes
        headers = {"Accept-Encoding": "identity"}
        if start:
            headers["Range"] = f"bytes={start}-"
        with requests.get(
            url, headers=headers, auth=self.auth, stream=True, timeout=_TIMEOUT_SECONDS
        ) as answer:
            if answer.status_code == requests.codes.requested_range_not_satisfiable:
                if start and answer.headers.get("Content-Range", "").endswith(f"/{start}"):
                    return
                self.part.unlink(missing_ok=True)
                raise requests.ConnectionError(f"{url} has changed")
            answer.raise_for_status()
            if not _goes_on_at(answer, start):
                start = 0
            self._write(answer, start)

    def _write(self, answer: requests.Response, start: int) -> None:
        total = start + int(answer.headers.get("Content-Length", 0))
        if total > self.max_bytes:
            raise DatasetError(
                f"{answer.url} holds {total / 2**30:.1f} GiB; expected at most "
                f"{self.max_bytes / 2**30:.1f}. It is not what was asked for."
            )
        with self.part.open("ab" if start else "wb") as file:
            done = start
            for block in answer.iter_content(_BLOCK):
                file.write(block)
                done += len(block)
                if done > self.max_bytes:
                    raise DatasetError(f"{answer.url} sends more than was asked for.")
                if self.progress:
                    self.progress(done, max(done, total))
        if done < total:
            raise requests.ConnectionError(f"{answer.url} ended after {done} of {total} bytes")


def _goes_on_at(answer: requests.Response, start: int) -> bool:
    match = re.match(r"bytes (\d+)-", answer.headers.get("Content-Range", ""))
    is_part = answer.status_code == requests.codes.partial_content
    return is_part and match is not None and int(match[1]) == start
