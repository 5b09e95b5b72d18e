#!/bin/sh
# Packs the four raw MNIST files of a folder into files/: `sh make.sh FOLDER`. Needs the `lz4` command (1.9 or later).
# The training images go into four frames so that four threads can unpack them.
set -eu

from=$(cd "$1" && pwd)
cd "$(dirname "$0")/files"

sha256sum --check --quiet <<EOF
ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db  $from/train-images-idx3-ubyte
65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5  $from/train-labels-idx1-ubyte
0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7  $from/t10k-images-idx3-ubyte
ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2  $from/t10k-labels-idx1-ubyte
EOF

rm -f ./*.lz4
# 11,760,004 = 47,040,016 / 4, the length that src/lib.rs expects of each part.
split --bytes=11760004 --numeric-suffixes --suffix-length=1 "$from/train-images-idx3-ubyte" train-images-idx3-ubyte.
cp "$from/train-labels-idx1-ubyte" "$from/t10k-images-idx3-ubyte" "$from/t10k-labels-idx1-ubyte" .
for file in train-images-idx3-ubyte.? train-labels-idx1-ubyte t10k-images-idx3-ubyte t10k-labels-idx1-ubyte; do
    # Without the frame's own checksum: the unpacked bytes are verified by SHA-256.
    lz4 -q -f -12 -B7 -BI --no-frame-crc --rm "$file" "$file.lz4"
done
