"""Writes the golden files beside this script: what Keras computes for the models of hashed.py.

    python make.py

Each precision runs in a process of its own, since Keras's floatx is global. Nothing is written unless float32 agrees
with float64, Keras's float64 with the plain equations of plain.py, and the gradients with central differences.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np

import hashed
import plain

HERE = Path(__file__).resolve().parent
STRIDE, STRIDED_ABOVE = 17, 20_000
TOTAL_BYTES = 3_000_000
ADAM_SIZE, ADAM_STEPS = 17, 5

# ---------------------------------------------------------------- in Keras


def set_up_keras(floatx):
    """Imports Keras on TensorFlow so that two runs on one machine give the same bits."""
    # Set before the import, which reads them. oneDNN picks its kernels, and so its rounding, by processor.
    os.environ.update(KERAS_BACKEND="tensorflow", TF_ENABLE_ONEDNN_OPTS="0", TF_CPP_MIN_LOG_LEVEL="3")
    os.environ["CUDA_VISIBLE_DEVICES"] = ""
    import keras
    import tensorflow as tf

    tf.config.threading.set_intra_op_parallelism_threads(1)
    tf.config.threading.set_inter_op_parallelism_threads(1)
    tf.config.experimental.enable_op_determinism()
    keras.utils.set_random_seed(0)
    keras.backend.set_floatx(floatx)
    keras.backend.set_image_data_format("channels_last")
    return keras, tf


def build(keras, model):
    """The Keras model with Keras's own initial weights."""
    layers = keras.layers
    if model.kind == "lstm":
        stack = [layers.LSTM(model.hidden, name="lstm"), layers.Dense(model.classes, name="dense")]
    else:
        first, second = model.channels
        stack = [
            layers.Conv2D(first, 3, activation="relu", name="conv1"),
            layers.MaxPooling2D(2),
            layers.Conv2D(second, 3, activation="relu", name="conv2"),
            layers.MaxPooling2D(2),
            layers.Flatten(),
            layers.Dense(model.hidden, activation="relu", name="dense1"),
            layers.Dense(model.classes, name="dense2"),
        ]
    network = keras.Sequential([keras.Input(model.input), *stack])
    shapes = [tuple(variable.shape) for variable in network.trainable_variables]
    assert shapes == [parameter.shape for parameter in model.parameters()], (model.name, shapes)
    return network


def adam(keras, floatx):
    """Keras's Adam with the study's numbers; plain.adam states its equations."""
    # Keras rounds Python floats to float32 before it raises them to the step's power, whatever floatx is: 2.6e-8 in a
    # weight after five steps. numpy's float64 it leaves alone; in float32 they would turn the moments into float64.
    number = np.float64 if floatx == "float64" else float
    return keras.optimizers.Adam(learning_rate=1e-3, beta_1=number(0.9), beta_2=number(0.999), epsilon=1e-7)


def golden_values(keras, tf, model, floatx):
    """Every value of one model as {tensor name: array}."""
    network = build(keras, model)
    names = [parameter.name for parameter in model.parameters()]
    network.set_weights([parameter.value() for parameter in model.parameters()])
    cross_entropy = keras.losses.CategoricalCrossentropy(from_logits=True)
    optimizer = adam(keras, floatx)
    pixels, labels = hashed.batches(model)
    # Rounded to float32 in both precisions, so that both compute the same problem.
    inputs = (pixels.astype(np.float32) / np.float32(255)).astype(floatx)
    targets = np.eye(model.classes, dtype=floatx)[labels]

    values = {f"initial/{n}": v for n, v in zip(names, network.get_weights())}
    losses, trajectory = [], []
    for step in range(hashed.STEPS):
        batch = step % len(inputs)
        x, y = tf.constant(inputs[batch]), tf.constant(targets[batch])
        with tf.GradientTape() as tape:
            tape.watch(x)
            logits = network(x, training=True)
            loss = cross_entropy(y, logits)
        variables = [variable.value for variable in network.trainable_variables]
        input_gradient, *gradients = tape.gradient(loss, [x, *variables])
        if step == 0:
            values |= {f"gradient/{n}": g.numpy() for n, g in zip(names, gradients)}
            values |= {"gradient/input": input_gradient.numpy(), "logits": logits.numpy()}
            values |= {"input": inputs[0], "targets": targets[0]}
        losses.append(loss.numpy())
        optimizer.apply(gradients, network.trainable_variables)
        trajectory.append(network.get_weights())
    values["losses"] = np.array(losses)
    values |= {f"trajectory/{n}": np.stack(v) for n, v in zip(names, zip(*trajectory))}
    values |= {f"final/{n}": v for n, v in zip(names, trajectory[-1])}
    values["final/logits"] = network(tf.constant(inputs[0]), training=False).numpy()
    return values


