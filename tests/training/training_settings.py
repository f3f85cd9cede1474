"""Settings of the smallest network that still learns."""

from __future__ import annotations

from songnet.config import FeatureConfig, ModelConfig, TrainConfig
from songnet.training.run_folder import TrainSettings

SETTINGS = TrainSettings(
    FeatureConfig(n_mels=16, patch_frames=32, patch_hop_frames=16),
    ModelConfig(
        front_end_filters=(4,),
        conv_filters=(8, 8, 8),
        gru_units=8,
        attention_units=4,
        statistics_units=0,
    ),
    TrainConfig(
        epochs=4,
        statistics_epochs=2,
        learning_rate=5e-3,
        label_smoothing=0.0,
        batch_size=8,
        warmup_epochs=1,
        crops_per_track=4,
        validation_share=0.25,
        time_mask_frames=4,
        mel_mask_bands=2,
        mel_shift_bands=1,
        degraded_share=0.0,
    ),
)
