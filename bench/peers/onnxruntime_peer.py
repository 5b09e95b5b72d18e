"""ONNX Runtime on the CPU: infers with the ONNX files that `mnist-study export` wrote beside the weights."""

import peer

MODES = ["session", "int8"]
chosen = peer.options(__doc__, MODES, trains=False)

import numpy as np
import onnxruntime


def inference() -> dict:
    settings = onnxruntime.SessionOptions()
    settings.intra_op_num_threads, settings.inter_op_num_threads = chosen.threads, 1
    settings.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_ALL
    settings.add_session_config_entry("session.set_denormal_as_zero", "1")
    file = chosen.weights.with_suffix(".int8.onnx" if chosen.mode == "int8" else ".onnx")
    session = onnxruntime.InferenceSession(file, settings, providers=["CPUExecutionProvider"])

    def call(images: np.ndarray) -> np.ndarray:
        return session.run(None, {"images": images[:, None]})[0]

    return peer.infer(call, *peer.read_set(chosen.data, "t10k"))


peer.report(chosen, "ONNX Runtime", onnxruntime.__version__, inference())
