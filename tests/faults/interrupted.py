"""Run the tiny study and die, by SIGKILL, the n-th time that a named moment comes.

Usage: interrupted.py HOME MOMENT COUNT [EVALUATION_SETS]
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from lmc_track.progress import Silent
from lmc_track.tracking.location import locate
from support.studies import tiny_study


def die_at(owner: Any, name: str, count: int, applies: Callable[..., bool]) -> None:
    """Replace ``owner.name`` by itself, except that its ``count``-th call kills the process."""
    original = getattr(owner, name)
    calls = 0

    def dying(*arguments: Any, **named: Any) -> Any:
        nonlocal calls
        if applies(*arguments, **named):
            calls += 1
            if calls == count:
                os.kill(os.getpid(), signal.SIGKILL)
        return original(*arguments, **named)

    setattr(owner, name, dying)


def main() -> None:
    home, moment, count = sys.argv[1], sys.argv[2], int(sys.argv[3])
    from lmc_track.models import finetuning
    from lmc_track.steps import interpolate, run
    from lmc_track.tracking.artifacts import Artifacts
    from lmc_track.tracking.recorder import Recorder
    from lmc_track.warehouse import rebuild

    def every(*_: Any, **__: Any) -> bool:
        return True

    if moment == "finetuning":
        die_at(finetuning._Watch, "on_step_end", count, every)
    elif moment == "model-log":
        die_at(Recorder, "log", count, lambda _, run, **__: run.kind == "model")
    elif moment == "path-logging":
        die_at(Recorder, "finish", count, lambda _, run, *__: run.kind == "point")
    elif moment == "path-curves":
        die_at(Recorder, "log", count, lambda _, run, **__: run.kind == "path")
    elif moment == "evaluation":
        die_at(interpolate, "record_predictions", count, lambda *a, **__: a[2].finished)
    elif moment == "clustering":
        die_at(Artifacts, "put_json", count, lambda *a, **__: a[-1] == "clusters.json")
    elif moment == "cluster-finish":
        die_at(Recorder, "finish", count, lambda _, run, *__: run.kind == "clusters")
    elif moment == "ingest":
        die_at(rebuild, "_counts", count, every)
    study = tiny_study(**({"evaluate": {"datasets": sys.argv[4:]}} if sys.argv[4:] else {}))
    run.run_study(study, locate(home, environ={}), Silent())


if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).parents[1]))
    main()
