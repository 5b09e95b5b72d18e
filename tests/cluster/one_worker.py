"""A HyperQueue of one worker that belongs to one test, by the compiled program in PyPI's `hyperqueue`.

    one_worker.py serve FOLDER CORES           server and worker, until standard input ends; prints "ready"
    one_worker.py submit FOLDER FILE [--array=IDS]
                                               what `hq submit FILE` does, and waits; prints the failed tasks' numbers, a line each

PyPI's package has the server, the worker and the client's protocol, but not the command `hq`. So this reads a job file as
`hq submit` does (crates/hyperqueue/src/client/commands/submit/{command,directives}.rs): directives until the first line that is
no comment, the interpreter from the first line, and the command line before the file. What the package's protocol cannot say
is checked for its form: the time limit, and the memory, which its worker does not offer.
"""

import re
import shlex
import sys
from pathlib import Path

from hyperqueue.ffi.client import ClientConnection
from hyperqueue.ffi.cluster import Cluster
from hyperqueue.ffi.protocol import JobDescription, ResourceRequest, TaskDescription
from hyperqueue.output import StdioDef, default_stderr, default_stdout


def directives(text: str) -> tuple[list[str], dict[str, str]]:
    """The interpreter, and the options that the file asks for."""
    interpreter: list[str] = []
    words: list[str] = []
    for number, line in enumerate(text.splitlines()):
        line = line.lstrip()
        if line.startswith("#HQ "):
            words += shlex.split(line[4:])
        elif number == 0 and line.startswith("#!"):
            interpreter = line[2:].split()
        elif line and not line.startswith("#"):
            break
    options: dict[str, str] = {}
    while words:
        name, equals, value = words.pop(0).partition("=")
        # `--name value` is the same as `--name=value`.
        options[name] = value if equals else words.pop(0)
    return interpreter, options


def numbers(array: str) -> list[int]:
    """`1-4` or `2,3`."""
    found: list[int] = []
    for part in array.split(","):
        first, _, last = part.partition("-")
        found += range(int(first), int(last or first) + 1)
    return found


def stdio(value: str | None, default: str) -> StdioDef | None:
    """Where a task's output goes."""
    return None if value == "none" else StdioDef.from_path(value or default)


def submit(folder: str, file: str, *more: str) -> None:
    """Submits a job file from the present folder and waits for its end."""
    interpreter, options = directives(Path(file).read_text())
    # The command line takes precedence.
    options |= dict(word.split("=", 1) for word in more)
    name = options.pop("--name")
    tasks = numbers(options.pop("--array"))
    cpus = int(options.pop("--cpus"))
    stdout, stderr = options.pop("--stdout", None), options.pop("--stderr", None)
    for option, form in [("--time-limit", r"\d+m"), ("--resource", r"mem=\d+")]:
        value = options.pop(option)
        assert re.fullmatch(form, value), f"{option}: {value}"
    assert not options, f"unknown options: {options}"
    job = JobDescription(
        name=name,
        max_fails=None,
        tasks=[
            TaskDescription(
                id=task,
                args=[*interpreter, file],
                cwd=None,
                stdout=stdio(stdout, default_stdout()),
                stderr=stdio(stderr, default_stderr()),
                stdin=None,
                env={},
                dependencies=[],
                task_dir=False,
                priority=0,
                resource_request=[ResourceRequest(cpus=cpus)],
                crash_limit=5,
            )
            for task in tasks
        ],
    )
    client = ClientConnection(folder)
    number = client.submit_job(job)
    failed = client.wait_for_jobs([number], lambda _: None)
    for tasks_of in client.get_failed_tasks(failed).values():
        for task in sorted(tasks_of):
            print(task)


def serve(folder: str, cores: str) -> None:
    """Server and worker, which end with this process."""
    cluster = Cluster(folder)
    cluster.add_worker(int(cores))
    print("ready", flush=True)
    # Ends also when the test ends without a word.
    sys.stdin.read()
    cluster.stop()


if __name__ == "__main__":
    {"serve": serve, "submit": submit}[sys.argv[1]](*sys.argv[2:])
