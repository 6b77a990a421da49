"""The program, run again and again in processes of its own, each with one fault put into it.

Reads one order a line from stdin as JSON: what is on the command line, changes of the
environment, files for stdout and stderr, and a fault (see ``FAULTS``). Answers with how the
process ended, as ``subprocess`` would say it. Every process is forked from this one, which has
loaded the libraries and done nothing else.

A fault comes at a *moment*: the n-th time, within one step of the study, that the program opens,
renames or removes a file, sends a statement to the tracking store, or asks DuckDB for something.
What a process leaves behind when it dies is decided by which of these it still got done, so a
count of them says when it died better than any number of seconds, and says it on every machine.
"""

from __future__ import annotations

import json
import os
import resource
import signal
import sys
import threading
import traceback
from collections import Counter
from collections.abc import Callable
from typing import Any

import duckdb
import loky  # noqa: F401
import mlflow.artifacts
import mlflow.store.tracking.sqlalchemy_store
import mlflow.tracking  # noqa: F401
import plotly.graph_objects  # noqa: F401
import scipy.stats  # noqa: F401
import sklearn.cluster
import sklearn.manifold  # noqa: F401
import transformers.models.bert.modeling_bert
import transformers.trainer  # noqa: F401
from sqlalchemy import Engine, event

from lmc_track.cli import main as program
from lmc_track.models import finetuning  # noqa: F401
from lmc_track.steps import run
from support.permissions import give_up_override

STEPS = {
    "finetune_models": "finetuning",
    "evaluate_models": "measuring",
    "interpolate_paths": "measuring",
    "ingest": "ingesting",
    "cluster_models": "clustering",
    "write_report": "reporting",
}
_LOGGING = "logging"  # what the thread that records does, in whichever step
_AUDITED = {
    "open", "os.rename", "os.remove", "os.mkdir", "os.rmdir", "os.truncate", "os.chmod", "os.link",
    "os.symlink", "sqlite3.connect", "shutil.rmtree", "shutil.copyfile",
}  # fmt: skip
# A process that hangs is ended by this signal, so that no test waits for it.
_MOST_SECONDS = 240

Act = Callable[[str, int], None]


class Moments:
    """Counts the moments of every step and hands each to ``act``."""

    def __init__(self, act: Act, leave: Callable[[str], None]) -> None:
        self.counts: Counter[str] = Counter()
        self._act, self._leave = act, leave
        self._step = "beginning"
        self._busy = threading.local()

    def watch(self) -> None:
        sys.addaudithook(lambda name, _: self.come() if name in _AUDITED else None)
        event.listen(Engine, "before_cursor_execute", lambda *_: self.come())
        event.listen(Engine, "commit", lambda *_: self.come())
        connect = duckdb.connect
        duckdb.connect = lambda *args, **named: _Counted(connect(*args, **named), self.come)
        for name, step in STEPS.items():
            setattr(run, name, self._within(step, getattr(run, name)))

    def come(self) -> None:
        if getattr(self._busy, "acting", False):
            return
        self._busy.acting = True
        try:
            recording = threading.current_thread().name.startswith("record")
            step = _LOGGING if recording else self._step
            self.counts[step] += 1
            self._act(step, self.counts[step])
        finally:
            self._busy.acting = False

    def _within(self, step: str, work: Callable[..., Any]) -> Callable[..., Any]:
        def stepping(*arguments: Any, **named: Any) -> Any:
            before, self._step = self._step, step
            try:
                return work(*arguments, **named)
            finally:
                self._leave(step)
                self._step = before

        return stepping


class _Counted:
    """A DuckDB connection of which every use is a moment.

    Uses are DuckDB's own methods, called by the program itself: DuckDB looks for data frames among
    the variables of whoever calls it.
    """

    def __init__(self, connection: Any, come: Callable[[], None]) -> None:
        self._connection, self._come = connection, come

    def __getattr__(self, name: str) -> Any:
        self._come()
        return getattr(self._connection, name)

    def __enter__(self) -> _Counted:
        return self

    def __exit__(self, *_: object) -> None:
        self._connection.close()


def none() -> None:
    """No fault."""