def adam_gradients():
    """Start [17] and gradients [5, 17], float32: zeros, changing signs, magnitudes from 1e-8 to 1e3."""
    start = hashed.weight(0x200, (ADAM_SIZE,), 1024)
    gradients = hashed.weight(0x201, (ADAM_STEPS, ADAM_SIZE), 1024)
    gradients *= np.float32(10.0) ** np.linspace(-8, 3, ADAM_SIZE).round().astype(np.float32)
    gradients[:, 3] = 0
    gradients[1:, 7] = 0
    gradients[:3, 11] = 0
    return start, gradients.astype(np.float32)


def adam_values(keras, tf, floatx):
    """Keras's m, v and weights after each step."""
    start, gradients = adam_gradients()
    optimizer = adam(keras, floatx)
    variable = keras.Variable(start.astype(floatx))
    optimizer.build([variable])
    momentum, velocity = optimizer.variables[-2:]
    steps = []
    for gradient in gradients.astype(floatx):
        optimizer.apply([tf.constant(gradient)], [variable])
        steps.append([state.numpy() for state in (momentum, velocity, variable)])
    return {name: np.stack(values) for name, values in zip(("m", "v", "weight"), zip(*steps))}


def pool_values(keras, tf, floatx):
    """Which of several equal maxima a pool's gradient goes to."""
    x = np.array([[1, 1, 2, 0, 9], [1, 1, 0, 2, 9], [0, 3, 5, 5, 9], [3, 3, 4, 5, 9], [9, 9, 9, 9, 9]], floatx)
    x = tf.constant(x.reshape(1, 5, 5, 1))
    with tf.GradientTape() as tape:
        tape.watch(x)
        y = keras.ops.max_pool(x, 2, 2)
        total = tf.reduce_sum(y * tf.constant(np.array([1, 2, 3, 4], floatx).reshape(1, 2, 2, 1)))
    return {"input": x.numpy(), "output": y.numpy(), "gradient/input": tape.gradient(total, x).numpy()}


def check_initialisers(keras):
    """Keras's defaults are what README.md says: Glorot uniform, orthogonal, zeros, ones for the forget gate."""
    for model in hashed.MODELS[:2]:
        network = build(keras, model)
        for parameter, value in zip(model.parameters(), network.get_weights()):
            if parameter.name == "lstm.recurrent_kernel":
                assert np.abs(value @ value.T - np.eye(len(value))).max() < 1e-5
            elif parameter.name == "lstm.bias":
                assert (value == np.repeat([0, 1, 0, 0], model.hidden)).all()
            elif parameter.name.endswith("bias"):
                assert (value == 0).all()
            else:
                glorot = np.sqrt(6 / sum(hashed.fans(parameter.shape)))
                assert 0.95 * glorot < np.abs(value).max() <= glorot * (1 + 1e-6), parameter.name
                assert abs(value.var() * 3 / glorot**2 - 1) < 0.2, parameter.name


