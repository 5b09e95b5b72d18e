"""Writes pointwise.safetensors beside this script: activations and normalisations in Keras, float64.

    python golden/layers/pointwise.py

Versions as in golden/requirements.txt. Three networks on one batch of five images, 6 x 7 pixels, four classes; tensors
are named NETWORK/..., with parameters named and laid out as ours (filters or units first): what they were (initial/),
logits and loss while learning, gradients of the loss, logits in inference, and what became of running statistics
(moved/) with a momentum of 0.9.
"""

import os
from pathlib import Path

import numpy as np
from safetensors.numpy import save_file

os.environ.update(KERAS_BACKEND="tensorflow", TF_ENABLE_ONEDNN_OPTS="0", TF_CPP_MIN_LOG_LEVEL="3")
os.environ["CUDA_VISIBLE_DEVICES"] = ""
import keras
import tensorflow as tf

keras.backend.set_floatx("float64")
L = keras.layers
BATCH, HEIGHT, WIDTH, CLASSES = 5, 6, 7, 4


def gelu():
    """The exact one by its definition: TensorFlow's rounds 1 / sqrt(2) to float32 in float64 too, an error of 5e-9."""
    return L.Activation(lambda x: x * (1 + keras.ops.erf(x / np.sqrt(np.float64(2)))) / 2)


def batch_norm():
    return L.BatchNormalization(momentum=0.9)


NETWORKS = {
    "activations": [
        L.Conv2D(3, 3),
        L.LeakyReLU(negative_slope=0.125),  # TensorFlow takes the slope as a float32.
        L.Conv2D(3, 1),
        gelu(),
        L.Conv2D(2, 1),
        L.Activation("silu"),
        L.Flatten(),
        L.Dense(6),
        L.Activation("tanh"),
        L.Dense(5),
        L.Activation("sigmoid"),
        L.Dense(CLASSES),
    ],
    "layernorm": [
        L.LayerNormalization(),
        L.Conv2D(3, 3),
        L.LayerNormalization(),
        L.ReLU(),
        L.Flatten(),
        L.Dense(6),
        L.LayerNormalization(),
        gelu(),
        L.Dense(CLASSES),
    ],
    "batchnorm": [
        batch_norm(),
        L.Conv2D(3, 3),
        batch_norm(),
        L.ReLU(),
        L.Flatten(),
        L.Dense(6),
        batch_norm(),
        L.Activation("tanh"),
        L.Dense(CLASSES),
    ],
}
KINDS = {"Conv2D": "conv", "Dense": "dense", "LayerNormalization": "layernorm", "BatchNormalization": "batchnorm"}
NAMES = {
    "kernel": "weight",
    "bias": "bias",
    "gamma": "scale",
    "beta": "offset",
    "moving_mean": "mean",
    "moving_variance": "variance",
}


def our_layout(name, value):
    """Filters or units first."""
    return np.ascontiguousarray(np.moveaxis(value, -1, 0)) if name.endswith(".weight") else value


def values_of(name, stack, seed):
    random = np.random.default_rng(seed)
    network = keras.Sequential([keras.Input((HEIGHT, WIDTH, 1)), *stack])
    counts, variables = {}, {}
    for layer in network.layers:
        kind = KINDS.get(type(layer).__name__)
        if kind:
            counts[kind] = counts.get(kind, 0) + 1
            for variable in layer.weights:
                variables[f"{kind}{counts[kind]}.{NAMES[variable.name]}"] = variable
    for parameter, variable in variables.items():
        value = random.uniform(-0.6, 0.6, variable.shape)
        if parameter.endswith((".scale", ".variance")):
            value += 1.0
        variable.assign(value)
    values = {f"initial/{p}": our_layout(p, v.numpy()) for p, v in variables.items()}

    x = tf.constant(random.uniform(-1.0, 1.0, (BATCH, HEIGHT, WIDTH, 1)))
    labels = np.arange(BATCH) % CLASSES
    values["inference/logits"] = network(x, training=False).numpy()
    learnt = {p: v for p, v in variables.items() if v.trainable}
    with tf.GradientTape() as tape:
        tape.watch(x)
        logits = network(x, training=True)
        loss = keras.losses.CategoricalCrossentropy(from_logits=True)(np.eye(CLASSES)[labels], logits)
    input_gradient, *gradients = tape.gradient(loss, [x, *(v.value for v in learnt.values())])
    values |= {f"gradient/{p}": our_layout(p, g.numpy()) for p, g in zip(learnt, gradients)}
    values |= {f"moved/{p}": v.numpy() for p, v in variables.items() if not v.trainable}
    values |= {"input": x.numpy(), "labels": labels.astype(np.uint8), "gradient/input": input_gradient.numpy()}
    values |= {"logits": logits.numpy(), "loss": np.array([loss.numpy()])}
    return {f"{name}/{key}": value for key, value in values.items()}


tensors = {}
for seed, (name, stack) in enumerate(NETWORKS.items(), 1):
    tensors |= values_of(name, stack, seed)
assert all(value.dtype in (np.float64, np.uint8) for value in tensors.values())
save_file(tensors, Path(__file__).resolve().parent / "pointwise.safetensors")
