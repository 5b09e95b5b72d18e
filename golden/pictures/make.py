"""Writes image files that have more than one image, the colours of print, or what no decoder here reads.

    python3 -m venv venv && venv/bin/pip install pillow && venv/bin/python make.py

A second. Pillow 13.0 writes the files; nothing here calls the Rust code. Each image has 8 columns and 6 rows; how many images a
file holds stands in its name.
"""

import pathlib
import struct
import zlib

from PIL import Image

HERE = pathlib.Path(__file__).parent
SIZE = (8, 6)


def frame(number):
    """No two frames are alike, so that no encoder joins them."""
    return Image.frombytes("RGB", SIZE, bytes((x * 20 + number * 50) % 256 for x in range(8 * 6 * 3)))


def save(name, count, **options):
    first, *others = [frame(number) for number in range(count)]
    first.save(HERE / name, save_all=True, append_images=others, **options)


save("1.gif", 1)
save("3.gif", 3, duration=100)
save("3.webp", 3, duration=100, lossless=True)
save("1.webp", 1, lossless=True)
save("4.png", 4, duration=100)
# The image that is shown where animations are not is none of the frames.
save("4-and-default.png", 4, duration=100, default_image=True)
save("2.tiff", 2)
save("1.tiff", 1)
cmyk = frame(1).convert("CMYK")
cmyk.save(HERE / "cmyk.jpg")
cmyk.save(HERE / "cmyk.tiff")
frame(1).save(HERE / "zstd.tiff", compression="zstd")


def chunk(kind, data):
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


# Sixty bytes that say 20,000 columns.
wide = struct.pack(">2I5B", 20000, 2, 8, 0, 0, 0, 0)
(HERE / "wide.png").write_bytes(
    b"\x89PNG\r\n\x1a\n"
    + chunk(b"IHDR", wide)
    + chunk(b"IDAT", zlib.compress(bytes(2 * 20001), 9))
    + chunk(b"IEND", b"")
)
