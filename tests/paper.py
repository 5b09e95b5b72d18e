"""Answers of made-up models with hostile names, and what is wrong with a compiled paper: for .ci/latex."""

import csv
import pathlib
import random
import re
import subprocess
import sys
import xml.etree.ElementTree

MODELS = ["a_b%&#$^~\\{}", "ünï-çödé <α ≤ β>", "[0, 1] --''``|\"", "プログラム w7"]
CLASSES = ["50 %", "x_1^2", "{\\TeX}", "#~&$", "Größe", "±0 × Ω", "[a]", "*"]


def answers(folder):
    """Three runs of each model on 400 images."""
    draw = random.Random(1)
    labels = [draw.choice(CLASSES) for _ in range(400)]
    for place, model in enumerate(MODELS):
        (folder / model).mkdir(parents=True)
        for seed in range(3):
            with open(folder / model / f"seed-{seed}.csv", "w", newline="", encoding="utf-8") as file:
                rows = csv.writer(file)
                rows.writerow(["label", "prediction"])
                for label in labels:
                    rows.writerow([label, draw.choice(CLASSES) if draw.random() < 0.1 + 0.05 * place else label])


def check(folder):
    """Every complaint about the paper and its figures."""
    log = (folder / "paper.log").read_text(errors="replace").replace("\n", " ")
    for pattern in [r"Missing character[^.]*\.", r"LaTeX Warning: Float too large[^.]*\.", r"undefined references"]:
        yield from re.findall(pattern, log)
    for wide in re.finditer(r"Overfull \\[hv]box \(([0-9.]+)pt too \w+\)[^)]{0,60}", log):
        if float(wide[1]) > 2:
            yield wide[0]
    figures = sorted(folder.glob("[A-Z]*.svg"))
    if len(figures) < 2:
        yield f"{len(figures)} figures"
    for figure in figures:
        drawing = figure.with_suffix(".pdf")
        # A line a font: name, type (of two words), encoding, embedded, subset, with Unicode.
        for font in subprocess.check_output(["pdffonts", drawing], text=True).splitlines()[2:]:
            if font.split()[-5:-2] != ["yes", "yes", "yes"]:
                yield f"{drawing.name}: {font}"
        told = "".join(subprocess.check_output(["pdftotext", "-raw", drawing, "-"], text=True).split())
        for text in xml.etree.ElementTree.parse(figure).iter("{http://www.w3.org/2000/svg}text"):
            if "".join(text.text.split()) not in told:
                yield f"{drawing.name}: {text.text!r} cannot be read back"


if __name__ == "__main__":
    task, folder = sys.argv[1], pathlib.Path(sys.argv[2])
    if task == "answers":
        answers(folder)
    else:
        complaints = list(check(folder))
        print(*complaints, sep="\n")
        sys.exit(bool(complaints))
