#!/usr/bin/env bash
# The page in headless Chromium, used as a person would, with one of its engines; fails where something is not right.
#
#     tests/page.sh native PROGRAM PICTURES     the program that serves it, target/release/mnist-study
#     tests/page.sh site FOLDER PICTURES        what site/build made
#
# Pictures of every view are left in PICTURES. What the site saves is reported and verified by the program that MNIST_STUDY names
# (target/release/mnist-study). Installs the driver and axe-core, of stated versions, into a folder of its own; needs Chromium and Python.
set -euo pipefail
usage="usage: tests/page.sh native PROGRAM PICTURES | tests/page.sh site FOLDER PICTURES"
engine=${1:?$usage}
what=$(realpath "${2:?$usage}")
pictures=$(realpath -m "${3:?$usage}")
cd "$(dirname "$0")/.."
case $engine in
native) program=$what ;;
site) program=$(realpath "${MNIST_STUDY:-target/release/mnist-study}") ;;
*)
  echo "$usage" >&2
  exit 2
  ;;
esac
if [ ! -x "$program" ]; then
  echo "tests/page.sh: no program at $program" >&2
  exit 1
fi
browser=$(command -v chromium || command -v chromium-browser)
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
npm install --silent --no-audit --no-fund --prefix "$folder" playwright-core@1.64.1 axe-core@4.14.1
NODE_PATH="$folder/node_modules" node tests/page.cjs "$browser" "$engine" "$what" "$pictures" "$program"
