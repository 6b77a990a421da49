"""Checks of Python, its packages, the disks, permissions, credentials and devices."""

from __future__ import annotations

import os
import platform
import re
import shutil
import sys
import tempfile
from collections.abc import Iterator, Mapping
from importlib.metadata import PackageNotFoundError, requires, version
from pathlib import Path

from lmc_track.redaction import holds_password
from lmc_track.steps.findings import Finding, fail, ok, warn
from lmc_track.tracking.location import Location

_OLDEST = (3, 11)
# Bytes below which work stops soon, or is worth a thought: predictions of one study, checkpoints.
_TOO_LITTLE, _LITTLE = 500_000_000, 5_000_000_000
_SECRETS = (
    "MLFLOW_TRACKING_USERNAME", "MLFLOW_TRACKING_PASSWORD", "MLFLOW_TRACKING_TOKEN", "PGPASSWORD",
    "HF_TOKEN", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY",
)  # fmt: skip


def check_python() -> Iterator[Finding]:
    """The interpreter."""
    machine = platform.uname()
    told = f"{platform.python_version()} on {machine.system} {machine.machine}"
    if sys.version_info < _OLDEST:
        yield fail("Python", told, "Install Python 3.11 or newer.")
    else:
        yield ok("Python", told)


def check_packages(tested_with: Path | None = None) -> Iterator[Finding]:
    """Installed packages against what is required, and against what the tests are run with.

    ``tested_with`` is that list (``constraints.txt``), which is there in a checkout only.
    """
    from packaging.requirements import Requirement

    pins = _pins(tested_with or Path(__file__).parents[2] / "constraints.txt")
    wrong, other, right = [], [], 0
    for line in requires("lmc-track") or ():
        requirement = Requirement(line)
        if requirement.marker is not None and not requirement.marker.evaluate({"extra": ""}):
            continue
        try:
            found = version(requirement.name)
        except PackageNotFoundError:
            wrong.append(f"{requirement.name} is not installed (needed: {requirement.specifier})")
            continue
        right += 1
        tested = pins.get(_plain(requirement.name))
        if not requirement.specifier.contains(found, prereleases=True):
            wrong.append(f"{requirement.name} {found} (needed: {requirement.specifier})")
        elif tested is not None and found.partition("+")[0] != tested:
            other.append(f"{requirement.name} {found} (tested: {tested})")
    if wrong:
        yield fail("packages", "; ".join(wrong), "Install the program anew: pip install -U .")
    elif other:
        yield warn(
            "packages",
            f"{right} are there; not the ones that the tests are run with: {'; '.join(other)}",
            "To have those: pip install -c constraints.txt -e .",
        )
    else:
        told = "as the tests are run with" if pins else "in the ranges that are required"
        yield ok("packages", f"{right} are there, {told}")


def _pins(file: Path) -> dict[str, str]:
    try:
        lines = file.read_text(encoding="utf-8").splitlines()
    except OSError:
        return {}
    pairs = (line.split("==") for line in lines if "==" in line)
    return {_plain(name): pinned.strip() for name, pinned in pairs}


def _plain(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name.strip()).lower()


def check_disks(location: Location) -> Iterator[Finding]:
    """Free room where the program writes."""
    places = {"home": location.home, "cache": location.cache, "tmp": Path(tempfile.gettempdir())}
    seen: dict[int, str] = {}
    for name, path in places.items():
        there = nearest(path)
        device = there.stat().st_dev
        if device in seen:
            continue
        seen[device] = name
        free = shutil.disk_usage(there).free
        told = f"{free / 1e9:,.1f} GB free for {there}"
        check = f"disk of {name}"
        if free < _TOO_LITTLE:
            yield fail(check, told, "Make room, or choose another place: --home, TMPDIR.")
        elif free < _LITTLE:
            yield warn(
                check, told, "A study of large models needs more; see interpolate --dry-run."
            )
        else:
            yield ok(check, told)


def nearest(path: Path) -> Path:
    """``path``, or the first folder above it that is there."""
    while not path.exists() and path != path.parent:
        path = path.parent
    return path


def check_permissions(location: Location) -> Iterator[Finding]:
    """Whether what is in the home can be written."""
    home = location.home
    if not home.exists():
        above = nearest(home)
        if os.access(above, os.W_OK | os.X_OK):
            yield ok("permissions", f"{home} is not made yet; {above} can be written")
        else:
            yield fail("permissions", f"{above} cannot be written", _GIVE)
        return
    inside = ("", "artifacts", "cache", "locks", "mlflow.db", location.results_path.name)
    closed = [
        path
        for path in (home / name for name in inside)
        if path.exists() and not os.access(path, os.R_OK | os.W_OK | (path.is_dir() and os.X_OK))
    ]
    if closed:
        yield fail("permissions", f"{', '.join(map(str, closed))} cannot be written", _GIVE)
    else:
        yield ok("permissions", f"{home} can be written")


_GIVE = "Let this user write there, or choose another home with --home or LMC_HOME."


def check_credentials(location: Location, environ: Mapping[str, str]) -> Iterator[Finding]:
    """Which credentials are set; none is shown."""
    there = [name for name in _SECRETS if environ.get(name)]
    told = f"set: {', '.join(there)}" if there else "none is set"
    if holds_password(location.tracking_uri):
        yield warn(
            "credentials",
            f"the tracking URI holds a password; of the environment, {told}",
            "Better keep it in PGPASSWORD, ~/.pgpass or MLFLOW_TRACKING_PASSWORD.",
        )
    elif ("MLFLOW_TRACKING_USERNAME" in there) != ("MLFLOW_TRACKING_PASSWORD" in there):
        yield warn(
            "credentials",
            told,
            "Set both MLFLOW_TRACKING_USERNAME and MLFLOW_TRACKING_PASSWORD, or neither.",
        )
    else:
        yield ok("credentials", told)


def check_device() -> Iterator[Finding]:
    """What models are computed on; loads torch."""
    import torch

    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    threads = f"{cores} cores, torch {torch.__version__} with {torch.get_num_threads()} threads"
    if torch.cuda.is_available():
        names = [torch.cuda.get_device_name(n) for n in range(torch.cuda.device_count())]
        yield ok("device", f"cuda: {', '.join(names)}; {threads}")
    elif torch.backends.mps.is_available():
        yield ok("device", f"cpu: {threads}; mps is there and is not used")
    elif shutil.which("nvidia-smi"):
        yield warn(
            "device",
            f"cpu: {threads}; nvidia-smi is there, but torch sees no CUDA device",
            "Check nvidia-smi, and that torch is a CUDA build.",
        )
    else:
        yield ok("device", f"cpu: {threads}; no GPU")
