"""JAX on the CPU: trains one of the study's two models, or infers with weights that `mnist-study` trained."""

import os

import peer

MODES = ["step", "scan", "step-bf16", "scan-bf16"]
chosen = peer.options(__doc__, MODES)
# XLA takes as many threads as this process may use processors.
if hasattr(os, "sched_setaffinity"):
    os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[: chosen.threads])

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array, lax

PRECISION = jnp.bfloat16 if chosen.mode.endswith("bf16") else jnp.float32
Parameters = dict[str, Array]


def initial(model: str, seed: int) -> Parameters:
    """Keras's initial weights, in our names; convolution kernels `[row, column, channel, filter]`."""
    if model == "cnn":
        shapes = {"conv1": (3, 3, 1, 32), "conv2": (3, 3, 32, 64), "dense1": (1600, 128), "dense2": (128, 10)}
    else:
        shapes = {"lstm1": (28, 512), "dense1": (128, 10)}
    keys = iter(jax.random.split(jax.random.key(seed), 5))
    glorot, orthogonal = jax.nn.initializers.glorot_uniform(), jax.nn.initializers.orthogonal()
    parameters = {}
    for name, shape in shapes.items():
        kind = "kernel" if name == "lstm1" else "weight"
        parameters[f"{name}.{kind}"] = glorot(next(keys), shape)
        parameters[f"{name}.bias"] = jnp.zeros(shape[-1])
    if model == "lstm":
        parameters["lstm1.recurrent_kernel"] = orthogonal(next(keys), (128, 512))
        parameters["lstm1.bias"] = parameters["lstm1.bias"].at[128:256].set(1)
    return parameters


def convolution(x: Array, weight: Array, bias: Array) -> Array:
    """As one product with the nine shifted images side by side: XLA's own convolution is slower here."""
    _, h, w, _ = x.shape
    patches = [x[:, i : i + h - 2, j : j + w - 2] for i in range(3) for j in range(3)]
    return jnp.concatenate(patches, axis=-1) @ weight.reshape(-1, weight.shape[-1]) + bias


def relu_pool(x: Array) -> Array:
    """ReLU of the 2x2 maximum, which is the maximum of the ReLUs. `reduce_window` has a slow gradient."""
    h, w = x.shape[1] // 2 * 2, x.shape[2] // 2 * 2
    rows = jnp.maximum(x[:, 0:h:2, :w], x[:, 1:h:2, :w])
    return jax.nn.relu(jnp.maximum(rows[:, :, 0::2], rows[:, :, 1::2]))


def cnn(p: Parameters, x: Array) -> Array:
    x = relu_pool(convolution(x[..., None], p["conv1.weight"], p["conv1.bias"]))
    x = relu_pool(convolution(x, p["conv2.weight"], p["conv2.bias"]))
    x = jax.nn.relu(x.reshape(len(x), -1) @ p["dense1.weight"] + p["dense1.bias"])
    return x @ p["dense2.weight"] + p["dense2.bias"]


def lstm(p: Parameters, x: Array) -> Array:
    def cell(state: tuple[Array, Array], row: Array):
        h, c = state
        z = row @ p["lstm1.kernel"] + h @ p["lstm1.recurrent_kernel"] + p["lstm1.bias"]
        i, f, g, o = jnp.split(z, 4, axis=1)
        c = jax.nn.sigmoid(f) * c + jax.nn.sigmoid(i) * jnp.tanh(g)
        return (jax.nn.sigmoid(o) * jnp.tanh(c), c), None

    zero = jnp.zeros((len(x), 128), x.dtype)
    (h, _), _ = lax.scan(cell, (zero, zero), jnp.swapaxes(x, 0, 1))
    return h @ p["dense1.weight"] + p["dense1.bias"]


def logits(parameters: Parameters, images: Array) -> Array:
    """Computed in PRECISION from float32 weights; float32 logits."""
    p = {name: values.astype(PRECISION) for name, values in parameters.items()}
    return {"cnn": cnn, "lstm": lstm}[chosen.model](p, images.astype(PRECISION)).astype(jnp.float32)


