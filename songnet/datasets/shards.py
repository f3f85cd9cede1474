"""Many arrays in few files, read memory-mapped.

A shard is a pair of files: ``00000.f16`` holds rows of numbers end to end,
``00000.csv`` a line "key, first row, rows" for each array. A writer makes
shards of its own and only appends, so nothing that was written is ever
changed, writers need no lock, and what a crash leaves half is not listed.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import IO, Self

import numpy as np
import numpy.typing as npt

__all__ = ["ShardReader", "ShardWriter"]

Rows = npt.NDArray[np.float16]
_MAX_BYTES = 256 * 2**20


class ShardReader:
    """Arrays by key, from all shards of a folder.

    Memory holds the keys and one map a shard; the rows stay in the page cache,
    from which the system takes what it needs.

    Parameters
    ----------
    folder : Path
    width : int
        Numbers in a row.
    """

    def __init__(self, folder: Path, *, width: int) -> None:
        self.folder = folder
        self.width = width
        self._read_bytes: dict[str, int] = {}
        self._places: dict[bytes, tuple[str, int, int]] = {}
        self._maps: dict[str, Rows] = {}

    def __getstate__(self) -> dict[str, object]:
        return {"folder": self.folder, "width": self.width}

    def __setstate__(self, state: dict[str, object]) -> None:
        self.__init__(**state)  # type: ignore[misc] # folder and width, as __getstate__ gave them

    def get(self, key: str) -> Rows | None:
        """Return the array of a key in hex, shape (n, width); None where there is none.

        An array that is listed, but not whole, is none.
        """
        name = bytes.fromhex(key)
        rows = self._rows(name)
        if rows is None:
            self._read_lists()
            rows = self._rows(name)
        return rows

    def _rows(self, name: bytes) -> Rows | None:
        if name not in self._places:
            return None
        shard, start, n_rows = self._places[name]
        rows = self._maps.get(shard)
        if rows is None or start + n_rows > len(rows):
            rows = self._maps[shard] = self._open(shard)
        return rows[start : start + n_rows] if start + n_rows <= len(rows) else None

    def _open(self, shard: str) -> Rows:
        path = self.folder / f"{shard}.f16"
        n_rows = path.stat().st_size // (2 * self.width) if path.is_file() else 0
        if n_rows == 0:  # lost in a crash of the system, which cannot be mapped
            return np.zeros((0, self.width), np.float16)
        mapped = np.memmap(path, np.float16, "r", shape=(n_rows, self.width))
        return mapped.view(np.ndarray)

    def _read_lists(self) -> None:
        """Read the lines that were added since the last time."""
        for path in sorted(self.folder.glob("*.csv")):
            start = self._read_bytes.get(path.stem, 0)
            if path.stat().st_size <= start:
                continue
            with path.open("rb") as file:
                file.seek(start)
                for line in file:
                    if not line.endswith(b"\n"):
                        break  # being written, or left so by a crash
                    key, first, n_rows = line.split(b",")
                    self._places[bytes.fromhex(key.decode())] = (
                        path.stem,
                        int(first),
                        int(n_rows),
                    )
                    start += len(line)
            self._read_bytes[path.stem] = start


class ShardWriter:
    """Appends arrays to new shards of a folder; a context manager.

    Parameters
    ----------
    folder : Path
        Made if need be.
    max_bytes : int
        Size after which the next shard is begun.
    """

    def __init__(self, folder: Path, *, max_bytes: int = _MAX_BYTES) -> None:
        self.folder = folder
        self.max_bytes = max_bytes
        self._files: tuple[IO[bytes], IO[bytes]] | None = None
        self._n_rows = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._close()

    def append(self, key: str, rows: Rows) -> None:
        """Write an array of shape (n, width) under a key in hex."""
        rows_file, list_file = self._files or self._begin()
        rows_file.write(np.ascontiguousarray(rows, dtype="<f2").data)
        rows_file.flush()
        list_file.write(f"{key},{self._n_rows},{len(rows)}\n".encode())
        list_file.flush()
        self._n_rows += len(rows)
        if rows_file.tell() >= self.max_bytes:
            self._close()

    def _begin(self) -> tuple[IO[bytes], IO[bytes]]:
        self.folder.mkdir(parents=True, exist_ok=True)
        for number in _numbers(self.folder):
            path = self.folder / f"{number:05d}.csv"
            try:
                list_file = path.open("xb")
            except FileExistsError:  # another writer was faster
                continue
            break
        self._files = (path.with_suffix(".f16").open("xb"), list_file)
        self._n_rows = 0
        return self._files

    def _close(self) -> None:
        for file in self._files or ():
            file.close()
        self._files = None


def _numbers(folder: Path) -> Iterator[int]:
    number = max((int(path.stem) for path in folder.glob("*.csv")), default=-1)
    while True:
        number += 1
        yield number
