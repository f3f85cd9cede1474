"""Keras layers that the networks share."""

from __future__ import annotations

from typing import Any

import keras
from keras import ops

__all__ = [
    "AppendToSteps",
    "AttentionPooling",
    "ClippedNormalization",
    "GenreHead",
    "MeanPooling",
]


@keras.saving.register_keras_serializable(package="songnet")
class AppendToSteps(keras.layers.Layer):
    """Put one vector beside the channels of every step.

    Input shapes ``(batch, n_steps, channels)`` and ``(batch, units)``, output
    shape ``(batch, n_steps, channels + units)``.
    """

    def call(self, inputs: tuple[Any, Any]) -> Any:
        """Append the second input to each step of the first."""
        steps, vector = inputs
        everywhere = vector[:, None, :] + ops.zeros_like(steps[..., :1])
        return ops.concatenate([steps, everywhere], axis=-1)

    def compute_output_shape(
        self, input_shape: tuple[tuple[int | None, ...], tuple[int | None, ...]]
    ) -> tuple[int | None, ...]:
        """Return the shape of the output."""
        (batch, n_steps, channels), (_, units) = input_shape
        return batch, n_steps, (channels or 0) + (units or 0)


@keras.saving.register_keras_serializable(package="songnet")
class ClippedNormalization(keras.layers.Normalization):
    """`keras.layers.Normalization` whose results stay within plus and minus a limit.

    Parameters
    ----------
    limit : float
    **kwargs
        Passed to `keras.layers.Normalization`.
    """

    def __init__(self, *, limit: float, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.limit = limit

    def call(self, inputs: Any) -> Any:
        """Normalise and clip."""
        return ops.clip(super().call(inputs), -self.limit, self.limit)

    def get_config(self) -> dict[str, Any]:
        """Return the arguments of the constructor."""
        return {**super().get_config(), "limit": self.limit}


@keras.saving.register_keras_serializable(package="songnet")
class AttentionPooling(keras.layers.Layer):
    """Pool a sequence by self-attention over a linear head.

    The scores of the steps come from the sequence itself; a softmax over time
    makes them weights. Each step also votes linearly for every genre, so the
    logits are an exact sum over time: ``logits = Σ_t attention_t · evidence_t``.

    Input shape ``(batch, n_steps, channels)``. Output a dictionary of
    ``logits`` (batch, n_classes), ``attention`` (batch, n_steps), rows summing
    to 1, ``evidence`` (batch, n_steps, n_classes) and ``pooled``
    (batch, channels), the sequence summed by attention: ``logits = head(pooled)``.

    Parameters
    ----------
    n_classes : int
        Genres to tell apart.
    units : int
        Hidden units of the attention scores.
    **kwargs
        Passed to `keras.layers.Layer`.

    References
    ----------
    .. [1] Bahdanau, D., Cho, K. & Bengio, Y. "Neural machine translation by
       jointly learning to align and translate", ICLR 2015.
    .. [2] Ilse, M., Tomczak, J. & Welling, M. "Attention-based deep multiple
       instance learning", ICML 2018.
    """

    def __init__(self, n_classes: int, units: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.n_classes = n_classes
        self.units = units
        self.hidden = keras.layers.Dense(units, activation="tanh", name="hidden")
        self.score = keras.layers.Dense(1, use_bias=False, name="score")
        self.head = keras.layers.Dense(n_classes, name="head")

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        """Build the three dense layers."""
        self.hidden.build(input_shape)
        self.score.build((*input_shape[:-1], self.units))
        self.head.build(input_shape)

    def call(self, inputs: Any) -> dict[str, Any]:
        """Pool a sequence of shape (batch, n_steps, channels)."""
        scores = ops.squeeze(self.score(self.hidden(inputs)), axis=-1)  # (batch, n_steps)
        attention = ops.softmax(scores, axis=-1)
        evidence = self.head(inputs)  # (batch, n_steps, n_classes)
        logits = ops.sum(attention[..., None] * evidence, axis=1)  # (batch, n_classes)
        pooled = ops.sum(attention[..., None] * inputs, axis=1)  # (batch, channels)
        # Keras finds the outputs of a saved network by their place in the order of these names:
        # a new one has to sort last, or older files would be read wrongly.
        return {"logits": logits, "attention": attention, "evidence": evidence, "pooled": pooled}

    def compute_output_shape(self, input_shape: tuple[int | None, ...]) -> dict[str, Any]:
        """Return the shape of each output."""
        batch, n_steps, channels = input_shape
        return {
            "logits": (batch, self.n_classes),
            "attention": (batch, n_steps),
            "evidence": (batch, n_steps, self.n_classes),
            "pooled": (batch, channels),
        }

    def get_config(self) -> dict[str, Any]:
        """Return the arguments of the constructor."""
        return {**super().get_config(), "n_classes": self.n_classes, "units": self.units}


@keras.saving.register_keras_serializable(package="songnet")
class MeanPooling(keras.layers.Layer):
    """Pool a sequence by its plain mean over a linear head: attention that is even.

    Input shape ``(batch, n_steps, channels)``, outputs as those of
    `AttentionPooling`.

    Parameters
    ----------
    n_classes : int
        Genres to tell apart.
    **kwargs
        Passed to `keras.layers.Layer`.
    """

    def __init__(self, n_classes: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.n_classes = n_classes
        self.head = keras.layers.Dense(n_classes, name="head")

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        """Build the head."""
        self.head.build(input_shape)

    def call(self, inputs: Any) -> dict[str, Any]:
        """Pool a sequence of shape (batch, n_steps, channels)."""
        evidence = self.head(inputs)  # (batch, n_steps, n_classes)
        even = ops.ones_like(evidence[..., 0])
        attention = even / ops.sum(even, axis=-1, keepdims=True)
        logits, pooled = ops.mean(evidence, axis=1), ops.mean(inputs, axis=1)
        return {"logits": logits, "attention": attention, "evidence": evidence, "pooled": pooled}

    def compute_output_shape(self, input_shape: tuple[int | None, ...]) -> dict[str, Any]:
        """Return the shape of each output."""
        batch, n_steps, channels = input_shape
        return {
            "logits": (batch, self.n_classes),
            "attention": (batch, n_steps),
            "evidence": (batch, n_steps, self.n_classes),
            "pooled": (batch, channels),
        }

    def get_config(self) -> dict[str, Any]:
        """Return the arguments of the constructor."""
        return {**super().get_config(), "n_classes": self.n_classes}


@keras.saving.register_keras_serializable(package="songnet")
class GenreHead(MeanPooling):
    """Linear head over one vector for the whole patch: a sequence of a single step.

    Input shape ``(batch, channels)``, outputs as those of `AttentionPooling`
    with ``n_steps`` 1.
    """

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        """Build the head."""
        super().build((input_shape[0], 1, input_shape[1]))

    def call(self, inputs: Any) -> dict[str, Any]:
        """Classify vectors of shape (batch, channels)."""
        return super().call(inputs[:, None, :])

    def compute_output_shape(self, input_shape: tuple[int | None, ...]) -> dict[str, Any]:
        """Return the shape of each output."""
        return super().compute_output_shape((input_shape[0], 1, input_shape[1]))