def mean_loss(parameters: Parameters, images: Array, labels: Array) -> Array:
    log_probability = jax.nn.log_softmax(logits(parameters, images))
    return -jnp.take_along_axis(log_probability, labels[:, None], axis=1).mean()


def update(state: tuple, images: Array, labels: Array) -> tuple:
    """One step of Adam as Keras has it; `state` is (parameters, first moments, second moments, steps made)."""
    parameters, first, second, count = state
    gradient = jax.grad(mean_loss)(parameters, images, labels)
    each = jax.tree.map
    count += 1
    first = each(lambda m, g: m + (g - m) * (1 - peer.BETA_1), first, gradient)
    second = each(lambda v, g: v + (g * g - v) * (1 - peer.BETA_2), second, gradient)
    rate = peer.LEARNING_RATE * jnp.sqrt(1 - peer.BETA_2**count) / (1 - peer.BETA_1**count)
    parameters = each(lambda p, m, v: p - rate * m / (jnp.sqrt(v) + peer.EPSILON), parameters, first, second)
    return parameters, first, second, count


@jax.jit
def step(state: tuple, images: Array, labels: Array, rows: Array) -> tuple:
    return update(state, images[rows], labels[rows])


@jax.jit
def scan(state: tuple, images: Array, labels: Array, order: Array) -> tuple:
    """One compiled loop over the epoch's full batches, then the smaller last one."""
    steps = len(order) // peer.BATCH_SIZE
    full, last = order[: steps * peer.BATCH_SIZE], order[steps * peer.BATCH_SIZE :]
    state, _ = lax.scan(
        lambda state, rows: (update(state, images[rows], labels[rows]), None),
        state,
        full.reshape(steps, peer.BATCH_SIZE),
    )
    return update(state, images[last], labels[last]) if len(last) else state


def training() -> peer.Trained:
    images, labels = peer.read_set(chosen.data, "train", chosen.images)
    images, labels = jnp.asarray(images), jnp.asarray(labels.astype(np.int32))
    random = np.random.default_rng(chosen.seed)

    def epoch(state: tuple, order: np.ndarray) -> tuple:
        order = order.astype(np.int32)
        if chosen.mode.startswith("scan"):
            state = scan(state, images, labels, order)
        else:
            for start in range(0, len(order), peer.BATCH_SIZE):
                state = step(state, images, labels, order[start : start + peer.BATCH_SIZE])
        return jax.block_until_ready(state)

    parameters = initial(chosen.model, chosen.seed)
    zeros = jax.tree.map(jnp.zeros_like, parameters)
    state = (parameters, zeros, zeros, jnp.float32(0))
    # `scan` is compiled for the length of an epoch, `step` for a full batch and for one as large as the last.
    few = len(images) if chosen.mode.startswith("scan") else peer.BATCH_SIZE + len(images) % peer.BATCH_SIZE

    def learn() -> None:
        nonlocal state
        state = epoch(state, random.permutation(len(images)))

    seconds = peer.train(lambda: epoch(state, np.arange(few)), learn, chosen.epochs)
    x, y = peer.read_set(chosen.data, "t10k")
    forward = jax.jit(logits)
    classes = np.concatenate([np.asarray(forward(state[0], x[i : i + 1000])).argmax(1) for i in range(0, len(x), 1000)])
    count = sum(values.size for values in parameters.values())
    return peer.Trained(*seconds, float(np.mean(classes == y)), count, len(images))


def inference() -> dict:
    parameters = jax.tree.map(jnp.asarray, peer.read_weights(chosen.weights))
    forward = jax.jit(logits)
    return peer.infer(lambda images: np.asarray(forward(parameters, images)), *peer.read_set(chosen.data, "t10k"))


peer.report(chosen, "JAX", jax.__version__, inference() if chosen.weights else training())
