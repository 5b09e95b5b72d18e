"""The examples of the book and the docstrings, run; the notebook, executed headless."""

import doctest
import os
import re
from pathlib import Path

import mnist_study
import numpy
import pytest

ROOT = Path(os.environ["ROOT"])


@pytest.mark.parametrize("page", ["docs/how-to/python.md", "crates/python/README.md"])
def test_the_examples_of_a_page(page, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    random = numpy.random.default_rng(1)
    labels = random.integers(0, 3, 300)

    def answers():
        drawn = random.random((300, 3)) + 1.2 * numpy.eye(3)[labels]
        return drawn / drawn.sum(1, keepdims=True)

    names = {name: answers() for name in ("p0", "p1", "p2", "q0", "q1", "q2")} | {"labels": labels}
    examples = re.findall(r"^```python\n(.*?)^```", (ROOT / page).read_text(), re.M | re.S)
    if not examples:
        [*examples] = ["\n".join(re.findall(r"^    (.*)$", (ROOT / page).read_text(), re.M))]
    for number, example in enumerate(examples, start=1):
        exec(compile(example, f"{page}, example {number}", "exec"), names)
    assert examples


def test_the_examples_of_docstrings():
    import mnist_study._verdict

    failed, tried = doctest.testmod(mnist_study._verdict)
    assert tried > 0 and failed == 0


def test_the_notebook_runs(tmp_path):
    import nbformat
    from nbclient import NotebookClient
    from nbconvert import HTMLExporter

    notebook = nbformat.read(ROOT / "docs/how-to/python.ipynb", as_version=4)
    assert all(not cell.get("outputs") for cell in notebook.cells), "the notebook is kept without outputs"
    NotebookClient(notebook, timeout=300, resources={"metadata": {"path": tmp_path}}).execute()
    shown = [output for cell in notebook.cells for output in cell.get("outputs", []) if "data" in output]
    assert any("mnist-study" in output["data"].get("text/html", "") for output in shown)
    page, _ = HTMLExporter().from_notebook_node(notebook)
    where = Path(os.environ.get("NOTEBOOK", tmp_path / "notebook.html"))
    where.write_text(page)
