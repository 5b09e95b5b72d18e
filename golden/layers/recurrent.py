"""Writes recurrent.safetensors beside this script: what Keras computes in float64 for small recurrent networks.

    python recurrent.py        with the packages of ../requirements.txt

Each network's tensors begin with its name: `initial/` and `gradient/` for every parameter, `gradient/input`, `logits` and
`loss` (softmax cross-entropy, the mean over the images). All networks read `input [images, steps, features]` and learn
`labels`. Names are this program's, layouts Keras's, but for dense layers, whose kernel is transposed: `[units, inputs]`.
The last recurrent layer's output is flattened for the dense layer.
"""

import os
from pathlib import Path

os.environ.update(KERAS_BACKEND="tensorflow", TF_CPP_MIN_LOG_LEVEL="3", CUDA_VISIBLE_DEVICES="")
import keras
import numpy as np
import safetensors.numpy
import tensorflow as tf

IMAGES, STEPS, FEATURES, CLASSES = 4, 5, 6, 3

keras.backend.set_floatx("float64")
random = np.random.default_rng(20)
cells = {"lstm": keras.layers.LSTM, "gru": keras.layers.GRU, "rnn": keras.layers.SimpleRNN}


def layer(spelling):
    """A layer from this program's spelling of it."""
    kind, units, *options = spelling.split()
    result = cells[kind](int(units), return_sequences="sequence" in options)
    return keras.layers.Bidirectional(result) if "bidirectional" in options else result


def names(spellings):
    """This program's parameter names, in Keras's order of the weights."""
    counts = {}
    for spelling in spellings:
        kind = spelling.split()[0]
        counts[kind] = counts.get(kind, 0) + 1
        for direction in ("forward.", "backward.") if "bidirectional" in spelling else ("",):
            for parameter in ("kernel", "recurrent_kernel", "bias"):
                yield f"{kind}{counts[kind]}.{direction}{parameter}"
    yield from ("dense1.weight", "dense1.bias")


def ours(name, value):
    return np.ascontiguousarray(value.T if name == "dense1.weight" else value)


def network_values(spellings, x, labels):
    stack = [layer(spelling) for spelling in spellings]
    network = keras.Sequential(
        [keras.Input((STEPS, FEATURES)), *stack, keras.layers.Flatten(), keras.layers.Dense(CLASSES)]
    )
    # Biases too, which Keras begins at zero, so that no two of them could be exchanged unseen.
    network.set_weights([random.uniform(-0.8, 0.8, weight.shape) for weight in network.get_weights()])
    all_names = list(names(spellings))
    assert len(all_names) == len(network.weights), spellings
    with tf.GradientTape() as tape:
        tape.watch(x)
        logits = network(x, training=True)
        loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)(labels, logits)
    variables = [variable.value for variable in network.trainable_variables]
    d_input, *gradients = tape.gradient(loss, [x, *variables])
    values = {f"initial/{name}": ours(name, value) for name, value in zip(all_names, network.get_weights())}
    values |= {f"gradient/{name}": ours(name, value.numpy()) for name, value in zip(all_names, gradients)}
    return values | {"gradient/input": d_input.numpy(), "logits": logits.numpy(), "loss": np.array([loss.numpy()])}


NETWORKS = {
    "lstm-sequence": ["lstm 5 sequence"],
    "lstm-stacked": ["lstm 4 sequence", "lstm 5"],
    "lstm-bidirectional": ["lstm 3 bidirectional"],
    "lstm-bidirectional-sequence": ["lstm 3 bidirectional sequence"],
    "gru": ["gru 5"],
    "gru-stacked": ["gru 3 bidirectional sequence", "gru 4 sequence"],
    "rnn": ["rnn 5"],
    "rnn-stacked": ["rnn 3 bidirectional sequence", "rnn 4 bidirectional"],
}

x, labels = random.uniform(-1, 1, (IMAGES, STEPS, FEATURES)), np.array([0, 2, 1, 2])
tensors = {"input": x, "labels": labels.astype(np.uint8)}
for name, spellings in NETWORKS.items():
    values = network_values(spellings, tf.constant(x), labels)
    tensors |= {f"{name}/{key}": value for key, value in values.items()}
file = Path(__file__).with_suffix(".safetensors")
safetensors.numpy.save_file(tensors, file)
print(f"{file}: {file.stat().st_size} bytes")
