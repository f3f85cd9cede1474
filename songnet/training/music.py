"""Train the detector of music: a data set of music against sounds that are none."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from songnet.config import FeatureConfig
from songnet.provenance import git_commit, versions
from songnet.signal.music import (
    MusicDetector,
    MusicNetwork,
    music_probability,
    standardise,
)
from songnet.training.music_samples import MUSIC, N_FOLDS, Sample

__all__ = ["held_out_logits", "train_music_detector"]

FloatArray = npt.NDArray[np.float64]
REFUSED_MUSIC = 0.015
DOUBTED_MUSIC = 0.03
_N_NETWORKS = 3
_UNITS = 16
_WEIGHT_DECAY = 1.0
_BATCH_SIZE = 256
_LEARNING_RATE = 2e-3
_EPOCHS = 25
_KIND_WEIGHTS = {MUSIC: 0.5, "speech": 0.2, "environment": 0.2}
_OTHER_WEIGHT = 0.1 / 3


def train_music_detector(
    samples: Sequence[Sample],
    *,
    config: FeatureConfig,
    data_hashes: Mapping[str, str],
    seed: int,
) -> tuple[MusicDetector, dict[str, Any]]:
    """Fit the detector and measure it on clips of artists and recordings it has not heard.

    Parameters
    ----------
    samples : sequence of Sample
    config : FeatureConfig
    data_hashes : mapping of str to str
        Hash of each data set, for the record.
    seed : int

    Returns
    -------
    detector : MusicDetector
        Fitted to all samples; thresholds from the held-out log-odds.
    report : dict
        What was refused and doubted, by kind and condition; each fold with
        the thresholds of the others. ``crops`` are of 2 s to a patch, of any
        level; ``unheard_kinds`` are sounds of a label that was left out.
    """
    logits, crop_logits = held_out_logits(samples, seed=seed)
    refuse, doubt = _thresholds(samples, logits)
    training = {
        "data": dict(data_hashes),
        "seed": seed,
        "versions": versions(),
        "commit": git_commit(),
    }
    detector = MusicDetector(
        feature_hash=config.hash,
        network=fit(samples, seed=seed),
        refuse_below=music_probability(refuse),
        doubt_below=music_probability(doubt),
        training=training,
    )
    crops = np.concatenate(crop_logits)
    kinds_of_crops = [s.kind for s in samples for _ in s.crops]
    report = {
        "protocol": "artist- and recording-disjoint folds; thresholds of a fold from the others",
        "folds": N_FOLDS,
        "features": config.to_dict(),
        "refuse_below": detector.refuse_below,
        "doubt_below": detector.doubt_below,
        **_shares(samples, logits),
        "crops": _grouped(kinds_of_crops, crops < refuse, crops < doubt),
        "unheard_kinds": _unheard(samples, refuse=refuse, doubt=doubt, seed=seed),
        **training,
    }
    return detector, report


def held_out_logits(samples: Sequence[Sample], *, seed: int) -> tuple[FloatArray, list[FloatArray]]:
    """Log-odds of music of each clip, by a detector that did not hear its fold.

    Parameters
    ----------
    samples : sequence of Sample
    seed : int

    Returns
    -------
    logits : np.ndarray [shape=(n_samples,), dtype=float64]
    crop_logits : list of np.ndarray [shape=(n_crops,), dtype=float64]
        Of the crops of each sample.
    """
    logits = np.zeros(len(samples))
    crop_logits = [np.zeros(0)] * len(samples)
    for fold in sorted({s.fold for s in samples}):
        network = fit([s for s in samples if s.fold != fold], seed=seed)
        for i in (i for i, s in enumerate(samples) if s.fold == fold):
            logits[i] = network.logits(samples[i].whole).mean()
            crop_logits[i] = np.array([network.logits(X).mean() for X in samples[i].crops])
    return logits, crop_logits


def fit(samples: Sequence[Sample], *, seed: int) -> MusicNetwork:
    """Fit several small networks, as one; each kind counts by its share, not its number."""
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.neural_network import MLPClassifier

    rows = np.concatenate([np.concatenate([s.whole, *s.crops]) for s in samples])
    n_rows = [len(s.whole) + sum(map(len, s.crops)) for s in samples]
    kinds = np.repeat([s.kind for s in samples], n_rows)
    counts = {kind: int(np.sum(kinds == kind)) for kind in set(kinds)}
    weights = np.array([_KIND_WEIGHTS.get(kind, _OTHER_WEIGHT) / counts[kind] for kind in kinds])
    mean = np.average(rows, axis=0, weights=weights)
    scale = np.sqrt(np.average((rows - mean) ** 2, axis=0, weights=weights)) + 1e-6
    z = standardise(rows, mean=mean, scale=scale)
    members = [
        MLPClassifier(
            _UNITS,
            alpha=_WEIGHT_DECAY,
            batch_size=_BATCH_SIZE,
            learning_rate_init=_LEARNING_RATE,
            max_iter=_EPOCHS,
            n_iter_no_change=_EPOCHS,
            random_state=seed * _N_NETWORKS + number,
        )
        for number in range(_N_NETWORKS)
    ]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # a set number of epochs
        for member in members:
            member.fit(z, kinds == MUSIC, sample_weight=weights * len(rows))
    # The mean of networks is one network with all their units.
    return MusicNetwork(
        mean=mean,
        scale=scale,
        hidden=np.concatenate([member.coefs_[0] for member in members], axis=1),
        hidden_bias=np.concatenate([member.intercepts_[0] for member in members]),
        weights=np.concatenate([member.coefs_[1][:, 0] for member in members]) / _N_NETWORKS,
        bias=float(np.mean([member.intercepts_[1] for member in members])),
    )


def _thresholds(samples: Sequence[Sample], logits: FloatArray) -> tuple[float, float]:
    """Log-odds under which the wanted shares of the music lie."""
    of_music = logits[[s.kind == MUSIC for s in samples]]
    refuse, doubt = np.quantile(of_music, [REFUSED_MUSIC, DOUBTED_MUSIC])
    return float(refuse), float(doubt)


def _shares(samples: Sequence[Sample], logits: FloatArray) -> dict[str, Any]:
    refused, doubted = np.zeros(len(samples), bool), np.zeros(len(samples), bool)
    folds = np.array([s.fold for s in samples])
    for fold in np.unique(folds):
        inside = folds == fold
        others = [s for s, out in zip(samples, ~inside, strict=True) if out]
        refuse, doubt = _thresholds(others, logits[~inside])
        refused[inside], doubted[inside] = logits[inside] < refuse, logits[inside] < doubt
    sections: dict[str, Any] = {}
    for condition in sorted({s.condition for s in samples}):
        sections[condition] = {
            name: _grouped(
                [getattr(s, name) if s.condition == condition else None for s in samples],
                refused,
                doubted,
            )
            for name in ("kind", "label")
        }
    return sections


def _grouped(
    names: Sequence[str | None], refused: npt.NDArray[np.bool_], doubted: npt.NDArray[np.bool_]
) -> dict[str, Any]:
    shares = {}
    for name in sorted({name for name in names if name is not None}):
        inside = [n == name for n in names]
        shares[name] = {
            "n": int(np.sum(inside)),
            "refused": float(refused[inside].mean()),
            "refused_or_doubted": float(doubted[inside].mean()),
        }
    return shares


def _unheard(
    samples: Sequence[Sample], *, refuse: float, doubt: float, seed: int
) -> dict[str, Any]:
    """Sounds of labels that the detector was not trained with."""
    parts = [MUSIC if s.kind == MUSIC else s.label for s in samples]
    sounds = [i for i, part in enumerate(parts) if part != MUSIC]
    music = [s for s in samples if s.kind == MUSIC]
    logits = np.zeros(len(samples))
    for label in sorted({parts[i] for i in sounds}):
        inside = [i for i in sounds if parts[i] == label]
        rest = [samples[i] for i in sounds if parts[i] != label]
        network = fit([*music, *rest], seed=seed)
        logits[inside] = [network.logits(samples[i].whole).mean() for i in inside]
    chosen = [part if part != MUSIC else None for part in parts]
    return _grouped(chosen, logits < refuse, logits < doubt)
