"""What ONNX Runtime makes of the models in a folder, beside the logits that came with them, as JSON.

With the arguments `normalised MEAN STD` it reads (x - MEAN) / STD in the place of images x. With `plain` it computes what the files say, without optimisations of its own: those round more of an
eight-bit model than the file does.

`images.u8` holds the images, one after the other, the channels of a pixel together; `NAME.f32` this program's logits of them for the model `NAME.onnx`.
"""

import json
import sys
from pathlib import Path

import numpy as np
import onnx
import onnxruntime

folder = Path(sys.argv[1])
report = {}
pixels = np.fromfile(folder / "images.u8", np.uint8)
for file in sorted(folder.glob("*.onnx")):
    onnx.checker.check_model(str(file), full_check=True)
    model = onnx.load(file)
    _, channels, height, width = (size.dim_value for size in model.graph.input[0].type.tensor_type.shape.dim)
    images = pixels.reshape(-1, height, width, channels).transpose(0, 3, 1, 2).astype(np.float32) / 255
    if sys.argv[2:3] == ["normalised"]:
        mean, std = map(np.float32, sys.argv[3:5])
        images = (images - mean) / std
    settings = onnxruntime.SessionOptions()
    settings.intra_op_num_threads = 2
    if sys.argv[2:3] == ["plain"]:
        settings.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    session = onnxruntime.InferenceSession(str(file), settings, providers=["CPUExecutionProvider"])
    outputs = [session.run(None, {"images": part})[0] for part in np.split(images, [1, 1000]) if len(part)]
    found = np.concatenate(outputs)
    ours = np.fromfile(file.with_suffix(".f32"), np.float32).reshape(len(images), -1)
    report[file.stem] = {
        "output": session.get_outputs()[0].name,
        "difference": float(np.abs(found[:1000] - ours[:1000]).max()),
        "largest": float(np.abs(ours[:1000]).max()),
        "other_classes": int((found.argmax(1) != ours.argmax(1)).sum()),
        "metadata": {entry.key: entry.value for entry in model.metadata_props},
        "operators": sorted({node.op_type for node in model.graph.node}),
        "bytes": file.stat().st_size,
    }
print(json.dumps(report))
