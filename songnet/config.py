"""Settings of the signal path, the network and its training.

Frozen dataclasses: what was used is written with every result, and two runs
with the same hash used the same settings.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
import math
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Self

import numpy as np
import numpy.typing as npt

from songnet.exceptions import ParameterError

__all__ = ["Config", "FeatureConfig", "ModelConfig", "TrainConfig"]

_SONGNETS = ("songnet", "songnet_lstm", "songnet_no_attention")


@dataclass(frozen=True)
class Config:
    """What all settings share: finite numbers, a dictionary form and a hash."""

    def __post_init__(self) -> None:
        for name, value in vars(self).items():
            for number in value if isinstance(value, tuple) else (value,):
                if isinstance(number, float) and not math.isfinite(number):
                    raise ParameterError(f"{name} is {number}; expected a finite number.")

    def to_dict(self) -> dict[str, Any]:
        """Return the fields as plain JSON types."""
        return {
            key: list(value) if isinstance(value, tuple) else value
            for key, value in dataclasses.asdict(self).items()
        }

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> Self:
        """Rebuild from `to_dict`; raises ParameterError on unknown names."""
        names = {field.name for field in dataclasses.fields(cls)}
        unknown = sorted(set(values) - names)
        if unknown:
            raise ParameterError(
                f"{cls.__name__} has no setting {unknown}; it has {sorted(names)}."
            )
        return cls(**{k: tuple(v) if isinstance(v, list) else v for k, v in values.items()})

    def replace(self, **changes: Any) -> Self:
        """Return a copy with some fields changed."""
        return self.from_dict(self.to_dict() | changes)

    def to_json(self) -> str:
        """Return the fields as JSON, sorted by name."""
        return json.dumps(self.to_dict(), sort_keys=True)

    @property
    def hash(self) -> str:
        """Return the first 12 hex digits of the SHA-256 of `to_json`."""
        return hashlib.sha256(self.to_json().encode()).hexdigest()[:12]


@dataclass(frozen=True)
class FeatureConfig(Config):
    """How sound becomes the log-mel patches that a network reads.

    Parameters
    ----------
    sr : int
        Sample rate in Hz that all audio is resampled to.
    n_fft, hop_length : int
        STFT frame and hop, in samples; no centring, Hann window.
    n_mels : int
        Mel bands (Slaney scale and norm, as librosa's default).
    fmin, fmax : float
        Band limits in Hz. ``fmax`` stays below what low-rate codecs and the
        resampler keep, so that bandwidth cannot become the label.
    floor_db : float
        Lowest value of the log-mel, in dB re 1.0. Everything below is noise
        that codecs change.
    patch_frames, patch_hop_frames : int
        Length of one model input and the step between two, in frames.
    """

    sr: int = 16_000
    n_fft: int = 2048
    hop_length: int = 768
    n_mels: int = 64
    fmin: float = 30.0
    fmax: float = 7200.0
    floor_db: float = -40.0
    patch_frames: int = 256
    patch_hop_frames: int = 64

    def __post_init__(self) -> None:
        super().__post_init__()
        for name in ("sr", "n_fft", "hop_length", "n_mels", "patch_frames", "patch_hop_frames"):
            if getattr(self, name) < 1:
                raise ParameterError(f"{name} is {getattr(self, name)}; it must be at least 1.")
        if not 0 <= self.fmin < self.fmax <= self.sr / 2:
            raise ParameterError(
                f"fmin {self.fmin} Hz and fmax {self.fmax} Hz must satisfy "
                f"0 <= fmin < fmax <= sr / 2 = {self.sr / 2} Hz."
            )
        if self.hop_length > self.n_fft:
            raise ParameterError(
                f"hop_length {self.hop_length} skips samples; use at most n_fft = {self.n_fft}."
            )
        if self.patch_hop_frames > self.patch_frames:
            raise ParameterError(
                f"patch_hop_frames {self.patch_hop_frames} skips frames; use at most "
                f"patch_frames = {self.patch_frames}."
            )

    @property
    def frame_seconds(self) -> float:
        """Time between two frames."""
        return self.hop_length / self.sr

    @property
    def patch_seconds(self) -> float:
        """Audio that one patch covers, its last frame whole."""
        return ((self.patch_frames - 1) * self.hop_length + self.n_fft) / self.sr

    @property
    def patch_hop_seconds(self) -> float:
        """Time between the starts of two patches."""
        return self.patch_hop_frames * self.frame_seconds

    def n_frames(self, n_samples: int) -> int:
        """Frames that fit wholly into ``n_samples`` samples."""
        return max(0, 1 + (n_samples - self.n_fft) // self.hop_length)

    def n_patches(self, n_frames: int) -> int:
        """Patches that cover ``n_frames`` frames, the last one completed."""
        beyond_first = max(0, n_frames - self.patch_frames)
        return 1 + -(-beyond_first // self.patch_hop_frames)

    def patch_weights(self, n_frames: int) -> npt.NDArray[np.float64]:
        """Weight of each patch in the mean over a track.

        A patch counts by the share of it that holds audio, so the completed
        last one does not weigh as much as the others.

        Returns
        -------
        weights : np.ndarray [shape=(n_patches,), dtype=float64]
            They sum to 1.
        """
        starts = np.arange(self.n_patches(n_frames)) * self.patch_hop_frames
        covered = np.minimum(self.patch_frames, n_frames - starts).astype(np.float64)
        weights: npt.NDArray[np.float64] = covered / covered.sum()
        return weights


@dataclass(frozen=True)
class ModelConfig(Config):
    """Size and regularisation of the SongNet network.

    Parameters
    ----------
    front_end_filters : tuple of int
        Filters of the 2-D convolutions over time and mel that come first, at
        most four: each halves the mel bands, and the first two the frames;
        empty for none.
    conv_filters, kernel_sizes, pool_sizes : tuple of int
        One entry for each Conv1D block.
    gru_units : int
        Units of the GRU, in each direction; 0 for none.
    attention_units : int
        Hidden units of the attention scores.
    conv_dropout, dropout : float
        Dropout in the conv blocks (whole channels) and around the GRU.
    statistics_units : int
        Hidden units of the statistics branch, in SongNet and its ablations;
        0 for none.
    """

    architecture: str = "songnet"
    front_end_filters: tuple[int, ...] = (16, 32, 48, 96)
    conv_filters: tuple[int, ...] = (128, 128, 128)
    kernel_sizes: tuple[int, ...] = (3, 3, 3)
    pool_sizes: tuple[int, ...] = (2, 1, 1)
    gru_units: int = 96
    attention_units: int = 64
    conv_dropout: float = 0.1
    dropout: float = 0.3
    statistics_units: int = 128

    @property
    def is_songnet(self) -> bool:
        """Whether it is SongNet or an ablation; others have sizes of their own, not these."""
        return self.architecture in _SONGNETS

    def __post_init__(self) -> None:
        super().__post_init__()
        if len(self.front_end_filters) > 4:
            raise ParameterError(
                f"front_end_filters has {len(self.front_end_filters)} entries; expected at most 4."
            )
        sizes = {len(self.conv_filters), len(self.kernel_sizes), len(self.pool_sizes)}
        if len(sizes) != 1:
            raise ParameterError(
                "conv_filters, kernel_sizes and pool_sizes need one entry for each block; "
                f"they have {len(self.conv_filters)}, {len(self.kernel_sizes)} and "
                f"{len(self.pool_sizes)}."
            )


@dataclass(frozen=True)
class TrainConfig(Config):
    """How a network is trained.

    Parameters
    ----------
    epochs, patience : int
        Longest training, and epochs without a better validation loss before
        it stops early; a restart begins the count anew.
    restarts : tuple of int
        Epochs after which the learning rate starts again, each time at half
        the peak before (warm restarts, Loshchilov & Hutter, ICLR 2017). A
        finished run goes on from a restart at its end.
    batch_size : int
    learning_rate, weight_decay : float
        Peak rate of the warm-up and cosine schedule, and AdamW's decay.
    warmup_epochs : int
    label_smoothing : float
    class_weight_power : float
        Weight of a genre is its frequency to the power of minus this,
        scaled to mean 1 over the tracks; 0 switches weighting off.
    crops_per_track : int
        Random crops of each track in one epoch.
    mixup_alpha : float
        Parameter of the Beta distribution of mixup; 0 switches it off.
    gain_db, eq_db : float
        Largest random level change and standard deviation of the random
        equaliser curve.
    noise_floor_db : float
        Highest random noise floor, in dB re 1.0 of the log-mel.
    degraded_share : float
        Share of crops taken from the track as a microphone hears it, see
        `songnet.signal.degrade`.
    time_masks, time_mask_frames, mel_masks, mel_mask_bands : int
        SpecAugment: number and greatest width of the masks.
    stretch : float
        Largest relative change of tempo.
    mel_shift_bands : int
        Largest shift along the mel axis.
    short_share : float
        Share of crops cut short and completed with the floor, as a short
        upload is.
    statistics_epochs : int
        Epochs of the statistics branch, which learns on its own.
    validation_share : float
        Share of the artists held out for early stopping and temperature.
    seed : int
    """

    epochs: int = 180
    patience: int = 40
    restarts: tuple[int, ...] = (100,)
    batch_size: int = 16
    learning_rate: float = 1.5e-3
    weight_decay: float = 1e-2
    warmup_epochs: int = 3
    label_smoothing: float = 0.1
    class_weight_power: float = 0.5
    crops_per_track: int = 1
    mixup_alpha: float = 0.2
    gain_db: float = 8.0
    eq_db: float = 3.0
    noise_floor_db: float = -28.0
    degraded_share: float = 0.3
    time_masks: int = 2
    time_mask_frames: int = 30
    mel_masks: int = 2
    mel_mask_bands: int = 8
    stretch: float = 0.12
    mel_shift_bands: int = 2
    short_share: float = 0.1
    statistics_epochs: int = 40
    validation_share: float = 0.1
    seed: int = 0

    def __post_init__(self) -> None:
        super().__post_init__()
        least = {"epochs": 1, "batch_size": 1, "crops_per_track": 1, "statistics_epochs": 1}
        for name, at_least in {**least, "patience": 0, "warmup_epochs": 0, "seed": 0}.items():
            if getattr(self, name) < at_least:
                raise ParameterError(
                    f"{name} is {getattr(self, name)}; it must be at least {at_least}."
                )
        for name in ("degraded_share", "short_share", "validation_share"):
            if not 0 <= getattr(self, name) <= 1:
                raise ParameterError(f"{name} is {getattr(self, name)}; expected 0 to 1.")
        if self.learning_rate <= 0:
            raise ParameterError(f"learning_rate is {self.learning_rate}; expected more than 0.")

    @property
    def cycles(self) -> tuple[tuple[int, int], ...]:
        """First epoch and end of each cycle of the learning rate, from 0."""
        starts = [0, *(epoch for epoch in self.restarts if epoch < self.epochs)]
        return tuple(pairwise([*starts, self.epochs]))

    def steps_of_epoch(self, n_tracks: int) -> int:
        """Return the whole batches in the crops of so many tracks, at least one."""
        return max(1, n_tracks * self.crops_per_track // self.batch_size)

    def goes_on_from(self, earlier: TrainConfig) -> bool:
        """Whether a run of ``earlier`` settings, once ended, is the beginning of this one."""
        begins_so = self.cycles[: len(earlier.cycles)] == earlier.cycles
        longer = earlier.replace(epochs=self.epochs, restarts=self.restarts)
        return begins_so and longer == self
