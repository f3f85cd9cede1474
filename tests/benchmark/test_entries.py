from __future__ import annotations

import dataclasses

import pytest

from songnet.benchmark.entries import REFERENCE, all_entries, find_entries
from songnet.exceptions import ParameterError
from songnet.models.baselines import BASELINES
from songnet.models.embeddings import EmbeddingConfig


def test_every_model_of_the_library_is_compared_once():
    from songnet.models.registry import ARCHITECTURES

    entries = all_entries()
    names = [entry.name for entry in entries]
    assert len(set(names)) == len(names)
    assert REFERENCE in names
    assert {e.model.architecture for e in entries if e.model} == set(ARCHITECTURES)
    assert {e.baseline for e in entries if not e.is_network} == set(BASELINES)
    for baseline in ("knn", "rbf_svm", "logistic_regression"):
        assert {baseline, f"{baseline}_mel_mean"} <= set(names)
    assert all(entry.title and entry.about for entry in entries)


def test_patches_are_what_the_seeds_read():
    features = {entry.name: entry.features for entry in all_entries()}
    assert features["vgg_mel"].patch_seconds == pytest.approx(10, abs=0.1)
    assert features["vgg_mel"].patch_hop_seconds == pytest.approx(5, abs=0.1)
    assert features["mfcc_cnn"].patch_seconds == pytest.approx(3, abs=0.1)
    assert features["mfcc_cnn"].patch_hop_frames == features["mfcc_cnn"].patch_frames


def test_the_hash_is_of_what_is_learned():
    (entry,) = find_entries(["songnet"])
    renamed = dataclasses.replace(entry, title="Another title", about="Another sentence.")
    assert renamed.hash == entry.hash
    longer = dataclasses.replace(entry, training=entry.training.replace(epochs=101))
    assert longer.hash != entry.hash
    assert len({e.hash for e in all_entries()}) == len(all_entries())


def test_the_hash_of_a_seed_knows_nothing_of_songnets_sizes():
    of_seed, of_songnet = find_entries(["vgg_mel", "songnet"])
    for entry, is_same in ((of_seed, True), (of_songnet, False)):
        other = dataclasses.replace(entry, model=entry.model.replace(gru_units=7))
        assert (other.hash == entry.hash) is is_same


def test_an_embedding_gives_a_linear_head_and_an_svm():
    config = EmbeddingConfig("yamnet", "python", entry_point="a:b")
    names = [entry.name for entry in find_entries(["yamnet_svm", "yamnet_linear"], [config])]
    assert names == ["yamnet_linear", "yamnet_svm"]


def test_an_unknown_name_is_refused():
    with pytest.raises(ParameterError, match=r"no \['svm'\].*rbf_svm"):
        find_entries(["svm"])
