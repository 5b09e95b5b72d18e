"""Writes what other software makes of small image sets, and expected.json with what Python says they hold.

    python3 -m venv venv && venv/bin/pip install -r requirements.txt && venv/bin/python make.py

A few seconds. NumPy, Pillow, pandas and SciPy write the files; nothing here calls the Rust code. Folders are kept in folders.zip.
"""

import gzip
import hashlib
import io
import json
import pathlib
import zipfile

import numpy as np
import pandas as pd
import PIL
from PIL import Image, ImageOps
import scipy
import scipy.io

EXPECTED = {"numpy": "2.4.6", "pillow": "13.0.0", "pandas": "3.1.1", "scipy": "1.17.1"}
HERE = pathlib.Path(__file__).parent
generator = np.random.default_rng(5)
cases = []
folders = zipfile.ZipFile(HERE / "folders.zip", "w", zipfile.ZIP_DEFLATED)


def put(name, data):
    """A file of a folder, at a fixed date so that the archive is the same each time."""
    folders.writestr(zipfile.ZipInfo(name, (2026, 11, 29, 0, 0, 0)), data, zipfile.ZIP_DEFLATED)


def part(images, labels):
    images = np.asarray(images, np.uint8)
    images = images[..., None] if images.ndim == 3 else images
    data = images.tobytes()
    data = data.hex() if len(data) < 10_000 else "sha256:" + hashlib.sha256(data).hexdigest()
    return {"shape": list(images.shape), "pixels": data, "labels": [int(label) for label in labels]}


def case(path, classes, training, validation=None, test=None, **reading):
    cases.append({"path": path, "classes": classes, "reading": reading,
                  "training": part(*training), "validation": validation and part(*validation), "test": test and part(*test)})


def pixels(*shape):
    return generator.integers(0, 256, shape).astype(np.uint8)


def labels(count, classes):
    return np.concatenate([np.arange(classes), generator.integers(0, classes, count - classes)])


def numbers(count):
    return [str(number) for number in range(count)]


# The same 40 small images in colour, in every container. Few shades in squares: the files stay small.
images = (generator.integers(0, 4, (40, 8, 8, 3)) * 85).repeat(4, 1).repeat(4, 2).astype(np.uint8)
images[:, 3, 5, :] = pixels(40, 3)
of = np.arange(40) // 4
for extension, options in [("png", {}), ("bmp", {}), ("ppm", {}), ("tiff", {"compression": "tiff_deflate"}), ("webp", {"lossless": True}), ("qoi", {})]:
    for index, image in enumerate(images):
        data = io.BytesIO()
        Image.fromarray(image).save(data, "tiff" if extension == "tiff" else extension, **options)
        put(f"same/{extension}/{of[index]}/{index:02}.{extension}", data.getvalue())
