"""From the raw measurements to the two tables."""

from statistics import median

import load

OURS = "mnist-study"
OURS_BF16 = "mnist-study, bf16"
ACCURACY_DISTANCE = 0.010
"""Trained alike from another seed: test accuracies further apart than this are not the same recipe."""
EXPORT_ACCURACY_DISTANCE, EXPORT_LOSS_DISTANCE = 0.0002, 1e-4
"""The same weights: two images of 10,000, and one part in ten thousand of the loss."""


def spread(values: list[float], form: str) -> str:
    """Median (least–greatest)."""
    low, high = min(values), max(values)
    return f"{median(values):{form}} ({low:{form}}–{high:{form}})"


def ratios(peer: dict[int, float], ours: dict[int, float]) -> list[float]:
    """Peer's time over ours, round by round."""
    return [peer[index] / ours[index] for index in sorted(peer) if index in ours]


def group(runs: list[dict], task: str, model: str) -> dict[str, list[dict]]:
    """The runs of a task and model by row."""
    rows: dict[str, list[dict]] = {}
    for entry in runs:
        if entry["task"] == task and entry["model"] == model:
            rows.setdefault(entry["row"], []).append(entry)
    return rows


def markdown(heads: list[str], rows: list[list[str]]) -> str:
    lines = [heads, ["---"] * len(heads), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def bold(cells: list[str]) -> list[str]:
    return [f"**{cell}**" if cell else "" for cell in cells]


def training(runs: list[dict], models: list[str]) -> str:
    """Epoch times, the fastest first; a row whose accuracy is not ours comes last and has no ratio."""
    lines = []
    for model in models:
        rows = group(runs, "train", model)
        if not rows:
            continue
        times = {row: {run["round"]: median(run["epoch_seconds"]) for run in some} for row, some in rows.items()}
        accuracy = {row: median(run["test_accuracy"] for run in some) for row, some in rows.items()}
        ours = accuracy.get(OURS)
        apart = {row for row in rows if ours is not None and abs(accuracy[row] - ours) > ACCURACY_DISTANCE}
        for row in sorted(rows, key=lambda row: (row in apart, median(times[row].values()))):
            factors = [] if row == OURS or row in apart else ratios(times[row], times.get(OURS, {}))
            factor = spread(factors, ".2f") if factors else "not ranked: another accuracy" if row in apart else ""
            is_ours = row in (OURS, OURS_BF16)
            warm = "none" if is_ours else f"{median(run['compile_seconds'] for run in rows[row]):.1f}"
            cells = [model, row, rows[row][0]["precision"], spread(list(times[row].values()), ".2f"), factor]
            cells += [f"{100 * accuracy[row]:.2f} %", warm]
            lines.append(bold(cells) if is_ours else cells)
    heads = ["model", "program", "precision", "an epoch, s", "times ours", "test accuracy", "warm-up, s"]
    return markdown(heads, lines)


def inference(runs: list[dict], models: list[str], reference: dict[str, dict]) -> str:
    """Latency of one image and throughput of a thousand, the greatest throughput first."""
    lines = []
    for model in models:
        rows = group(runs, "infer", model)
        single = {row: {run["round"]: batch(run, 1)["p50_us"] for run in some} for row, some in rows.items()}
        tail = {row: [batch(run, 1)["p99_us"] for run in some] for row, some in rows.items()}
        rate = "images_per_second"
        many = {row: {run["round"]: batch(run, 1000)[rate] for run in some} for row, some in rows.items()}
        apart = {row for row in rows if row != OURS and any(differs(run, reference[model]) for run in rows[row])}
        for row in sorted(rows, key=lambda row: (row in apart, -median(many[row].values()))):
            cells = [model, row, rows[row][0]["precision"], spread(list(single[row].values()), ".0f")]
            cells += [f"{median(tail[row]):.0f}", "", spread(list(many[row].values()), ",.0f"), ""]
            if row in apart:
                cells[5] = cells[7] = "not ranked: other logits"
            elif row != OURS and OURS in rows:
                cells[5] = spread(ratios(single[row], single[OURS]), ".2f")
                seconds = [{index: 1 / value for index, value in many[name].items()} for name in (row, OURS)]
                cells[7] = spread(ratios(*seconds), ".2f")
            lines.append(bold(cells) if row == OURS else cells)
    heads = ["model", "program", "precision", "1 image, µs", "99th percentile, µs", "times ours"]
    return markdown([*heads, "1,000 at once, images/s", "times ours"], lines)


def batch(run: dict, size: int) -> dict:
    return next(entry for entry in run["inference"] if entry["batch"] == size)


def differs(run: dict, reference: dict) -> bool:
    """Whether a peer made other logits of our weights; rounding to fewer bits may move a loss and an image in 500."""
    loose = {"bfloat16": 10, "int8": 10}.get(run["precision"], 1)
    accuracy = abs(run["test_accuracy"] - reference["test_accuracy"])
    loss = abs(run["test_loss"] / reference["test_loss"] - 1)
    return accuracy > loose * EXPORT_ACCURACY_DISTANCE or loss > loose * loose * EXPORT_LOSS_DISTANCE


def disturbed(runs: list[dict]) -> str:
    """A sentence on the runs that had to share the machine, empty where there were none."""
    flagged = [run for run in runs if (run["others_share"] or 0) > load.LIMIT]
    if not flagged:
        return ""
    rows = sorted({f"{run['row']} ({run['model']}, {run['task']}, round {run['round'] + 1})" for run in flagged})
    return f"**Disturbed:** other programs took more than a tenth of the processors during {', '.join(rows)}."


def document(facts: dict, runs: list[dict], models: list[str], reference: dict[str, dict], asked: dict) -> str:
    """The whole of `peers.md`."""
    versions = sorted({f"{run['framework']} {run['version']}" for run in runs})
    changes = " with uncommitted changes" if facts["uncommitted_changes"] else ""
    given = " The program was given with `--binary`: it may be of another commit." if facts["binary_given"] else ""
    parts = [
        "# Our time beside the peers'",
        f"{facts['date']}. {facts['processor']}, {facts['cores']} cores, {facts['threads']} threads. "
        f"{facts['system']}, {facts['rustc']}, Python {facts['python']}. {', '.join(versions)}. "
        f"Commit {facts['commit'][:12]}{changes}.{given}",
        "Made by `python3 bench/peers/run.py`: every row once a round in a process of its own; rounds: "
        f"{asked['rounds']}; epochs in each process: {asked['epochs']}, of {asked['images']:,} images. "
        "A time is the median of a process's epochs, a ratio is taken within its round; both are given as median "
        "(least–greatest) over the rounds. "
        "`bench/peers/README.md` says what each row is.",
    ]
    if any(run["task"] == "train" for run in runs):
        parts += ["## Training, batches of 128", training(runs, models)]
    if any(run["task"] == "infer" for run in runs):
        parts += ["## Inference with the weights that mnist-study trained", inference(runs, models, reference)]
    return "\n\n".join([*parts, *filter(None, [disturbed(runs)])]) + "\n"
