"""Keras 3 on the JAX backend: `fit` on numpy arrays, compiled as Keras does by default.

Images are channels-last, which Keras prefers on a CPU; so the weights of the same network are
brought into that order, and the first logits are compared with those of the torch network.
"""

from __future__ import annotations

import os

# Read when Keras is imported.
os.environ.setdefault("KERAS_BACKEND", "jax")

import keras
import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from benchmarks.task import Task
from benchmarks.trainers.contract import VALIDATION_BATCH, pixels

PRECISIONS = {"float32": "float32", "bfloat16": "mixed_bfloat16"}

Arrays = list[NDArray[np.float32]]


def translate(network: nn.Module, image_shape: tuple[int, int, int], policy: str) -> keras.Model:
    """Return the Keras model of a sequential torch network, with the same weights.

    Raises TypeError where the network has a layer that is not known here.
    """
    channels, height, width = image_shape
    model = keras.Sequential([keras.Input((height, width, channels))])
    weights: Arrays = []
    shape = (channels, height, width)
    flat_shape: tuple[int, int, int] | None = None
    for layer in network.children():
        match layer:
            case nn.Conv2d():
                filters, size = layer.out_channels, layer.kernel_size
                model.add(keras.layers.Conv2D(filters, size, padding="same", dtype=policy))
                # torch: [out, in, height, width]; Keras: [height, width, in, out].
                weights += [_array(layer.weight.permute(2, 3, 1, 0)), _array(layer.bias)]
                shape = (filters, *shape[1:])
            case nn.Linear():
                model.add(keras.layers.Dense(layer.out_features, dtype=policy))
                weights += [_array(_columns(layer.weight, flat_shape).T), _array(layer.bias)]
                flat_shape = None
            case nn.ReLU():
                model.add(keras.layers.ReLU(dtype=policy))
            case nn.MaxPool2d():
                model.add(keras.layers.MaxPooling2D(2, dtype=policy))
                shape = (shape[0], shape[1] // 2, shape[2] // 2)
            case nn.Flatten():
                model.add(keras.layers.Flatten(dtype=policy))
                flat_shape = shape
            case nn.Dropout():
                model.add(keras.layers.Dropout(layer.p, dtype=policy))
            case _:
                raise TypeError(f"no Keras layer is known for {layer}")
    # The loss is computed in float32, as Keras recommends.
    model.add(keras.layers.Activation("linear", dtype="float32"))
    model.set_weights(weights)
    return model


def _array(tensor: torch.Tensor | None) -> NDArray[np.float32]:
    assert tensor is not None
    return np.ascontiguousarray(tensor.detach().numpy())


def _columns(weight: torch.Tensor, shape: tuple[int, int, int] | None) -> torch.Tensor:
    """Return weights [out, in] for inputs that were flattened channels last, if they were."""
    if shape is None:
        return weight
    by_place: torch.Tensor = weight.unflatten(1, shape).permute(0, 2, 3, 1)
    return by_place.flatten(1)


class WithKeras:
    """A task trained by Keras; compiled once, then set back to the first weights."""

    def __init__(self, task: Task) -> None:
        self.task = task
        train, validation = task.data()
        self.train = _channels_last(pixels(train, task.scale)), train.labels.numpy()
        self.validation = (
            _channels_last(pixels(validation, task.scale)),
            validation.labels.numpy(),
        )
        network = task.network()
        policy = PRECISIONS[task.precision]
        self.model = translate(network, task.dataset.image_shape, policy)
        self.first = self.model.get_weights()
        self._check_first_logits(network)
        # Epsilon as torch has it, where Keras takes 1e-7. Keras adds it before the second moment is
        # corrected (Kingma & Ba, 2015, end of section 2), so early steps on tiny gradients differ.
        self.optimizer = keras.optimizers.Adam(task.recipe.learning_rate, epsilon=1e-8)
        self.model.compile(
            self.optimizer,
            loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True),
            metrics=["accuracy"],
        )
        self.optimizer.build(self.model.trainable_variables)
        self.first_moments = [each.numpy() for each in self.optimizer.variables]

    def _check_first_logits(self, network: nn.Module) -> None:
        images = self.task.data()[1].images[:50]
        with torch.inference_mode():
            expected = network.eval()(images.float() * self.task.scale).numpy()
        tolerance = 1e-4 if self.task.precision == "float32" else 0.02
        scale = np.abs(expected).max()
        np.testing.assert_allclose(self.logits(images), expected, atol=tolerance * scale)

    def fresh(self) -> None:
        """Set weights, moments and step count back."""
        self.model.set_weights(self.first)
        for variable, value in zip(self.optimizer.variables, self.first_moments, strict=True):
            variable.assign(value)

    def fit(self) -> object:
        """Train all epochs."""
        images, labels = self.train
        return self.model.fit(
            images,
            labels,
            batch_size=self.task.recipe.batch_size,
            epochs=self.task.epochs,
            validation_data=self.validation,
            validation_batch_size=VALIDATION_BATCH,
            verbose=0,
        )

    def logits(self, images: torch.Tensor) -> torch.Tensor:
        """Score in the precision that trained."""
        scaled = _channels_last((images.float() * self.task.scale).numpy())
        return torch.tensor(self.model.predict(scaled, batch_size=500, verbose=0))


def _channels_last(images: NDArray[np.float32]) -> NDArray[np.float32]:
    return np.ascontiguousarray(images.transpose(0, 2, 3, 1))
