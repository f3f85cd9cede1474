from __future__ import annotations

import keras
import numpy as np
import pytest

from songnet.config import ModelConfig
from songnet.models.songnet import build_songnet

SMALL = ModelConfig(conv_filters=(8, 8, 8), gru_units=6, attention_units=4)


@pytest.fixture(scope="session")
def small_network() -> keras.Model:
    keras.utils.set_random_seed(0)
    mean, std = np.full(16, -15, np.float32), np.full(16, 10, np.float32)
    return build_songnet(SMALL, n_mels=16, n_classes=3, mean=mean, std=std)