def run_in_keras(floatx, file):
    """The child process: every value in one precision, into one .npz file."""
    keras, tf = set_up_keras(floatx)
    check_initialisers(keras)
    values = {model.name: golden_values(keras, tf, model, floatx) for model in hashed.MODELS}
    values |= {"adam": adam_values(keras, tf, floatx), "pool": pool_values(keras, tf, floatx)}
    flat = {f"{owner}|{name}": value for owner, tensors in values.items() for name, value in tensors.items()}
    assert all(value.dtype == floatx for value in flat.values()), [n for n, v in flat.items() if v.dtype != floatx]
    versions = {"keras": keras.__version__, "tensorflow": tf.__version__, "numpy": np.__version__}
    np.savez(file, versions=json.dumps(versions), **flat)


# ---------------------------------------------------------------- checks


def difference(single, double):
    """The largest difference over the largest magnitude of the float64 tensor."""
    largest = np.abs(double).max()
    return float(np.abs(single - double).max() / largest) if largest else float(np.abs(single).max())


def check_precisions(model, single, double):
    """Asserts that float32 agrees with float64; returns the largest difference of each kind of tensor."""
    # About four times what was measured. Weights after steps are compared against one learning rate, 1e-3: Adam divides
    # by a gradient's own size, so the rounding of small gradients reaches them undiminished. In float32 Keras computes
    # 1 - beta_2^t with an error of up to 2e-5 of itself, which shifts every weight; in `cnn` that and rounding carry an
    # activation of the seventh batch over a kink.
    allowed = {"initial": 0, "input": 0, "targets": 0, "logits": 2e-6, "losses": 8e-6, "gradient": 4e-6}
    allowed |= {"final/logits": 4e-5, "final": 0.05, "trajectory": 0.05}
    found = {}
    for name in single:
        kind = name if name in allowed else name.split("/")[0]
        if kind in ("final", "trajectory"):
            value = float(np.abs(single[name] - double[name]).max() / 1e-3)
        else:
            value = difference(single[name], double[name])
        assert value <= allowed[kind], (model.name, name, value)
        found[kind] = max(found.get(kind, 0), value)
    return {kind: float(f"{value:.2g}") for kind, value in found.items()}


def check_against_plain(model, double):
    """Asserts that Keras computes plain.py's equations and that its gradients are their derivatives."""
    weights = {p.name: p.value().astype(np.float64) for p in model.parameters()}
    for name, value in weights.items():
        assert (double[f"initial/{name}"] == value).all(), name
    x, labels = double["input"].copy(), double["targets"].argmax(axis=1)
    forward = plain.cnn if model.kind == "cnn" else plain.lstm
    assert difference(forward(weights, x), double["logits"]) < 1e-12, model.name
    assert abs(plain.loss(double["logits"], labels) - double["losses"][0]) < 1e-12, model.name

    # Every element of the small twins, a few of each tensor of the others. Not the full CNN's input: where a pool's
    # maxima are equal, a pixel has no derivative.
    varied = [*weights.items()] + [("input", x)] * (model.name != "cnn")
    for name, values in varied:
        step = 1 if model.name.endswith("small") else 1 + values.size // (2 if model.full else 20)
        gradient = double[f"gradient/{name}"].ravel()
        for index in range(0, values.size, step):
            expected = plain.central_difference(lambda: plain.loss(forward(weights, x), labels), values, index)
            assert abs(expected - gradient[index]) < 1e-8, (model.name, name, index, expected, gradient[index])


def check_kinks(model, double):
    """Asserts that no ReLU or pool of the first batch is decided by float32 rounding; returns what README.md tells."""
    distances = []
    weights = {p.name: double[f"initial/{p.name}"] for p in model.parameters()}
    plain.cnn(weights, double["input"], distances)
    distances = np.concatenate(distances)
    # Equal maxima of one window come from equal patches (here: all zero), up to float64 rounding.
    tied = distances < 1e-12
    nearest = distances[~tied].min()
    assert nearest > (5e-6 if model.full else 2e-5), (model.name, nearest)
    assert model.full or not tied.any(), model.name
    return {"nearest_kink": float(f"{nearest:.2g}"), "tied_windows": int(tied.sum())}


