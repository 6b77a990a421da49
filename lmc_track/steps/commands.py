"""The commands that a user types to see or repeat something, written out in full."""

from __future__ import annotations

import shlex

from lmc_track.tracking.advice import mlflow_program, place_options
from lmc_track.tracking.location import Location
from lmc_track.tracking.pages import FIRST_VIEW, experiment_page, run_page
from lmc_track.uris import address


def ui_command(location: Location, port: int = 5000) -> str:
    """The command that opens the MLflow UI on this store, on loopback; a server's own address.

    User, password and options of the URI are left out: where there are any, the command needs
    them from the database's own environment variables.
    """
    if location.artifact_root is None:
        return location.shown_uri
    store = ["--backend-store-uri", location.shown_uri]
    root = location.artifact_root
    artifacts = ["--default-artifact-root", address(root) if "://" in root else root]
    place = ["--host", "127.0.0.1", "--port", str(port)]
    return shlex.join([mlflow_program(), "ui", *store, *artifacts, *place])


def runs_url(location: Location, experiment_id: str) -> str:
    """Where a run of the study is on the tracking server, with ``{run}`` in the place of its id.

    Empty for a store without a server: what opens its UI is a command (``study_ui_command``), and
    an address on loopback would be dead for anybody who is sent it.
    """
    if location.artifact_root is not None:
        return ""
    return f"{location.shown_uri.rstrip('/')}/{run_page(experiment_id, '{run}')}"


def study_ui_command(study: str, location: Location, experiment_id: str = "") -> str:
    """The command that opens the MLflow UI at ``study``; a server's address where it has its own,
    with that of its experiment where its id is known.

    As in ``ui_command`` it has no secret.
    """
    if location.artifact_root is None:
        if not experiment_id:
            return location.shown_uri
        return f"{location.shown_uri.rstrip('/')}/{experiment_page(experiment_id, FIRST_VIEW)}"
    return shlex.join(["lmc-track", "ui", study, *place_options(location)])


def reproduction(
    study: str, location: Location, *, imported: bool = False
) -> list[tuple[str, str]]:
    """(what for, command) of the ways to go on from a report."""
    where = place_options(location)
    first = ("Run or resume the study", ["run", study])
    if imported:
        first = ("How clusters differ", ["query", "cluster_diagnostics", "-p", f"study={study}"])
    return [
        (what, shlex.join(["lmc-track", *command, *where]))
        for what, command in (
            first,
            ("The barrier matrix as a table", ["query", "barrier_matrix", "-p", f"study={study}"]),
            ("The runs in MLflow", ["ui", study]),
        )
    ]
