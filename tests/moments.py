"""Endings at random moments: SIGKILL, the five signals that ask for an end, and disks that are full. Nothing finished may be lost.

    python3 tests/moments.py target/release/mnist-study [MOMENTS] [SEED]

So many moments (100 unless told) of SIGKILL, of full disks, and of the five signals together; the full disks are tmpfs mounts, so that it runs as root on Linux alone. Where the
tests of `tests/command` choose their moments, this one draws them: it is run by hand, when endings or files change.
"""

import json
import os
import random
import re
import shutil
import signal
import struct
import subprocess
import sys
import tempfile
import time
from collections import Counter

# The signals that ask for an end, and the exit code by which each is told.
ASKING = {name: 128 + getattr(signal, name) for name in ("SIGTERM", "SIGHUP", "SIGUSR1", "SIGXCPU", "SIGINT")}
RUNS = 12
# A signal must be heard within this many seconds.
HEARD = 1.0


def make_data(folder):
    """Four IDX files that a network learns in a moment: a bright band whose height is the class."""
    rows, columns, classes = 14, 12, 3
    os.mkdir(folder)
    for name, count in (("train", 240), ("t10k", 60)):
        draw = random.Random(count)
        labels = [i % classes for i in range(count)]
        draw.shuffle(labels)
        pixels = bytes((200 if y // 4 == label else 20) + draw.randrange(50)
                       for label in labels for y in range(rows) for _ in range(columns))
        with open(f"{folder}/{name}-images-idx3-ubyte", "wb") as file:
            file.write(struct.pack(">IIII", 2051, count, rows, columns) + pixels)
        with open(f"{folder}/{name}-labels-idx1-ubyte", "wb") as file:
            file.write(struct.pack(">II", 2049, count) + bytes(labels))


def study(out):
    return [program, "compare", "lstm", "mlp", "--dataset", "data", "--epochs", "4", "--batch-size", "16",
            "--seeds", str(RUNS // 2), "--out", out]


def finish(out):
    """Carries the study out to its end; the fingerprint of each run in its summary."""
    subprocess.run(study(out) + ["-q"], check=True, stdout=subprocess.DEVNULL)
    with open(f"{out}/summary.json") as file:
        summary = json.load(file)
    strays = [name for _, _, names in os.walk(out) for name in names if name.startswith(".mnist-study-")]
    assert not strays, f"temporary files are left: {strays}"
    return {(model["name"], run["seed"]): run["fingerprint"] for model in summary["models"] for run in model["runs"]}


def records(out):
    """Each record's bytes."""
    folder = f"{out}/records"
    found = {}
    for name in os.listdir(folder) if os.path.isdir(folder) else ():
        if name.endswith(".json"):
            with open(f"{folder}/{name}", "rb") as file:
                found[name] = file.read()
    return found


def unfinished(out):
    """Files under their own names that are not whole."""
    for name in os.listdir(out) if os.path.isdir(out) else ():
        path = f"{out}/{name}"
        if name.startswith(".") or os.path.isdir(path):
            continue
        with open(path, "rb") as file:
            content = file.read()
        if name.endswith(".json"):
            json.loads(content)
        ends = {".png": b"IEND\xaeB`\x82", ".html": b"</html>", ".md": b"\n", ".csv": b"\n"}
        end = ends.get(os.path.splitext(name)[1], b"")
        if not content.rstrip(b"\n" if end != b"\n" else b"").endswith(end):
            yield name


def check(out, before, stderr):
    """What is wrong with a folder after an ending, if anything."""
    now = records(out)
    lost = [name for name, content in before.items() if now.get(name) != content]
    if lost:
        yield f"records lost or changed: {lost}"
    have = {}
    for content in now.values():
        record = json.loads(content)
        have[record["specification"]["model"], record["specification"]["seed"]] = record
    said = {(model, int(seed)) for model, seed in re.findall(r"^run \d+/\d+: (\w+), seed (\d+): done", stderr, re.M)}
    if not said <= have.keys():
        yield f"said to be done and not there: {said - have.keys()}"
    for run, record in have.items():
        if record["fingerprint"] != expected[run]:
            yield f"other bits: {run}"
    half = list(unfinished(out))
    if half:
        yield f"half a file: {half}"
    if "panic" in stderr or "fault of the program" in stderr:
        yield stderr[-400:]


def signals(name):
    """Ends the study by a signal at random moments of its way, each time going on from what the last ending left."""
    out = f"out-{name}"
    codes, wrong, before, slowest = Counter(), [], {}, 0.0
    count = -(-moments // len(ASKING)) if name in ASKING else moments
    # Studies that came to their end first are not counted.
    while codes.total() - codes[0] < count:
        process = subprocess.Popen(study(out), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        # The output is read while it comes: a full pipe would hold the program up.
        try:
            process.communicate(timeout=draw.random() * seconds * 0.6)
            sent = None
        except subprocess.TimeoutExpired:
            sent = time.monotonic()
            process.send_signal(getattr(signal, name))
        _, stderr = process.communicate()
        # A signal that comes before the program listens ends it as it ends every program.
        codes[process.returncode] += 1
        if process.returncode not in (0, -getattr(signal, name), ASKING.get(name)):
            wrong.append(f"exit code {process.returncode}: {stderr[-400:]}")
        if sent is not None and name in ASKING:
            slowest = max(slowest, time.monotonic() - sent)
        wrong.extend(check(out, before, stderr))
        before = records(out)
        if process.returncode == 0:
            shutil.rmtree(out)
            before = {}
    if finish(out) != expected:
        wrong.append("the study that went on has other bits")
    slow = f", heard within {slowest:.2f} s" if name in ASKING else ""
    print(f"{name}: {count} moments, exit codes {dict(sorted(codes.items()))}{slow}; wrong: {len(wrong)}", *wrong[:5], sep="\n  ")
    return len(wrong) + (slowest > HEARD)


def full_disks():
    """Carries the study out on disks too small for it, then goes on with room."""
    os.mkdir("small")
    named, fitted, kept, wrong = 0, 0, 0, []
    for moment in range(moments):
        # Every other disk is too small for the records already, which are a small part of what a study writes.
        most = (size * 6 // 5, record_size)[moment % 2]
        pages = draw.randrange(2, most // 4096)
        subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={pages * 4096}", "tmpfs", "small"], check=True)
        try:
            ran = subprocess.run(study("small/out"), capture_output=True, text=True)
            errors = [line for line in ran.stderr.splitlines() if line.startswith("error: ")]
            before = records("small/out")
            kept += len(before)
            if ran.returncode == 0:
                fitted += 1
            elif ran.returncode in (1, 75) and len(errors) == 1 and errors[0].startswith("error: small/out"):
                named += 1
                # While runs are missing, what is named is the first that was lost, not a table that was lost with it.
                if len(before) < RUNS and not re.match(r"error: small/out(/records\S*|/models\S*|/plan.json)?: ", errors[0]):
                    wrong.append(f"{len(before)} records, {errors[0]}")
            else:
                wrong.append(f"exit code {ran.returncode}: {ran.stderr[-400:]}")
            wrong.extend(check("small/out", {}, ran.stderr))
            subprocess.run(["mount", "-o", "remount,size=64M", "small"], check=True)
            if finish("small/out") != expected:
                wrong.append("the study that went on has other bits")
            wrong.extend(check("small/out", before, ""))
        finally:
            subprocess.run(["umount", "small"], check=True)
    print(f"full disks: {moments} sizes, {named} told with the file's name, {fitted} large enough, {kept} records kept;"
          f" wrong: {len(wrong)}", *wrong[:5], sep="\n  ")
    return len(wrong)


program = os.path.abspath(sys.argv[1])
moments = int(sys.argv[2]) if len(sys.argv) > 2 else 100
seed = int(sys.argv[3]) if len(sys.argv) > 3 else 1
draw = random.Random(seed)
with tempfile.TemporaryDirectory(prefix="moments") as place:
    os.chdir(place)
    make_data("data")
    start = time.monotonic()
    expected = finish("whole")
    seconds = time.monotonic() - start
    size = sum(os.path.getsize(f"{folder}/{name}") for folder, _, names in os.walk("whole") for name in names)
    # As a disk counts them.
    record_size = sum(-(-len(content) // 4096) * 4096 for content in records("whole").values())
    assert len(expected) == RUNS
    print(f"the whole study: {seconds:.2f} s, {size:,} bytes; seed {seed}")
    faults = sum(signals(name) for name in ("SIGKILL", *ASKING)) + full_disks()
    os.chdir("/")
sys.exit(faults > 0)
