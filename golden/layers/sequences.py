"""Writes sequences.safetensors: what Keras computes in float64 for a small network of dense layers at every step, a
learned position embedding and self-attention, in this program's names and layouts.

    python sequences.py

`pixels`, `labels`, each parameter by its name, `logits`, `loss` (the mean) and, behind `d/`, the derivative of the loss
with respect to every parameter and to `pixels`.
"""

import os
from pathlib import Path

os.environ.update(KERAS_BACKEND="tensorflow", TF_ENABLE_ONEDNN_OPTS="0", TF_CPP_MIN_LOG_LEVEL="3")
os.environ["CUDA_VISIBLE_DEVICES"] = ""
import keras
import numpy as np
import tensorflow as tf
from safetensors.numpy import save

# Keras rounds 1 / √(features of a head) to float32, whatever floatx is: 4 features have a root that is exact.
IMAGES, HEIGHT, WIDTH, PATCH, FEATURES, HEADS, CLASSES = 3, 8, 6, 2, 8, 2, 4
STEPS = HEIGHT // PATCH * (WIDTH // PATCH)


def patches(images):
    """[image, HEIGHT, WIDTH] -> [image, patch, pixel], patches row by row."""
    split = keras.ops.reshape(images, (-1, HEIGHT // PATCH, PATCH, WIDTH // PATCH, PATCH))
    return keras.ops.reshape(keras.ops.transpose(split, (0, 1, 3, 2, 4)), (-1, STEPS, PATCH * PATCH))


class Position(keras.layers.Layer):
    def build(self, shape):
        self.embedding = self.add_weight(shape=shape[1:], name="embedding")

    def call(self, x):
        return x + self.embedding


def network():
    """The layers that have parameters, by this program's names, and the function from images to logits."""
    layers = keras.layers
    parts = {
        "dense1": layers.Dense(FEATURES, use_bias=False),
        "position1": Position(),
        "attention1": layers.MultiHeadAttention(HEADS, FEATURES // HEADS),
        "dense2": layers.Dense(9, activation="relu"),
        "dense3": layers.Dense(FEATURES),
        "dense4": layers.Dense(5),
        "dense5": layers.Dense(CLASSES, use_bias=False),
    }

    def logits(images):
        x = parts["position1"](parts["dense1"](patches(images)))
        x = x + parts["attention1"](x, x)
        x = x + parts["dense3"](parts["dense2"](x))
        x = parts["dense4"](keras.ops.transpose(x, (0, 2, 1)))
        return parts["dense5"](keras.ops.reshape(x, (-1, FEATURES * 5)))

    return parts, logits


def in_our_layout(name, values):
    """{parameter of ours: array} of a layer's arrays, which may be its weights or their derivatives, in Keras's order."""
    if name == "position1":
        return {"position1.embedding": values[0]}
    if name.startswith("dense"):
        return {f"{name}.weight": values[0].T} | ({f"{name}.bias": values[1]} if len(values) > 1 else {})
    # Keras: kernel [features, heads, head] and bias [heads, head] of query, key and value; kernel [heads, head, features]
    # and bias of the output.
    kernels = [values[index].reshape(FEATURES, FEATURES).T for index in (0, 2, 4)]
    biases = [values[index].reshape(FEATURES) for index in (1, 3, 5)]
    return {
        f"{name}.in_projection.weight": np.concatenate(kernels),
        f"{name}.in_projection.bias": np.concatenate(biases),
        f"{name}.out_projection.weight": values[6].reshape(FEATURES, FEATURES).T,
        f"{name}.out_projection.bias": values[7],
    }


def main():
    keras.backend.set_floatx("float64")
    random = np.random.default_rng(5)
    parts, logits = network()
    images = tf.Variable(random.uniform(-1, 1, (IMAGES, HEIGHT, WIDTH)))
    labels = np.array([2, 0, 3], np.uint8)
    logits(images)  # which gives the layers their weights
    for layer in parts.values():
        layer.set_weights([random.uniform(-0.5, 0.5, weight.shape) for weight in layer.get_weights()])
    variables = [weight.value for layer in parts.values() for weight in layer.weights]
    with tf.GradientTape() as tape:
        output = logits(images)
        loss = tf.reduce_mean(tf.nn.sparse_softmax_cross_entropy_with_logits(labels.astype(np.int64), output))
    d_pixels, *gradient = [derivative.numpy() for derivative in tape.gradient(loss, [images, *variables])]
    tensors = {"pixels": images.numpy(), "labels": labels, "logits": output.numpy()}
    tensors |= {"loss": loss.numpy()[None], "d/pixels": d_pixels}
    for name, layer in parts.items():
        own, gradient = gradient[: len(layer.weights)], gradient[len(layer.weights) :]
        tensors |= in_our_layout(name, layer.get_weights())
        tensors |= {f"d/{key}": value for key, value in in_our_layout(name, own).items()}
    tensors = {key: np.ascontiguousarray(value) for key, value in tensors.items()}
    assert all(value.dtype in (np.float64, np.uint8) for value in tensors.values())
    Path(__file__).with_suffix(".safetensors").write_bytes(save(tensors))


if __name__ == "__main__":
    main()