def check_adam(single, double):
    """Asserts that Keras's float64 Adam is plain.adam; returns its values, which are the float64 golden ones."""
    start, gradients = adam_gradients()
    formula = [np.stack(v) for v in zip(*plain.adam(start.astype(np.float64), gradients.astype(np.float64)))]
    for name, expected in zip(("m", "v", "weight"), formula):
        np.testing.assert_allclose(double[name], expected, rtol=1e-12, atol=0, err_msg=name)
        # Each number against the largest it ever was: a moment that crosses zero keeps its rounding.
        largest = np.abs(expected).max(axis=0)
        assert (np.abs(single[name] - expected) <= 4e-7 * largest).all(), name
    return dict(zip(("m", "v", "weight"), formula))


# ---------------------------------------------------------------- writing


def encode(tensors, about):
    """The bytes of a .safetensors file."""
    from safetensors.numpy import save

    # One metadata key: safetensors writes several in an order that changes from run to run.
    metadata = {"golden": json.dumps(about, sort_keys=True)}
    return save({name: np.ascontiguousarray(value) for name, value in tensors.items()}, metadata)


def twin_tensors(model, values):
    kept = {name: value for name, value in values.items() if not name.startswith("trajectory/")}
    if model.name.endswith("small"):
        kept |= {name: value for name, value in values.items() if name.startswith("trajectory/")}
    return kept


def full_tensors(model, single, double):
    """The full models' weights and inputs come from the formula; large final weights are kept in part."""
    kept = {}
    for name, value in single.items():
        kind = name.split("/")[0]
        if kind == "final" and value.size > STRIDED_ABOVE:
            kept[name.replace("final/", f"final_every_{STRIDE}th/")] = value.ravel()[::STRIDE]
        elif name == "gradient/input":
            # A CNN's input gradient depends on which of equal maxima a pool takes; everything else does not.
            if model.kind == "lstm":
                kept[name] = value
        elif kind not in ("initial", "trajectory", "input", "targets"):
            kept[name] = value
    return kept | {f"float64/{name}": double[name] for name in ("logits", "losses", "final/logits")}


def formula_examples():
    """Values for checking another implementation of the formula: bits in hexadecimal."""
    hashes = [[t, i, f"{int(hashed.hash64(t, [i])[0]):016x}"] for t, i in ((0, 0), (0, 1), (1, 0), (258, 4294967295))]
    parameters = {}
    for model in hashed.MODELS:
        for p in model.parameters():
            bits = p.value().ravel().view(np.uint32)
            parameters[f"{model.name}/{p.name}"] = {
                "tensor": p.tensor,
                "shape": p.shape,
                "limit_1024": p.limit_1024,
                "first": [float(v) for v in p.value().ravel()[:3]],
                "first_bits": [f"{b:08x}" for b in bits[:3]],
                "last_bits": f"{bits[-1]:08x}",
                "sum_of_bits": int(bits.astype(np.uint64).sum()),
            }
    images, labels = hashed.digits(hashed.STEPS * hashed.BATCH)
    row = images[0, 16]
    assert 0.78 < (images == 0).mean() < 0.84
    return {
        "formula": "the doc comment of hashed.py",
        "hash": hashes,
        "parameters": parameters,
        "images": {"image_0_row_16": row.tolist(), "sum": int(images.sum()), "zeros": int((images == 0).sum())},
        "labels_of_batch_0": labels[: hashed.BATCH].tolist(),
    }