np.savez_compressed(HERE / "same-nhwc.npz", images=images, labels=of)
np.savez_compressed(HERE / "same-nchw.npz", X=images.transpose(0, 3, 1, 2).copy(), y=of.astype(np.uint8)[:, None])
np.savez_compressed(HERE / "same-float.npz", data=(images / 255).astype(np.float32), target=of.astype(np.float64))
np.savez_compressed(HERE / "same-fortran.npz", x_train=np.asfortranarray(images), y_train=np.eye(10)[of])
np.savez_compressed(HERE / "same-strings.npz", train_images=images.astype(">f8"), train_labels=of.astype(str))
np.savez_compressed(HERE / "same-rows.npz", images=np.asfortranarray(images.transpose(0, 3, 1, 2).reshape(40, -1).astype(np.int16)), labels=of)
records = b"".join(bytes([label]) + image.transpose(2, 0, 1).tobytes() for label, image in zip(of, images))
(HERE / "same-cifar.bin.gz").write_bytes(gzip.compress(records, 9, mtime=0))
records = b"".join(bytes([label // 5, label]) + image.transpose(2, 0, 1).tobytes() for label, image in zip(of, images))
(HERE / "same-cifar-100.bin.gz").write_bytes(gzip.compress(records, 9, mtime=0))
frame = pd.DataFrame(images.reshape(40, -1), columns=[f"pixel{index}" for index in range(3072)])
frame.insert(0, "label", of)
(HERE / "same.csv.gz").write_bytes(gzip.compress(frame.to_csv(index=False).encode(), 9, mtime=0))
data = io.BytesIO()
scipy.io.savemat(data, {"X": images.transpose(1, 2, 3, 0), "y": np.where(of == 0, 10, of).astype(np.uint8)[:, None]}, do_compression=True)
# Its head states the date.
(HERE / "same.mat").write_bytes(b"MATLAB 5.0 MAT-file, written by SciPy".ljust(116) + data.getvalue()[116:])
case("same", numbers(10), (images, of))

# Archives of NumPy's, by names, types, shapes and orders.
parts = {name: (pixels(count, 6, 5), labels(count, 3)) for name, count in [("train", 9), ("val", 4), ("test", 5)]}
np.savez(HERE / "medmnist.npz", **{f"{name}_images": images for name, (images, _) in parts.items()},
         **{f"{name}_labels": labels.astype(np.uint8)[:, None] for name, (_, labels) in parts.items()})
case("medmnist.npz", numbers(3), parts["train"], parts["val"], parts["test"])
np.savez_compressed(HERE / "keras.npz", x_train=parts["train"][0], y_train=parts["train"][1].astype(">i8"),
                    x_test=np.asfortranarray(parts["test"][0]), y_test=parts["test"][1].astype(np.int32))
case("keras.npz", numbers(3), parts["train"], None, parts["test"])
colour = pixels(6, 5, 7, 4)
np.savez(HERE / "opacity.npz", images=colour, labels=labels(6, 2))
opacity = colour[..., 3:] / 255
laid = np.floor(colour[..., :3] * opacity + 255 * (1 - opacity) + 0.5).astype(np.uint8)
case("opacity.npz", ["0", "1"], (laid, np.load(HERE / "opacity.npz")["labels"]))
letters = np.array(["eta", "zeta", "été", "eta", "zeta", "eta"])
classes = sorted(set(letters), key=lambda name: name.encode())
for name, kind in [("f2", np.float16), ("f4", ">f4"), ("f8", np.float64)]:
    shades = pixels(6, 4, 3)
    np.savez(HERE / f"{name}.npz", X=np.asfortranarray((shades / 255).astype(kind)), y=letters.astype(">U7"))
    case(f"{name}.npz", classes, (shades, [classes.index(letter) for letter in letters]))
shades = np.minimum(pixels(5, 4, 3), 254)
np.savez(HERE / "f255.npz", x=shades.astype(np.float32) + 0.25, y=np.array([1.0, 2, 26, 2, 1]))
case("f255.npz", ["1", "2", "26"], (shades, [0, 1, 2, 1, 0]))
bits = generator.integers(0, 2, (5, 4, 3)).astype(bool)
np.savez(HERE / "bool.npz", images=bits, labels=np.array([True, False, True, True, False]))
case("bool.npz", ["0", "1"], (bits * 255, [1, 0, 1, 1, 0]))
np.savez(HERE / "bytes.npz", images=shades.astype(">u2"), labels=np.array([b"b", b"a", b"c", b"b", b"a"]))
case("bytes.npz", ["a", "b", "c"], (shades, [1, 0, 2, 1, 0]))
rows = pixels(5, 6)
np.savez(HERE / "rows.npz", data=rows, target=np.array([0, 1, 0, 1, 0], np.int8))
case("rows.npz", ["0", "1"], (rows.reshape(5, 2, 3), [0, 1, 0, 1, 0]), size=[2, 3])
small = pixels(4, 3, 3, 3)
np.savez(HERE / "ambiguous.npz", images=small, labels=[0, 1, 0, 1])
case("ambiguous.npz", ["0", "1"], (small, [0, 1, 0, 1]), layout="last")
case("ambiguous.npz", ["0", "1"], (small.transpose(0, 2, 3, 1), [0, 1, 0, 1]), layout="first")
grey = np.stack([np.asarray(Image.fromarray(image).convert("L")) for image in small])
case("ambiguous.npz", ["0", "1"], (grey, [0, 1, 0, 1]), layout="last", grey=True)

# Refused: the message is the test's.
np.savez(HERE / "multi-label.npz", train_images=shades, train_labels=np.array([[0, 1, 0], [1, 1, 0], [0, 0, 1], [1, 0, 0], [0, 0, 0]], np.uint8))
np.savez(HERE / "objects.npz", images=shades, labels=np.array(["a", "b", None, 3, "c"], object), allow_pickle=True)
np.savez(HERE / "positional.npz", shades, np.arange(5))
np.savez(HERE / "range.npz", images=shades.astype(np.float32) - 127, labels=np.arange(5) % 2)
np.savez(HERE / "words.npz", images=shades.astype(np.uint16) * 257, labels=np.arange(5) % 2)
np.savez(HERE / "volumes.npz", train_images=pixels(3, 5, 5, 5), train_labels=np.arange(3))

# Tables of pandas's.
rows = pixels(7, 9)
names = ["cat", "dog", "ñu", "dog", "cat", "cat", "ñu"]
frame = pd.DataFrame(rows, columns=[f"{row}x{column}" for row in range(3) for column in range(3)])
numbered = frame.assign(Class=[3, 1, 10, 1, 3, 3, 1])
truth = (rows.reshape(-1, 3, 3), [1, 0, 2, 0, 1, 1, 0])
named = frame.copy()
named.insert(0, "label", names)
of = (rows.reshape(-1, 3, 3), [["cat", "dog", "ñu"].index(name) for name in names])
for path, table, options in [
    ("last.csv", numbered, {"index": False}),
    ("index.csv", numbered, {}),
    ("semicolons.csv", numbered, {"index": False, "sep": ";"}),
    ("tabs.csv", numbered, {"index": False, "sep": "\t"}),
    ("bom-crlf.csv", numbered, {"index": False, "encoding": "utf-8-sig", "lineterminator": "\r\n"}),
    ("quoted.csv", numbered, {"index": False, "quoting": 1}),
    ("floats.csv", numbered.astype(float), {"index": False}),
    ("no-header.csv", numbered[["Class", *frame.columns]], {"index": False, "header": False}),
    ("counted.csv", numbered[["Class", *frame.columns]].set_axis(range(10), axis=1), {"index": False}),
]:
    table.to_csv(HERE / path, **options)
    case(path, ["1", "3", "10"], truth)
named.to_csv(HERE / "named.csv", index=False)
case("named.csv", ["cat", "dog", "ñu"], of)
named.drop(columns="label").to_csv(HERE / "no-labels.csv", index=False)
named.to_csv(HERE / "utf-16.csv", index=False, encoding="utf-16")
named.to_csv(HERE / "latin.csv", index=False, encoding="latin-1")
wide = frame.assign(target=[0, 1] * 3 + [0]).drop(columns=["2x0", "2x1", "2x2"])
wide.to_csv(HERE / "wide.csv", index=False)
case("wide.csv", ["0", "1"], (rows[:, :6].reshape(-1, 2, 3), [0, 1] * 3 + [0]), size=[2, 3])

# Every kind of image file of Pillow's, in class folders of one kind each: by name what Pillow makes of it.
pictures = []


def picture(name, data, seen, tolerance):
    put(f"pictures/{name}", data)
    seen = np.asarray(seen)
    seen = seen[..., None] if seen.ndim == 2 else seen
    pictures.append({"name": name, "shape": list(seen.shape), "pixels": seen.astype(np.uint8).tobytes().hex(), "tolerance": tolerance})


def encode(image, form, **options):
    data = io.BytesIO()
    image.save(data, form, **options)
    return data.getvalue()


def on_white(array):
    opacity = array[..., -1:] / 255
    return np.floor(array[..., :-1] * opacity + 255 * (1 - opacity) + 0.5)


smooth = Image.fromarray(pixels(4, 4, 3)).resize((12, 9), Image.Resampling.BICUBIC)
grey = smooth.convert("L")
palette = smooth.quantize(16)
cut = palette.copy()
cut.info["transparency"] = 3
translucent = Image.fromarray(np.concatenate([np.asarray(smooth), pixels(9, 12, 1)], 2))
veiled = Image.merge("LA", [grey, translucent.getchannel("A")])
deep = generator.integers(0, 65536, (9, 12)).astype(np.uint16)
for name, image, form, seen, tolerance in [
    ("L.png", grey, "png", grey, 0),
    ("LA.png", veiled, "png", on_white(np.asarray(veiled)), 0),
    ("RGB.png", smooth, "png", smooth, 0),
    ("RGBA.png", translucent, "png", on_white(np.asarray(translucent)), 0),
    ("P.png", palette, "png", palette.convert("RGB"), 0),
    ("P-transparent.png", cut, "png", on_white(np.asarray(cut.convert("RGBA"))), 0),
    ("1.png", grey.convert("1"), "png", grey.convert("1").convert("L"), 0),
    ("I16.png", Image.fromarray(deep), "png", np.floor(deep / 257 + 0.5), 0),
    ("L.jpg", grey, "jpeg", None, 3),
    ("RGB.jpg", smooth, "jpeg", None, 3),
    ("CMYK.jpg", smooth.convert("CMYK"), "jpeg", None, 3),
    ("RGB.webp", smooth, "webp", None, 3),
    ("L.tiff", grey, "tiff", grey, 0),
    ("RGB.tiff", smooth, "tiff", smooth, 0),
    ("P.gif", palette, "gif", palette.convert("RGB"), 0),
    ("L.pgm", grey, "ppm", grey, 0),
    ("1.pbm", grey.convert("1"), "ppm", grey.convert("1").convert("L"), 0),
    ("RGB.bmp", smooth, "bmp", smooth, 0),
    ("P.bmp", palette, "bmp", palette.convert("RGB"), 0),
    ("RGB.qoi", smooth, "qoi", smooth, 0),
]:
    # How colours of a coarser grid are made finer is each decoder's own.
    data = encode(image, form, **({"subsampling": 0} if form == "jpeg" and image.mode != "L" else {}))
    if seen is None:
        seen = Image.open(io.BytesIO(data))
        seen = seen if seen.mode == "L" else seen.convert("RGB")
    picture(name, data, seen, tolerance)
for turn in range(1, 9):
    exif = Image.Exif()
    exif[0x0112] = turn
    data = encode(grey, "jpeg", exif=exif)
    picture(f"exif-{turn}.jpg", data, ImageOps.exif_transpose(Image.open(io.BytesIO(data))), 3)
large = Image.fromarray(pixels(6, 8, 3)).resize((64, 48), Image.Resampling.BICUBIC)
put("resized/a/large.png", encode(large, "png"))
put("resized/b/small.png", encode(large.resize((10, 8)), "png"))
seen = [np.asarray(image.resize((16, 12), Image.Resampling.BILINEAR)) for image in (large, large.resize((10, 8)))]
resized = part(np.stack(seen), [0, 1])

folders.close()
versions = {"numpy": np.__version__, "pillow": PIL.__version__, "pandas": pd.__version__, "scipy": scipy.__version__}
assert versions == EXPECTED, versions
text = json.dumps({"versions": versions, "cases": cases, "pictures": pictures, "resized": resized}, ensure_ascii=False)
(HERE / "expected.json").write_text(text.replace('}, {"', '},\n{"') + "\n")
