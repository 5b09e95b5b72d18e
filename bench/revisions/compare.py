"""Trains built-in models with two builds of the program, by the same seeds, and has the newer one judge whether their accuracies differ.

    python3 bench/revisions/compare.py OLD NEW --out DIR [--models cnn lstm] [--seeds 5] [--epochs 1]

OLD and NEW are programs. Finished trainings in DIR are kept; the answers are written to DIR/answers/MODEL/{old,new}/SEED.csv, from
which `judge` makes a report each in DIR/judged/MODEL. Prints a row a model and writes them to DIR/revisions.json. Needs nothing but Python.
"""

import argparse
import base64
import csv
import json
import subprocess
import zlib
from pathlib import Path


def unpacked(text: str) -> bytes:
    """A packed field of a record: base64 of deflated bytes without a header."""
    return zlib.decompress(base64.b64decode(text), -15)


def train(program: Path, model: str, folder: Path, seeds: int, epochs: int) -> None:
    """Makes the runs that the folder does not have yet, by `run`."""
    folder.mkdir(parents=True, exist_ok=True)
    study = folder.with_suffix(".toml")
    study.write_text(f'models = ["{model}"]\n')
    command = [program, "run", study, "--seeds", str(seeds), "--epochs", str(epochs), "--quiet"]
    subprocess.run([*command, "--show", "never", "--out", folder], check=True, stdout=subprocess.DEVNULL)


def write_answers(folder: Path, answers: Path) -> list[float]:
    """Writes a file of classes a run, named by its seed; the accuracies."""
    answers.mkdir(parents=True, exist_ok=True)
    accuracies = []
    for path in sorted((folder / "records").glob("*.json")):
        record = json.loads(path.read_text())
        test = record["test"]
        accuracies.append(test["accuracy"])
        with open(answers / f"{record['specification']['seed']}.csv", "w", newline="") as file:
            rows = csv.writer(file)
            rows.writerow(["label", "prediction"])
            rows.writerows(zip(unpacked(test["labels"]), unpacked(test["predictions"]), strict=True))
    return accuracies


def judge(program: Path, answers: Path, out: Path) -> dict:
    """What the program says of the pair."""
    subprocess.run([program, "judge", answers, "--out", out, "--show", "never", "--quiet"], check=True, stdout=subprocess.DEVNULL)
    [pair] = json.loads((out / "summary.json").read_text())["comparisons"]
    return pair


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("old", type=Path)
    parser.add_argument("new", type=Path)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--models", nargs="+")
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--epochs", type=int, default=1)
    chosen = parser.parse_args()
    known = json.loads(subprocess.run([chosen.new, "models", "--json"], check=True, capture_output=True, text=True).stdout)
    rows = []
    for model in chosen.models or [model["name"] for model in known]:
        accuracies = {}
        for name, program in (("old", chosen.old), ("new", chosen.new)):
            folder = chosen.out / name / model
            train(program, model, folder, chosen.seeds, chosen.epochs)
            accuracies[name] = write_answers(folder, chosen.out / "answers" / model / name)
        pair = judge(chosen.new, chosen.out / "answers" / model, chosen.out / "judged" / model)
        rows.append({"model": model, "accuracies": accuracies, "pair": pair})
        (chosen.out / "revisions.json").write_text(json.dumps(rows, indent=1) + "\n")
        old, new = (100 * sum(values) / len(values) for values in accuracies.values())
        print(f"{model}: {old:.3f} % and {new:.3f} %, p = {pair['p_value']:.2f}: {pair['verdict']}", flush=True)


if __name__ == "__main__":
    main()
