"""What torchvision's functional formulas make of small images, in NumPy: `python golden/augmentation/make.py`.

`adjust_brightness`, `adjust_contrast` and `adjust_saturation` blend the image with black, with its mean grey and with each
pixel's grey: factor * image + (1 - factor) * other, clamped to 0..1. The grey is Rec. 601's with Pillow's weights.
"""

import json
import pathlib

import numpy as np

WEIGHTS = np.array([0.299, 0.587, 0.114])


def blend(image, other, factor):
    return np.clip(factor * image + (1.0 - factor) * other, 0.0, 1.0)


def grey(image):
    return image @ WEIGHTS if image.shape[-1] == 3 else image[..., 0]


def changed(image, brightness, contrast, saturation):
    image = blend(image, np.zeros_like(image), brightness)
    image = blend(image, grey(image).mean(), contrast)
    return blend(image, grey(image)[..., None], saturation) if image.shape[-1] == 3 else image


def main():
    random = np.random.default_rng(18)
    cases = []
    # 5 x 7 pixels are two blocks of sums and a rest in colour, less than one in grey.
    for shape in [(5, 7, 3), (5, 7, 1), (1, 1, 3), (9, 11, 1)]:
        noise = random.integers(0, 256, shape)
        noise.flat[0], noise.flat[-1] = 0, 255
        for factors in [(1, 1, 1), (0.6, 1, 1), (1.7, 1, 1), (1, 0.3, 1), (1, 1.8, 1), (1, 0, 1), (1, 1, 0.25),
                        (1, 1, 1.9), (1, 1, 0), (0, 0.5, 0.5), (1.4, 0.7, 1.3), (0.8, 1.4, 0.6), (3.5, 2.5, 4)]:
            expected = changed(noise / 255.0, *factors)
            cases.append({
                "channels": shape[2],
                "factors": factors,
                "image": noise.ravel().tolist(),
                "expected": [round(value, 7) for value in expected.ravel().tolist()],
            })
    lines = ",\n".join(json.dumps(case, separators=(",", ":")) for case in cases)
    pathlib.Path(__file__).with_name("values.json").write_text(f"[\n{lines}\n]\n")


main()
