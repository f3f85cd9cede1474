"""Compare tracks by the model's embedding: neighbours, near-duplicates, a map.

The embedding of a track is what the network's last linear layer sees, the
hidden sequence summed by attention (`Prediction.embedding`). Tracks are
compared by the cosine of their embeddings after the mean of the collection
was taken off, which is otherwise shared by all and makes everything alike.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

from songnet.exceptions import ParameterError

__all__ = ["EmbeddingSpace", "MapMethod", "project_map"]

FloatArray = npt.NDArray[np.float32]
IntArray = npt.NDArray[np.int64]
MapMethod = Literal["t-SNE", "PCA"]

_ROWS_AT_ONCE = 256
_MOST_FOR_TSNE = 5_000
_FEWEST_FOR_TSNE = 10


@dataclass(frozen=True, eq=False)
class EmbeddingSpace:
    """Tracks as unit vectors around the mean of their collection.

    Parameters
    ----------
    centre : np.ndarray [shape=(n_channels,), dtype=float32]
        Mean of the embeddings.
    vectors : np.ndarray [shape=(n_tracks, n_channels), dtype=float32]
        Rows of length 1.
    """

    centre: FloatArray
    vectors: FloatArray

    @classmethod
    def of(cls, embeddings: npt.NDArray[np.floating]) -> EmbeddingSpace:
        """Make the space of some tracks.

        Parameters
        ----------
        embeddings : np.ndarray [shape=(n_tracks, n_channels)]

        Raises
        ------
        ParameterError
            If there is no track.
        """
        if embeddings.ndim != 2 or not len(embeddings):
            raise ParameterError(
                f"The embeddings have shape {embeddings.shape}; expected (n_tracks, n_channels) "
                "with at least one track."
            )
        rows = embeddings.astype(np.float32)
        centre = rows.mean(axis=0)
        return cls(centre=centre, vectors=_unit(rows - centre))

    def nearest(
        self, embedding: npt.NDArray[np.floating], *, k: int
    ) -> tuple[IntArray, FloatArray]:
        """Find the tracks nearest to an embedding.

        Parameters
        ----------
        embedding : np.ndarray [shape=(n_channels,)]
        k : int

        Returns
        -------
        rows : np.ndarray [shape=(<= k,), dtype=int64]
            Nearest first.
        similarity : np.ndarray [shape=(<= k,), dtype=float32]
            Cosines.

        Raises
        ------
        ParameterError
            If the embedding is of another model.
        """
        if embedding.shape != self.centre.shape:
            raise ParameterError(
                f"The embedding has shape {embedding.shape}, the collection {self.centre.shape}; "
                "build the collection again with this model."
            )
        cosines = self.vectors @ _unit(embedding.astype(np.float32) - self.centre)
        rows = np.argsort(-cosines, kind="stable")[:k]
        return rows, cosines[rows]

    def nearest_of_each(self) -> tuple[IntArray, FloatArray]:
        """Find the nearest other track of every track, exactly.

        Returns
        -------
        rows : np.ndarray [shape=(n_tracks,), dtype=int64]
            -1 where there is no other track.
        similarity : np.ndarray [shape=(n_tracks,), dtype=float32]
            Cosines; -1 where there is no other track.
        """
        n_tracks = len(self.vectors)
        rows = np.full(n_tracks, -1, dtype=np.int64)
        similarity = np.full(n_tracks, -1, dtype=np.float32)
        if n_tracks < 2:
            return rows, similarity
        for start in range(0, n_tracks, _ROWS_AT_ONCE):
            block = slice(start, min(start + _ROWS_AT_ONCE, n_tracks))
            cosines = self.vectors[block] @ self.vectors.T  # (n_rows, n_tracks)
            own = np.arange(block.start, block.stop)
            cosines[own - start, own] = -np.inf
            rows[block] = cosines.argmax(axis=1)
            similarity[block] = cosines[own - start, rows[block]]
        return rows, similarity


def project_map(vectors: FloatArray, *, seed: int = 0) -> tuple[FloatArray, MapMethod]:
    """Place tracks on a plane so that what sounds alike to the model lies together.

    Parameters
    ----------
    vectors : np.ndarray [shape=(n_tracks, n_channels), dtype=float32]
    seed : int

    Returns
    -------
    places : np.ndarray [shape=(n_tracks, 2), dtype=float32]
    method : {"t-SNE", "PCA"}
        t-SNE [1]_ up to 5,000 tracks; the two first principal components
        beyond, where t-SNE would take hours, and below 10.

    References
    ----------
    .. [1] van der Maaten, L. & Hinton, G. "Visualizing data using t-SNE",
       JMLR 9, 2008.
    """
    from sklearn.decomposition import PCA
    from sklearn.manifold import TSNE
    from threadpoolctl import threadpool_limits

    n_tracks = len(vectors)
    if _FEWEST_FOR_TSNE <= n_tracks <= _MOST_FOR_TSNE:
        perplexity = min(30.0, (n_tracks - 1) / 3)
        tsne = TSNE(metric="cosine", init="pca", perplexity=perplexity, random_state=seed)
        # One thread: the same map every time, and no waiting for each other on a busy machine.
        with threadpool_limits(1):
            return tsne.fit_transform(vectors).astype(np.float32), "t-SNE"
    places = np.zeros((n_tracks, 2), dtype=np.float32)
    n_components = min(2, *vectors.shape)
    if n_tracks > 1:
        pca = PCA(n_components, svd_solver="full" if n_tracks < 10 else "auto", random_state=seed)
        places[:, :n_components] = pca.fit_transform(vectors)
    return places, "PCA"


def _unit(rows: FloatArray) -> FloatArray:
    length = np.linalg.norm(rows, axis=-1, keepdims=True)
    return np.asarray(rows / np.maximum(length, 1e-12), dtype=np.float32)
