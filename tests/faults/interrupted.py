"""Run the tiny study and die, by SIGKILL, the n-th time that a named moment comes.

Reads one order a line from stdin, ``[HOME, MOMENT, COUNT, [EVALUATION_SETS]]`` as JSON, and
answers with how the study's process ended, as ``subprocess`` would say it. Every study has a
process of its own, forked from this one, which has loaded the libraries and done nothing else.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import traceback
from collections.abc import Callable
from typing import Any

import mlflow.tracking  # noqa: F401
import transformers.models.bert.modeling_bert  # noqa: F401

from lmc_track.models import callbacks
from lmc_track.progress import Silent
from lmc_track.steps import path_records, run
from lmc_track.tracking import recorder
from lmc_track.tracking.artifacts import Artifacts
from lmc_track.tracking.bulk import ThroughClient
from lmc_track.tracking.location import locate
from lmc_track.tracking.recorder import Recorder
from lmc_track.warehouse import rebuild
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


def run_until(home: str, moment: str, count: int, datasets: list[str]) -> None:
    def every(*_: Any, **__: Any) -> bool:
        return True

    if moment == "finetuning":
        die_at(callbacks.Watch, "on_step_end", count, every)
    elif moment == "model-log":
        die_at(Recorder, "log", count, lambda _, run, **__: run.kind == "model")
    elif moment == "path-logging":
        die_at(Recorder, "finish", count, lambda _, run, *__, **___: run.kind == "point")
    elif moment == "path-logging-by-client":
        recorder.bulk_writer = lambda *_: ThroughClient()
        die_at(Recorder, "finish", count, lambda _, run, *__, **___: run.kind == "point")
    elif moment == "path-curves":
        die_at(Recorder, "log", count, lambda _, run, **__: run.kind == "path")
    elif moment == "evaluation":
        die_at(path_records, "record_predictions", count, lambda *a, **__: a[2].finished)
    elif moment == "clustering":
        die_at(Artifacts, "put_json", count, lambda *a, **__: a[-1] == "clusters.json")
    elif moment == "cluster-finish":
        die_at(Recorder, "finish", count, lambda _, run, *__, **___: run.kind == "clusters")
    elif moment == "ingest":
        die_at(rebuild, "table_counts", count, every)
    study = tiny_study(**({"evaluate": {"datasets": datasets}} if datasets else {}))
    run.run_study(study, locate(home, environ={}), Silent())


def main() -> None:
    for order in sys.stdin:
        child = os.fork()
        if child == 0:
            code = 1
            try:
                run_until(*json.loads(order))
                code = 0
            except BaseException:
                traceback.print_exc()
            finally:
                sys.stderr.flush()
                os._exit(code)
        print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)


if __name__ == "__main__":
    main()
