"""ONNX Runtime on the CPU: infers with weights that `mnist-study` trained, exported to an ONNX graph."""

import peer

MODES = ["session"]
chosen = peer.options(__doc__, MODES, trains=False)

import numpy as np
import onnx
import onnxruntime
from onnx import TensorProto, helper, numpy_helper

OPERATOR_SET = 21


def cnn(weights: dict[str, np.ndarray]) -> tuple[list, dict[str, np.ndarray]]:
    """Nodes from `images` to `logits`, and their constants. ONNX convolves `[image, channel, row, column]`."""
    constants = dict(weights) | {"picture": np.array([-1, 1, 28, 28]), "features": np.array([-1, 1600])}
    constants["dense1.weight"] = peer.channels_first(weights["dense1.weight"])
    for name in ("conv1.weight", "conv2.weight"):
        constants[name] = weights[name].transpose(0, 3, 1, 2)
    nodes = [helper.make_node("Reshape", ["images", "picture"], ["x0"])]
    for index in (1, 2):
        convolution = [f"x{index - 1}", f"conv{index}.weight", f"conv{index}.bias"]
        nodes += [
            helper.make_node("Conv", convolution, [f"z{index}"]),
            helper.make_node("Relu", [f"z{index}"], [f"a{index}"]),
            helper.make_node("MaxPool", [f"a{index}"], [f"x{index}"], kernel_shape=[2, 2], strides=[2, 2]),
        ]
    nodes += [
        helper.make_node("Reshape", ["x2", "features"], ["flat"]),
        helper.make_node("Gemm", ["flat", "dense1.weight", "dense1.bias"], ["z3"]),
        helper.make_node("Relu", ["z3"], ["x3"]),
        helper.make_node("Gemm", ["x3", "dense2.weight", "dense2.bias"], ["logits"]),
    ]
    return nodes, constants


def lstm(weights: dict[str, np.ndarray]) -> tuple[list, dict[str, np.ndarray]]:
    """Nodes from `images` to `logits`, and their constants. ONNX's gates are i, o, f, c; ours are i, f, c, o."""

    def gates(values: np.ndarray) -> np.ndarray:
        i, f, c, o = np.split(values, 4, axis=-1)
        return np.concatenate([i, o, f, c], axis=-1).T[None]

    constants = {"kernel": gates(weights["lstm1.kernel"]), "recurrent": gates(weights["lstm1.recurrent_kernel"])}
    # The second half is added to the first: ONNX has a bias for the input and one for the state.
    bias = gates(weights["lstm1.bias"])
    constants["bias"] = np.concatenate([bias, np.zeros_like(bias)], axis=1)
    constants |= {"direction": np.array([0])} | {name: weights[name] for name in ("dense1.weight", "dense1.bias")}
    nodes = [
        helper.make_node("Transpose", ["images"], ["rows"], perm=[1, 0, 2]),
        helper.make_node("LSTM", ["rows", "kernel", "recurrent", "bias"], ["", "states"], hidden_size=128),
        helper.make_node("Squeeze", ["states", "direction"], ["state"]),
        helper.make_node("Gemm", ["state", "dense1.weight", "dense1.bias"], ["logits"]),
    ]
    return nodes, constants


def export() -> bytes:
    """The model as an ONNX file's bytes, with a free number of images."""
    nodes, constants = {"cnn": cnn, "lstm": lstm}[chosen.model](peer.read_weights(chosen.weights))
    images = helper.make_tensor_value_info("images", TensorProto.FLOAT, ["n", 28, 28])
    logits = helper.make_tensor_value_info("logits", TensorProto.FLOAT, ["n", 10])
    initializers = [numpy_helper.from_array(np.ascontiguousarray(values), name) for name, values in constants.items()]
    graph = helper.make_graph(nodes, chosen.model, [images], [logits], initializers)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", OPERATOR_SET)], ir_version=10)
    onnx.checker.check_model(model, full_check=True)
    return model.SerializeToString()


def inference() -> dict:
    settings = onnxruntime.SessionOptions()
    settings.intra_op_num_threads, settings.inter_op_num_threads = chosen.threads, 1
    settings.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_ALL
    settings.add_session_config_entry("session.set_denormal_as_zero", "1")
    session = onnxruntime.InferenceSession(export(), settings, providers=["CPUExecutionProvider"])

    def call(images: np.ndarray) -> np.ndarray:
        return session.run(None, {"images": images})[0]

    return peer.infer(call, *peer.read_set(chosen.data, "t10k"))


peer.report(chosen, "ONNX Runtime", onnxruntime.__version__, inference())