def counted(path: str) -> None:
    """Write how many moments each step has to ``path``, at the end."""
    import atexit

    moments = Moments(lambda *_: None, lambda _: None)
    moments.watch()

    def write() -> None:
        with open(path, "w") as file:  # noqa: PTH123
            json.dump(moments.counts, file)

    atexit.register(write)


def killed(step: str, count: int) -> None:
    """SIGKILL at the ``count``-th moment of ``step``, or at its end if that does not come."""

    def act(at: str, number: int) -> None:
        if (at, number) == (step, count):
            os.kill(os.getpid(), signal.SIGKILL)

    def leave(left: str) -> None:
        if left == step or (step == _LOGGING and left == "measuring"):
            os.kill(os.getpid(), signal.SIGKILL)

    Moments(act, leave).watch()


def paused(step: str, counts: list[int], said: str, answered: str) -> None:
    """At each of these moments of ``step``, write a line to ``said`` and wait for ``answered``.

    Both are named pipes.
    """

    def act(at: str, number: int) -> None:
        if at == step and number in counts:
            with open(said, "w") as pipe:  # noqa: PTH123
                pipe.write("here\n")
            with open(answered) as pipe:  # noqa: PTH123
                pipe.read()

    Moments(act, lambda _: None).watch()


def impatient(step: str, counts: list[int], said: str, answered: str) -> None:
    """As ``paused``; and a locked SQLite file is waited for during a moment instead of 20 s."""

    @event.listens_for(Engine, "before_cursor_execute", retval=True)
    def shorten(_: Any, __: Any, statement: str, parameters: Any, *___: Any) -> tuple[str, Any]:
        return statement.replace("busy_timeout = 20000", "busy_timeout = 200"), parameters

    paused(step, counts, said, answered)


def bereaved(victims: int) -> None:
    """Share work among processes, and kill one the first ``victims`` times that work is done."""
    from lmc_track.execution import processes, share

    share._WORTH_EXAMPLES = 1
    share.cores = lambda: 2
    done = processes.Board.done
    deaths = 0

    def done_and_dying(board: Any) -> int:
        nonlocal deaths
        steps = done(board)
        if steps > 0 and deaths < victims:
            worker = _a_worker()
            if worker is not None:  # all others may have ended with the one before
                deaths += 1
                os.kill(worker, signal.SIGKILL)
        return steps

    processes.Board.done = done_and_dying


def _a_worker() -> int | None:
    import psutil

    workers = (
        child.pid
        for child in psutil.Process().children(recursive=True)
        if child.status() != psutil.STATUS_ZOMBIE
        and any("popen_loky" in word for word in child.cmdline())
    )
    return next(workers, None)


def small_files(size: int) -> None:
    """No file may grow beyond ``size`` bytes: what a disk without room does, for every user."""
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, resource.RLIM_INFINITY))


FAULTS: dict[str, Callable[..., None]] = {
    "none": none,
    "counted": counted,
    "killed": killed,
    "paused": paused,
    "impatient": impatient,
    "bereaved": bereaved,
    "small files": small_files,
    "bound by permissions": give_up_override,
}


def become(order: dict[str, Any]) -> None:
    """Run the program as ``order`` says; does not return."""
    signal.alarm(_MOST_SECONDS)
    for stream, name in ((1, "out"), (2, "err")):
        os.dup2(os.open(order[name], os.O_WRONLY | os.O_CREAT | os.O_TRUNC), stream)
    os.chdir(order["folder"])
    os.environ.update(order["environ"])
    kind, *given = order["fault"]
    sys.argv = ["lmc-track", *order["arguments"]]
    FAULTS[kind](*given)
    program.main()


def main() -> None:
    for line in sys.stdin:
        child = os.fork()
        if child == 0:
            code = 70
            try:
                become(json.loads(line))
            except SystemExit as left:
                code = int(left.code or 0)
            except BaseException:
                traceback.print_exc()
            finally:
                import atexit

                atexit._run_exitfuncs()
                sys.stdout.flush()
                sys.stderr.flush()
                os._exit(code)
        print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)


if __name__ == "__main__":
    main()
