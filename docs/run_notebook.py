"""Run a notebook and keep its outputs in it.

    LMC_HOME=mlruns python docs/run_notebook.py docs/notebooks/explore.ipynb

Nothing of the machine is kept: no times, no versions. ``make notebook`` does it for the demo.
"""

from __future__ import annotations

import sys
from pathlib import Path

import nbformat
from nbclient import NotebookClient

_KERNEL = {"name": "python3", "display_name": "Python 3", "language": "python"}


def run(path: Path) -> nbformat.NotebookNode:
    """The notebook after running every cell in its own folder; an error of a cell is raised."""
    notebook = nbformat.read(path, as_version=4)
    client = NotebookClient(
        notebook,
        timeout=300,
        kernel_name="python3",
        record_timing=False,
        resources={"metadata": {"path": str(path.parent)}},
    )
    client.execute()
    notebook.metadata = {"kernelspec": _KERNEL, "language_info": {"name": "python"}}
    return notebook


if __name__ == "__main__":
    for name in sys.argv[1:]:
        nbformat.write(run(Path(name)), name)
