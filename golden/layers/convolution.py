"""Writes convolution.safetensors beside this script: convolutions of every kind and pools, as Keras computes them.

    python convolution.py        with the packages of ../requirements.txt

Each network in float64: `NAME/input`, `NAME/targets` (one-hot), `NAME/initial/PARAMETER` and `NAME/gradient/PARAMETER` in
Keras's layouts, `NAME/gradient/input`, `NAME/logits`, `NAME/loss`, the mean softmax cross-entropy. The layers are
spelled as this program spells them in crates/nn/tests/suite/convolution.rs.
"""

import os

os.environ.update(KERAS_BACKEND="tensorflow", TF_ENABLE_ONEDNN_OPTS="0", TF_CPP_MIN_LOG_LEVEL="3")
os.environ["CUDA_VISIBLE_DEVICES"] = ""

from pathlib import Path

import keras
import numpy as np
import tensorflow as tf
from safetensors.numpy import save_file

BATCH, CLASSES = 3, 4
keras.backend.set_floatx("float64")
layers = keras.layers


def strided():
    """`same` pads asymmetrically with stride 2, so the zeros are a layer here."""
    return [
        layers.Conv2D(4, 3, strides=2, activation="relu", name="conv1"),
        layers.ZeroPadding2D(1),
        layers.Conv2D(5, 3, strides=2, use_bias=False, name="conv2"),
    ]


def dilated():
    return [
        layers.Conv2D(4, 3, dilation_rate=2, activation="relu", name="conv1"),
        layers.Conv2D(5, (2, 3), dilation_rate=2, padding="valid", name="conv2"),
    ]


def grouped():
    return [
        layers.Conv2D(4, 2, name="conv1"),
        layers.Conv2D(6, 3, groups=2, activation="relu", name="conv2"),
        layers.Conv2D(6, 2, groups=3, strides=2, use_bias=False, name="conv3"),
    ]


def depthwise():
    return [
        layers.Conv2D(5, 1, name="conv1"),
        layers.DepthwiseConv2D(3, padding="same", activation="relu", name="depthwise1"),
        layers.ZeroPadding2D(1),
        layers.DepthwiseConv2D(3, strides=2, use_bias=False, name="depthwise2"),
        layers.DepthwiseConv2D(2, dilation_rate=2, name="depthwise3"),
    ]


def same():
    return [
        layers.Conv2D(9, 3, padding="same", activation="relu", name="conv1"),
        layers.MaxPooling2D(2),
        layers.Conv2D(8, 3, padding="same", activation="relu", name="conv2"),
        layers.Conv2D(3, (3, 5), padding="same", use_bias=False, name="conv3"),
    ]


def pooled():
    return [
        layers.Conv2D(3, 2, activation="relu", name="conv1"),
        layers.MaxPooling2D(3, strides=2),
        layers.AveragePooling2D(2, strides=1),
        layers.Conv2D(6, 2, name="conv2"),
        layers.GlobalAveragePooling2D(),
    ]


def globally_largest():
    return [layers.Conv2D(7, 3, name="conv1"), layers.GlobalMaxPooling2D()]


def numbers(random, shape):
    """Multiples of 1/64 on ±2, which a reader sees through."""
    return random.integers(-128, 129, shape) / 64.0


def golden_values(index, stack):
    random = np.random.default_rng(index)
    images = numbers(random, (BATCH, 11, 10, 1))
    targets = np.eye(CLASSES)[(np.arange(BATCH) * 3 + 1) % CLASSES]
    network = keras.Sequential(
        [keras.Input(images.shape[1:]), *stack, layers.Flatten(), layers.Dense(CLASSES, name="dense1")]
    )
    for variable in network.trainable_variables:
        variable.assign(numbers(random, variable.shape) / 4)
    pixels = tf.Variable(images)
    with tf.GradientTape() as tape:
        logits = network(pixels)
        loss = tf.reduce_mean(tf.nn.softmax_cross_entropy_with_logits(targets, logits))
    variables = network.trainable_variables
    *gradients, input_gradient = tape.gradient(loss, [*[variable.value for variable in variables], pixels])
    values = {"input": images, "targets": targets, "logits": logits, "loss": [loss], "gradient/input": input_gradient}
    for variable, gradient in zip(variables, gradients):
        name = ".".join(variable.path.split("/")[-2:])
        values[f"initial/{name}"] = variable
        values[f"gradient/{name}"] = gradient
    return {name: np.ascontiguousarray(np.asarray(value, np.float64)) for name, value in values.items()}


def main():
    networks = [strided, dilated, grouped, depthwise, same, pooled, globally_largest]
    tensors = {}
    for index, network in enumerate(networks):
        for name, values in golden_values(index, network()).items():
            assert np.isfinite(values).all(), (network.__name__, name)
            tensors[f"{network.__name__}/{name}"] = values
    metadata = {"golden": f"Keras {keras.__version__}, TensorFlow {tf.__version__}, float64"}
    save_file(tensors, Path(__file__).with_suffix(".safetensors"), metadata)


main()
