"""Options and arguments that several commands share."""

from __future__ import annotations

import os
from collections.abc import Callable, MutableMapping
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar, cast

import click

from lmc_track.redaction import holds_password

from .completion import complete_study
from .terminal import echo

if TYPE_CHECKING:
    from lmc_track.study import Study
    from lmc_track.tracking.location import Location

Function = TypeVar("Function", bound=Callable[..., Any])

FORMATS = ("table", "json", "csv", "markdown", "parquet")


def location_options(function: Function) -> Function:
    """``--home`` and ``--tracking-uri``."""
    function = click.option(
        "--tracking-uri",
        metavar="URI",
        callback=_seen_password,
        help="MLflow tracking store: a database or a server. "
        "[env: MLFLOW_TRACKING_URI; default: mlflow.db in the home]",
    )(function)
    return home_option(function)


def _seen_password(ctx: click.Context, _param: click.Parameter, uri: str | None) -> str | None:
    if uri is not None and not ctx.resilient_parsing and holds_password(uri):
        echo(
            "Note: a password on the command line is seen by everybody who may list this machine's "
            "processes; MLFLOW_TRACKING_URI keeps it from them.",
            err=True,
        )
    return uri


def home_option(function: Function) -> Function:
    return click.option(
        "--home",
        metavar="DIR",
        help="Folder of the tracking store, artifacts and results. "
        "[env: LMC_HOME; default: mlruns]",
    )(function)


def study_argument(function: Function) -> Function:
    """STUDY, a study file or the name of a recorded study."""
    return click.argument("study", metavar="STUDY", shell_complete=complete_study)(function)


def set_option(function: Function) -> Function:
    return click.option(
        "--set",
        "overrides",
        multiple=True,
        metavar="KEY=VALUE",
        help="Override a key of the study file, such as finetune.seeds=0-3. Repeatable.",
    )(function)


def placement_options(function: Function) -> Function:
    """``--device``, ``--threads``, ``--workers`` and ``--scheduler``, joined as ``placement``."""

    @wraps(function)
    def placed(
        *args: Any,
        device: str,
        threads: int | None,
        workers: int | None,
        scheduler: str | None,
        **others: Any,
    ) -> Any:
        from lmc_track.execution import Placement

        if workers is None and scheduler is None:
            device = _alone_with(device, os.environ)
        return function(*args, placement=Placement(device, threads, workers, scheduler), **others)

    command = click.option(
        "--scheduler",
        metavar="ADDRESS",
        help="Compute on the workers of this Dask scheduler, such as tcp://10.0.0.1:8786. "
        "They must see the same files.",
    )(placed)
    command = click.option(
        "--workers",
        type=click.IntRange(min=1),
        metavar="N",
        help="Compute in N processes of this machine (a local Dask cluster), which share its "
        "cores and GPUs.",
    )(command)
    command = click.option(
        "--threads",
        type=click.IntRange(min=1),
        metavar="N",
        help="Threads of each process. [default: its share of the cores]",
    )(command)
    command = click.option(
        "--device",
        metavar="DEVICE",
        default="auto",
        show_default=True,
        help="Where models are computed: auto, cpu, cuda or cuda:N.",
    )(command)
    return cast(Function, command)


def _alone_with(device: str, environ: MutableMapping[str, str]) -> str:
    """Leave this process one GPU, or none, before torch looks; returns what torch calls it.

    A trainer that sees several would share out each batch over them, which is another recipe.
    """
    visible = environ.get("CUDA_VISIBLE_DEVICES")
    there = [name for name in visible.split(",") if name] if visible is not None else None
    if device == "cpu":
        environ["CUDA_VISIBLE_DEVICES"] = ""
        return device
    kind, _, number = device.partition(":")
    if kind not in ("auto", "cuda") or (number and not number.isdecimal()) or there == []:
        return device
    wanted = int(number or 0)
    if there is None:
        environ["CUDA_VISIBLE_DEVICES"] = str(wanted)
    elif wanted < len(there):
        environ["CUDA_VISIBLE_DEVICES"] = there[wanted]
    else:
        return device
    return kind


def format_option(function: Function) -> Function:
    return click.option(
        "--format",
        "output_format",
        type=click.Choice(FORMATS),
        default="table",
        show_default=True,
        help="How rows are printed.",
    )(function)


def find_location(home: str | None, tracking_uri: str | None, *, new: bool = False) -> Location:
    """Where the studies are; the home is there, unless ``new`` lets it be made.

    Raises:
        InputError: there is no home, or the folder is something else.
    """
    from lmc_track.tracking.homes import check_home
    from lmc_track.tracking.location import locate

    location = locate(home, tracking_uri)
    check_home(location, new=new)
    return location


def find_study(study: str, overrides: tuple[str, ...], location: Location) -> Study:
    """The study that STUDY means, with ``--set`` applied."""
    from lmc_track.study import read_study, restore_study

    if _is_file(study):
        return read_study(Path(study), overrides)
    from lmc_track.steps.recording import recorded_study
    from lmc_track.tracking.homes import check_home

    check_home(location)
    recorded = recorded_study(study, location)
    if not overrides:
        return recorded
    content = recorded.model_dump(mode="json")
    return restore_study(content, f"the recorded study {study!r}", overrides)


def study_name(study: str, location: Location) -> str:
    """The name of the study that STUDY means."""
    if _is_file(study):
        from lmc_track.study import read_study

        return read_study(Path(study)).name
    from lmc_track.tracking.homes import check_home

    check_home(location)
    return study


def _is_file(study: str) -> bool:
    """Whether STUDY is a file; what is too long for the name of one is none."""
    try:
        return "/" in study or Path(study).suffix == ".toml" or Path(study).is_file()
    except (OSError, ValueError):
        return False
