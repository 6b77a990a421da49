"""The notebook runs on any study, and says nothing of the machine that it was last run on."""

from __future__ import annotations

import importlib.util
import json
import re
from pathlib import Path

import pytest

from lmc_track.steps.derivations import DERIVATIONS
from lmc_track.warehouse.rebuild import rebuild
from support.simulated_study import simulated_snapshot

DOCS = Path(__file__).parents[2] / "docs"
NOTEBOOK = DOCS / "notebooks" / "explore.ipynb"


@pytest.mark.full
def test_every_cell_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rebuild(
        tmp_path / "results.duckdb",
        simulated_snapshot(tmp_path / "record", n_points=5, n_examples=60),
        DERIVATIONS,
    )
    monkeypatch.setenv("LMC_HOME", str(tmp_path))
    monkeypatch.setenv("IPYTHONDIR", str(tmp_path / "ipython"))
    spec = importlib.util.spec_from_file_location("run_notebook", DOCS / "run_notebook.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    cells = [cell for cell in module.run(NOTEBOOK)["cells"] if cell["cell_type"] == "code"]
    assert all(cell["execution_count"] for cell in cells)
    assert sum("image/png" in out.get("data", {}) for c in cells for out in c["outputs"]) == 4


def test_outputs_are_committed_and_complete() -> None:
    cells = json.loads(NOTEBOOK.read_text(encoding="utf-8"))["cells"]
    code = [cell for cell in cells if cell["cell_type"] == "code"]
    assert [cell["execution_count"] for cell in code] == list(range(1, len(code) + 1))
    kinds = {output["output_type"] for cell in code for output in cell["outputs"]}
    assert kinds == {"execute_result", "display_data", "stream"}


def test_no_paths_of_a_machine_are_in_it() -> None:
    text = NOTEBOOK.read_text(encoding="utf-8")
    said = re.sub(r'"image/png": "[^"]*"', "", text)
    assert not re.search(r"(?<![\w.])/(home|tmp|work|root|Users|srv|opt)\b|[A-Z]:\\\\", said)
