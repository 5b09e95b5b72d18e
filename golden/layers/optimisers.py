"""Ten steps of every optimiser on six parameters, by Keras in float64.

With the environment of ../README.md, from this folder: python optimisers.py
It writes optimisers.safetensors: `start` [153], `gradients` [10, 153] and, for each case below, its parameters after
each step [10, 153]. Parameters lie one after the other, row by row; crates/nn/tests/suite/optimisers.rs has the same
shapes and constants.
"""

import os

os.environ["KERAS_BACKEND"] = "tensorflow"
os.environ["TF_CPP_MIN_LOG_LEVEL"] = "2"

import keras
import numpy as np
from safetensors.numpy import save_file

keras.config.set_floatx("float64")

STEPS = 10
SHAPES = {
    "conv1.weight": (6, 3, 3, 1),
    "conv1.bias": (6,),
    "dense1.weight": (9, 6),
    "dense1.bias": (9,),
    "dense2.weight": (3, 9),
    "dense2.bias": (3,),
}
# Keras rounds Python floats to float32, whatever floatx is; numpy's float64 it leaves alone.
F = np.float64
ADAM = {"beta_1": F(0.9), "beta_2": F(0.999), "epsilon": F(1e-7)}


def variables(start):
    """Keras variables of these shapes; Muon sees a convolution as a matrix."""
    result, at = {}, 0
    for name, shape in SHAPES.items():
        size = int(np.prod(shape))
        matrix = (shape[0], size // shape[0]) if len(shape) > 1 else shape
        result[name] = keras.Variable(start[at : at + size].reshape(matrix), name=name.replace(".", "_"))
        at += size
    return result


def run(start, gradients, optimiser_of, into_gradient=0.0):
    """The parameters after each step; `optimiser_of(name, shape)` may be one optimiser for several."""
    parameters = variables(start)
    groups = {}
    for name, variable in parameters.items():
        groups.setdefault(optimiser_of(name, variable.shape), []).append(name)
    # Objects are shared by identity: each sees all of its parameters at once, as clipping needs.
    for optimiser, names in groups.items():
        optimiser.build([parameters[name] for name in names])
    steps = []
    for step in gradients:
        gradient, at = {}, 0
        for name, variable in parameters.items():
            size = int(np.prod(variable.shape))
            gradient[name] = step[at : at + size].reshape(variable.shape)
            if name.endswith("weight"):
                gradient[name] = gradient[name] + into_gradient * variable.numpy()
            at += size
        for optimiser, names in groups.items():
            tensors = [keras.ops.convert_to_tensor(gradient[name]) for name in names]
            optimiser.apply(tensors, [parameters[name] for name in names])
        steps.append(np.concatenate([variable.numpy().ravel() for variable in parameters.values()]))
    return np.stack(steps)


def one(optimiser):
    """The same optimiser for all parameters; biases do not decay."""
    if optimiser.weight_decay is not None:
        optimiser.exclude_from_weight_decay(var_names=["bias"])
    return lambda name, shape: optimiser


def muon():
    """Muon for the first two weights, AdamW for all else; learning rate 0.02, decay 0.1, AdamW's rate 0.003."""
    adamw = keras.optimizers.AdamW(learning_rate=F(0.003), weight_decay=F(0.1), **ADAM)
    adamw.exclude_from_weight_decay(var_names=["bias"])

    def optimiser(name, shape):
        if name not in ("conv1.weight", "dense1.weight"):
            return adamw
        # Jordan's scale of the update, which must not touch the decay; Keras has another one, left out.
        scale = max(1.0, shape[0] / shape[1]) ** 0.5
        return keras.optimizers.Muon(
            learning_rate=F(0.02 * scale), weight_decay=F(0.1 / scale), momentum=F(0.95), ns_steps=5, rms_rate=None
        )

    return optimiser


def main():
    random = np.random.default_rng(5)
    size = sum(int(np.prod(shape)) for shape in SHAPES.values())
    start = random.normal(size=size) * 0.3
    gradients = random.normal(size=(STEPS, size)) * 10.0 ** random.uniform(-3, 0, size=(STEPS, 1))
    optimizers = keras.optimizers
    cases = {
        "sgd": run(start, gradients, one(optimizers.SGD(F(0.05), momentum=F(0.9), nesterov=True)), 0.01),
        "momentum": run(start, gradients, one(optimizers.SGD(F(0.05), momentum=F(0.8)))),
        "adam": run(start, gradients, one(optimizers.Adam(F(0.01), **ADAM)), 0.01),
        "adamw": run(
            start, gradients, one(optimizers.AdamW(F(0.01), weight_decay=F(0.1), **ADAM))
        ),
        "rmsprop": run(start, gradients, one(optimizers.RMSprop(F(0.01), rho=F(0.9), epsilon=F(1e-7), global_clipnorm=F(2.0)))),
        "muon": run(start, gradients, muon()),
    }
    norms = np.linalg.norm(gradients, axis=1)
    assert (norms > 2).any() and (norms < 2).any(), norms
    save_file({"start": start, "gradients": gradients, **cases}, "optimisers.safetensors")


main()
