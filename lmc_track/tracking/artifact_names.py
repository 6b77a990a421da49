"""Whether the name of an artifact, as a tag or parameter of a run tells it, is one.

Whoever may write to a store may write any text there; it becomes a path on this machine.
"""

from __future__ import annotations

from lmc_track.errors import WorkError
from lmc_track.names import is_name


def check_artifact(run_id: str, name: str) -> None:
    """Refuse a name that leads out of the run's artifacts, and an id that is no name.

    Raises:
        WorkError: it is such a one.
    """
    parts = name.split("/")
    if not is_name(run_id) or "\\" in name or "\0" in name or {"", ".", ".."} & set(parts):
        raise WorkError(
            f"run {run_id!r} names an artifact {name!r}, which is no name within its artifacts",
            "Its tags or parameters were changed: delete the run in MLflow and run the study "
            "again.",
        )
