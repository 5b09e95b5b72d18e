"""compare.py RESULTS RESULTS…: fails unless every folder has the same runs, with the same weights, losses and answers."""

import json
import pathlib
import sys


def outcomes(folder):
    found = {}
    for path in pathlib.Path(folder, "records").glob("*.json"):
        record = json.loads(path.read_text())
        run = record["specification"]
        losses = [(epoch["train_loss"], epoch["validation_loss"]) for epoch in record["epochs"]]
        test = record["test"]
        found[run["model"], run["seed"]] = (record["fingerprint"], losses, test["loss"], test["accuracy"])
    return found


first, *others = sys.argv[1:]
expected = outcomes(first)
assert expected, f"{first}: no record"
for folder in others:
    found = outcomes(folder)
    assert found == expected, f"{folder}: {found} found, as in {first} expected: {expected}"
for (model, seed), (fingerprint, *_) in sorted(expected.items()):
    print(f"{model}, seed {seed}: {fingerprint} in {len(sys.argv) - 1} folders")
