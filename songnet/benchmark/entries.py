"""What is compared: each model under its name, with the settings it is trained with."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from songnet.config import FeatureConfig, ModelConfig, TrainConfig
from songnet.exceptions import ParameterError
from songnet.models.embeddings import EmbeddingConfig
from songnet.signal.statistics import StatisticsConfig

if TYPE_CHECKING:
    from songnet.training.run_folder import TrainSettings

__all__ = ["REFERENCE", "SPLIT_UNITS", "Entry", "all_entries", "find_entries"]

REFERENCE = "songnet"
SPLIT_UNITS = ("tracks", "segments")
_NO_AUGMENTATION: dict[str, Any] = {
    "label_smoothing": 0.0,
    "class_weight_power": 0.0,
    "mixup_alpha": 0.0,
    "gain_db": 0.0,
    "eq_db": 0.0,
    "noise_floor_db": -200.0,
    "degraded_share": 0.0,
    "time_masks": 0,
    "mel_masks": 0,
    "stretch": 0.0,
    "mel_shift_bands": 0,
    "short_share": 0.0,
    "weight_decay": 0.0,
    "warmup_epochs": 1,
    "learning_rate": 1e-3,
    "batch_size": 32,
}
# What the seeds read: librosa's defaults at 22,050 Hz.
_SEED_FEATURES = FeatureConfig(
    sr=22_050, n_fft=2048, hop_length=512, n_mels=128, fmin=0.0, fmax=11_025.0, floor_db=-80.0
)


@dataclass(frozen=True)
class Entry:
    """One model of the benchmark.

    Parameters
    ----------
    name : str
    kind : {"chance", "statistics", "mel mean", "embedding", "seed", "network", "songnet"}
    title, about : str
        For people: a name, and a sentence on what it is.
    vectors : StatisticsConfig, FeatureConfig or EmbeddingConfig, optional
        What a classifier of one vector a track reads: clip statistics, the
        mean of a log-mel, an embedding. None for a network.
    baseline : str
        Classifier of the vectors, one of `songnet.models.baselines.BASELINES`.
    features, model, training : FeatureConfig, ModelConfig, TrainConfig, optional
        Of a network; `settings` has all three.
    leak : {"", "tracks", "segments"}
        What its source, or its like, splits at random, whoever made it.
    has_learning_curve : bool
        Train on parts of the data too.
    """

    name: str
    kind: str
    title: str
    about: str
    vectors: StatisticsConfig | FeatureConfig | EmbeddingConfig | None = None
    baseline: str = ""
    features: FeatureConfig | None = None
    model: ModelConfig | None = None
    training: TrainConfig | None = None
    leak: str = ""
    has_learning_curve: bool = False

    @property
    def is_network(self) -> bool:
        """Whether it is trained by gradient descent on patches."""
        return self.model is not None

    @property
    def settings(self) -> TrainSettings:
        """Settings of a network; raises ParameterError for another entry."""
        from songnet.training.run_folder import TrainSettings

        if self.features is None or self.model is None or self.training is None:
            raise ParameterError(f"{self.name} is no network; it has no training settings.")
        return TrainSettings(self.features, self.model, self.training)

    @property
    def hash(self) -> str:
        """Hash of all that decides what it learns."""
        from songnet.models.baselines import BASELINES

        network = [c.to_dict() for c in (self.features, self.model, self.training) if c]
        if self.model and not self.model.is_songnet:
            network[1] = {"architecture": self.model.architecture}
        values = {
            "vectors": self.vectors.to_dict() if self.vectors else None,
            "baseline": self.baseline,
            "grid": BASELINES[self.baseline].grid if self.baseline else None,
            "network": network,
        }
        return hashlib.sha256(json.dumps(values, sort_keys=True).encode()).hexdigest()[:12]


def all_entries(embeddings: Iterable[EmbeddingConfig] = ()) -> tuple[Entry, ...]:
    """Return every entry, those that cost little first.

    Parameters
    ----------
    embeddings : iterable of EmbeddingConfig
        Plug-ins, see `songnet.models.embeddings`; each gives two entries.
    """
    return (
        *_chance_entries(),
        *_mel_mean_entries(),
        *_statistics_entries(),
        *(entry for config in embeddings for entry in _embedding_entries(config)),
        *_segment_entries(),
        _vgg_entry(),
        *_songnet_entries(),
    )


def find_entries(
    names: Iterable[str] | None, embeddings: Iterable[EmbeddingConfig] = ()
) -> tuple[Entry, ...]:
    """Return the named entries, or all; raises ParameterError for a name that is none."""
    entries = {entry.name: entry for entry in all_entries(embeddings)}
    wanted = list(names or entries)
    if unknown := sorted(set(wanted) - set(entries)):
        raise ParameterError(f"The benchmark has no {unknown}; expected some of {list(entries)}.")
    return tuple(entry for name, entry in entries.items() if name in wanted)


def _chance_entries() -> tuple[Entry, ...]:
    mel = FeatureConfig()
    return (
        Entry("random", "chance", "Random", "Draws genres as often as they occur.", mel, "random"),
        Entry(
            "majority", "chance", "Majority", "Always says the commonest genre.", mel, "majority"
        ),
    )


def _mel_mean_entries() -> tuple[Entry, ...]:
    titles = {"knn": "KNN", "rbf_svm": "RBF SVM", "logistic_regression": "Logistic regression"}
    return tuple(
        Entry(
            f"{baseline}_mel_mean",
            "mel mean",
            f"{title} on the mean mel spectrum",
            "Log-mel averaged over time, as the first SongNet gave its baselines (here of 64 "
            "bands): rhythm and all change are lost.",
            FeatureConfig(),
            baseline,
            leak="tracks",
        )
        for baseline, title in titles.items()
    )


def _statistics_entries() -> tuple[Entry, ...]:
    titles = {
        "knn": "KNN",
        "logistic_regression": "Logistic regression",
        "linear_svm": "Linear SVM",
        "rbf_svm": "RBF SVM",
        "random_forest": "Random forest",
        "mlp": "MLP",
        "gradient_boosting": "Gradient boosting",
    }
    return tuple(
        Entry(
            baseline,
            "statistics",
            f"{title} on clip statistics",
            "63 features (MFCC, deltas, chroma, contrast, shape, level) in seven statistics, "
            "and the tempo.",
            StatisticsConfig(),
            baseline,
            leak="tracks" if baseline in {"knn", "rbf_svm", "logistic_regression"} else "",
            has_learning_curve=baseline in {"rbf_svm", "logistic_regression", "random_forest"},
        )
        for baseline, title in titles.items()
    )


def _embedding_entries(config: EmbeddingConfig) -> tuple[Entry, ...]:
    about = f"Frozen embeddings of {config.name}, averaged over the track."
    heads = {"linear": ("linear head", "logistic_regression"), "svm": ("SVM", "rbf_svm")}
    return tuple(
        Entry(
            f"{config.name}_{head}",
            "embedding",
            f"{config.name} + {title}",
            about,
            config,
            baseline,
        )
        for head, (title, baseline) in heads.items()
    )


def _segment_entries() -> tuple[Entry, ...]:
    segments = _SEED_FEATURES.replace(patch_frames=128, patch_hop_frames=128)
    return (
        Entry(
            "mfcc_cnn_segments",
            "seed",
            "MFCC CNN of segments",
            'After "Music Genre Classifier": 13 MFCC of ten segments of 3 s, three convolutions, '
            "the segments averaged.",
            features=segments,
            model=ModelConfig(architecture="mfcc_cnn_segments"),
            training=_seed_training(epochs=30, crops_per_track=10),
            leak="segments",
        ),
        Entry(
            "mel_cnn",
            "seed",
            "Mel CNN",
            'After "Real-Time Music Genre Classification", which names no number: four '
            "convolutions on mel spectrograms of 3 s.",
            features=segments,
            model=ModelConfig(architecture="mel_cnn"),
            training=_seed_training(epochs=30, crops_per_track=2),
        ),
        Entry(
            "mfcc_cnn",
            "seed",
            "MFCC CNN with dense layers",
            'After "Music Genre Classification Web Application": 13 MFCC of 3 s segments, blocks '
            "of 32, 64 and 128 filters, dense 512 and 256.",
            features=segments,
            model=ModelConfig(architecture="mfcc_cnn"),
            training=_seed_training(epochs=30, crops_per_track=10),
            leak="segments",
        ),
    )


def _vgg_entry() -> Entry:
    return Entry(
        "vgg_mel",
        "seed",
        "VGG on mel spectrograms",
        'After "Music Genre Classification with CNN on Mel Spectrograms": 10 s windows that '
        "overlap by half, five blocks of two convolutions, 32 to 256 filters. It is slow: it "
        "learns from 16 windows of each track, and would gain from more.",
        features=_SEED_FEATURES.replace(patch_frames=430, patch_hop_frames=215),
        model=ModelConfig(architecture="vgg_mel"),
        training=_seed_training(epochs=16, batch_size=16),
    )


def _seed_training(**training: Any) -> TrainConfig:
    """Train as the seeds do: Adam, no augmentation, early stopping."""
    return TrainConfig(**(_NO_AUGMENTATION | {"patience": 8} | training))


# As SongNet's first cycle: a second one and the branch of statistics add to any network here.
_ONE_CYCLE = TrainConfig(epochs=100)
_NO_BRANCH = ModelConfig(statistics_units=0)


def _songnet_entries() -> tuple[Entry, ...]:
    whole = _network(
        REFERENCE,
        "songnet",
        "SongNet",
        "Convolutions, a GRU and attention, beside a branch on statistics of the window.",
        model=ModelConfig(),
        training=TrainConfig(),
        leak="tracks",
        has_learning_curve=True,
    )
    without = _network(
        "songnet_no_statistics",
        "network",
        "SongNet without statistics",
        "The convolutions, the GRU and attention alone, after both cycles.",
        model=_NO_BRANCH,
        training=TrainConfig(),
    )
    return (*_one_cycle_entries(), without, whole)


def _one_cycle_entries() -> tuple[Entry, ...]:
    networks = {
        "songnet_no_attention": (
            "SongNet of one cycle without attention",
            "The mean over time in place of attention.",
        ),
        "songnet_lstm": ("SongNet of one cycle with an LSTM", "An LSTM in place of the GRU."),
        "crnn": (
            "CRNN",
            "Convolutions and two GRUs (Choi et al. 2017), trained like SongNet's one cycle.",
        ),
        "spectrogram_transformer": (
            "Spectrogram transformer",
            "Self-attention between patches (Gong et al. 2021), trained like SongNet's one cycle.",
        ),
        "songnet": (
            "SongNet of one cycle",
            "Attention and GRU after 100 epochs, no branch: what the other four compare with.",
        ),
    }
    return tuple(
        _network(
            f"{name}_one_cycle" if name == REFERENCE else name,
            "network",
            title,
            about,
            model=_NO_BRANCH.replace(architecture=name),
            training=_ONE_CYCLE,
        )
        for name, (title, about) in networks.items()
    )


def _network(name: str, kind: str, title: str, about: str, **rest: Any) -> Entry:
    return Entry(name, kind, title, about, features=FeatureConfig(), **rest)
