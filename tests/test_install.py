"""The program works from an editable install and from its wheel, outside the checkout."""

from __future__ import annotations

import shutil
import subprocess
import sys
import sysconfig
import venv
from pathlib import Path

import pytest

from lmc_track.warehouse.rebuild import rebuild
from support.simulated_study import TRACKING_URI, simulated_snapshot

CHECKOUT = Path(__file__).parents[1]


def run(*command: str, cwd: Path) -> str:
    done = subprocess.run(command, cwd=cwd, capture_output=True, text=True, timeout=280)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("home")
    rebuild(folder / "results.duckdb", simulated_snapshot(folder / "record", n_examples=20))
    return folder


def query(python: str, home: Path, cwd: Path) -> str:
    """A query by name with an interpreter that imports the installed program."""
    return run(
        python, "-m", "lmc_track.cli", "query", "models", "--format", "csv",
        "--home", str(home), "--tracking-uri", TRACKING_URI, cwd=cwd,
    )  # fmt: skip


def test_a_query_runs_from_the_checkout_installed_editable(home: Path, tmp_path: Path) -> None:
    assert "seed-5" in query(sys.executable, home, tmp_path)


def test_a_query_runs_from_the_wheel(home: Path, tmp_path: Path) -> None:
    # Built from a copy: setuptools leaves a folder behind, whose files enter the next wheel.
    source = tmp_path / "source"
    for part in ("lmc_track", "cli", "queries"):
        shutil.copytree(
            CHECKOUT / part, source / part, ignore=shutil.ignore_patterns("__pycache__")
        )
    for part in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(CHECKOUT / part, source)
    run(
        sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--no-build-isolation",
        "--wheel-dir", str(tmp_path), str(source), cwd=tmp_path,
    )  # fmt: skip
    (wheel,) = tmp_path.glob("*.whl")
    environment = tmp_path / "environment"
    venv.create(environment, with_pip=False)
    python = str(environment / "bin" / "python")
    run(
        sys.executable, "-m", "pip", "--python", python, "install", "--quiet", "--no-deps",
        str(wheel), cwd=tmp_path,
    )  # fmt: skip
    site = Path(
        run(
            python, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))", cwd=tmp_path
        ).strip()
    )
    # Only the packages it needs come from here; the program itself must not.
    (site / "needed.pth").write_text(
        "\n".join({sysconfig.get_path("purelib"), sysconfig.get_path("platlib")})
    )
    where = run(python, "-c", "import lmc_track; print(lmc_track.__file__)", cwd=tmp_path)
    assert where.startswith(str(site))
    assert "seed-5" in query(python, home, tmp_path)
