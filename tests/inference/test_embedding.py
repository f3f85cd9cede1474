from __future__ import annotations

import numpy as np
import pytest

from songnet.exceptions import ParameterError
from songnet.inference import embedding
from songnet.inference.embedding import EmbeddingSpace, project_map


@pytest.fixture
def rows() -> np.ndarray:
    return np.random.default_rng(0).normal(2, 1, (700, 12)).astype(np.float32)


def test_nearest_of_each_is_exact_across_blocks(rows: np.ndarray) -> None:
    assert len(rows) > 2 * embedding._ROWS_AT_ONCE
    centred = rows - rows.mean(axis=0)
    unit = centred / np.linalg.norm(centred, axis=1, keepdims=True)
    cosines = unit @ unit.T
    np.fill_diagonal(cosines, -2)
    found, similarity = EmbeddingSpace.of(rows).nearest_of_each()
    np.testing.assert_array_equal(found, cosines.argmax(axis=1))
    np.testing.assert_allclose(similarity, cosines.max(axis=1), atol=1e-5)


def test_an_embedding_is_nearest_to_itself_whatever_its_level(rows: np.ndarray) -> None:
    space = EmbeddingSpace.of(rows)
    found, similarity = space.nearest(rows[42], k=3)
    assert found[0] == 42
    assert similarity[0] == pytest.approx(1, abs=1e-5)
    assert list(similarity) == sorted(similarity, reverse=True)


def test_what_all_tracks_share_makes_none_alike(rows: np.ndarray) -> None:
    shifted = EmbeddingSpace.of(rows + 50)
    np.testing.assert_allclose(shifted.vectors, EmbeddingSpace.of(rows).vectors, atol=1e-3)


def test_one_track_has_no_nearest() -> None:
    found, similarity = EmbeddingSpace.of(np.ones((1, 4))).nearest_of_each()
    assert (found.tolist(), similarity.tolist()) == ([-1], [-1])


def test_an_embedding_of_another_model_is_refused(rows: np.ndarray) -> None:
    with pytest.raises(ParameterError, match=r"\(5,\).*\(12,\)"):
        EmbeddingSpace.of(rows).nearest(np.ones(5), k=1)


def test_no_tracks_are_refused() -> None:
    with pytest.raises(ParameterError, match=r"\(0, 4\)"):
        EmbeddingSpace.of(np.zeros((0, 4)))


def test_the_map_keeps_clusters_together() -> None:
    rng = np.random.default_rng(1)
    cluster = np.repeat([0, 1, 2], 20)
    rows = rng.normal(0, 5, (3, 12))[cluster] + rng.normal(0, 0.3, (60, 12))
    places, method = project_map(EmbeddingSpace.of(rows).vectors)
    assert method == "t-SNE"
    distance = np.linalg.norm(places[:, None] - places[None], axis=-1)
    np.fill_diagonal(distance, np.inf)
    assert (cluster[distance.argmin(axis=1)] == cluster).all()


@pytest.mark.parametrize("n_tracks", [1, 2, 5])
def test_the_map_of_few_tracks(rows: np.ndarray, n_tracks: int) -> None:
    places, method = project_map(EmbeddingSpace.of(rows[:n_tracks]).vectors)
    assert method == "PCA"
    assert places.shape == (n_tracks, 2)
    assert np.isfinite(places).all()


def test_many_tracks_are_placed_by_their_principal_components(
    rows: np.ndarray, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(embedding, "_MOST_FOR_TSNE", 600)
    assert project_map(rows)[1] == "PCA"