def one_entry_a_line(sections):
    """JSON with a line for each entry of each section, so that a difference between two versions is readable."""
    texts = []
    for name, section in sections.items():
        if isinstance(section, dict):
            lines = [f"  {json.dumps(key)}: {json.dumps(value)}" for key, value in section.items()]
            texts.append(f" {json.dumps(name)}: {{\n" + ",\n".join(lines) + "\n }")
        else:
            texts.append(f" {json.dumps(name)}: {json.dumps(section)}")
    return "{\n" + ",\n".join(texts) + "\n}\n"


def initialisers():
    """What Keras draws the full models' initial weights from; nothing here is bit for bit."""
    texts = {}
    for model in hashed.MODELS[:2]:
        for p in model.parameters():
            if p.name == "lstm.recurrent_kernel":
                text = "orthogonal: rows orthonormal, R R^T = I (128x128)"
            elif p.name == "lstm.bias":
                text = "zeros, the forget gate's 128..256 ones"
            elif p.name.endswith("bias"):
                text = "zeros"
            else:
                inward, outward = hashed.fans(p.shape)
                text = f"uniform in +-sqrt(6 / ({inward} + {outward})) = {np.sqrt(6 / (inward + outward)):.9f}"
            texts[f"{model.name}/{p.name}"] = text
    return texts


def in_both_precisions():
    """Runs the child processes; {floatx: {owner: {tensor name: array}}} and the versions that made them."""
    results = {}
    with tempfile.TemporaryDirectory() as folder:
        for floatx in ("float32", "float64"):
            file = Path(folder, f"{floatx}.npz")
            subprocess.run([sys.executable, __file__, "--floatx", floatx, "--into", file], check=True)
            with np.load(file) as archive:
                versions = json.loads(str(archive["versions"]))
                owners = results.setdefault(floatx, {})
                for key in archive.files:
                    owner, _, name = key.partition("|")
                    owners.setdefault(owner, {})[name] = archive[key]
    return results["float32"], results["float64"], versions


def model_files(model, single, double, versions):
    """{file name: bytes} of one model, after every check."""
    about = {"model": model.name, "versions": versions, "layout": "Keras, row-major; see README.md"}
    about["float32_against_float64"] = check_precisions(model, single, double)
    check_against_plain(model, double)
    if model.kind == "cnn":
        about |= check_kinks(model, double)
    print(json.dumps(about))
    if not model.full:
        return {
            f"{model.name}.safetensors": encode(twin_tensors(model, single), about),
            f"{model.name}.f64.safetensors": encode(twin_tensors(model, double), about),
        }
    size = sum(int(np.prod(p.shape)) for p in model.parameters())
    assert size == {"cnn": 225_034, "lstm": 81_674}[model.name]
    return {f"{model.name}.safetensors": encode(full_tensors(model, single, double), about)}


def main():
    single, double, versions = in_both_precisions()
    files = {}
    for model in hashed.MODELS:
        files |= model_files(model, single[model.name], double[model.name], versions)

    exact = check_adam(single["adam"], double["adam"])
    start, gradients = adam_gradients()
    tensors = {"start": start, "gradients": gradients} | single["adam"]
    tensors |= {f"float64/{name}": value for name, value in exact.items()}
    files["adam.safetensors"] = encode(tensors, {"versions": versions})

    assert all((single["pool"][name] == double["pool"][name]).all() for name in single["pool"])
    files["pool.safetensors"] = encode(single["pool"], {"versions": versions})
    images, labels = hashed.batches(hashed.MODELS[0])
    files["digits.safetensors"] = encode({"images": images[..., 0], "labels": labels}, {"formula": "see hashed.py"})
    formula = formula_examples() | {"initialisers": initialisers(), "versions": versions}
    files["formula.json"] = one_entry_a_line(formula).encode()

    total = sum(map(len, files.values()))
    assert total <= TOTAL_BYTES, total
    for name, content in files.items():
        (HERE / name).write_bytes(content)
    print(f"{total:,} bytes")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--floatx", help=argparse.SUPPRESS)
    parser.add_argument("--into", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.floatx:
        run_in_keras(arguments.floatx, arguments.into)
    else:
        main()
