"""How many may listen at once: each session that hears sound holds a place."""

from __future__ import annotations

import threading

from songnet.exceptions import SongNetError

__all__ = ["LiveFullError", "LivePlaces"]


class LiveFullError(SongNetError):
    """So many listen that one more would make all of them late."""

    def __init__(self, n_places: int) -> None:
        super().__init__(
            f"All {n_places} places for live listening are taken, and one more would be too much "
            "for the server. Try again in some minutes."
        )


class LivePlaces:
    """A fixed number of places; may be used from any thread.

    Parameters
    ----------
    n_places : int
    """

    def __init__(self, n_places: int) -> None:
        self.n_places = n_places
        self._lock = threading.Lock()
        self._owners: set[object] = set()

    @property
    def is_full(self) -> bool:
        """No place is free."""
        with self._lock:
            return len(self._owners) >= self.n_places

    def take(self, owner: object) -> bool:
        """Take a place; False if none is free."""
        with self._lock:
            if len(self._owners) >= self.n_places:
                return False
            self._owners.add(owner)
            return True

    def give_back(self, owner: object) -> None:
        """Free the place of an owner."""
        with self._lock:
            self._owners.discard(owner)
