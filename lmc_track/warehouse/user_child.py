"""The process in which one statement of the user's runs, within limits that the system holds.

It is asked on standard input and answers on standard output, in messages of
``lmc_track.warehouse.user_process``.
"""

from __future__ import annotations

import json
import os
import resource
import signal
import sys
import traceback
from collections.abc import Iterator
from pathlib import Path
from typing import IO

import pyarrow as pa

from lmc_track.errors import LmcTrackError
from lmc_track.warehouse.connection import Limits, reading
from lmc_track.warehouse.moment import Moment, find_query
from lmc_track.warehouse.own_queries import own_queries
from lmc_track.warehouse.user_process import DONE, ERROR, HEADER, ROWS, Question
from lmc_track.warehouse.user_sql import user_rows

_STATUS = Path("/proc/self/status")
_SECONDS_TO_OPEN = 300
# DuckDB's own clock is to be first, which says more.
_GRACE = 2.0


def main() -> None:
    """Answer the question on standard input."""
    # Ctrl-C is for the program that asks, and it ends this one.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # what a library prints is not an answer
    question = Question.from_json(sys.stdin.buffer.read())
    _bound(question.limits)
    try:
        for batch in _rows(question):
            _send(answers, ROWS, _packed(batch))
        _send(answers, DONE, b"")
    except LmcTrackError as error:
        _tell(answers, error.message, error.remedy)
    except MemoryError:
        _tell(answers, "the statement needs more memory than it may have", "ask for less at once")
    except Exception:
        _tell(answers, traceback.format_exc(), "", defect=True)


def _rows(question: Question) -> Iterator[pa.RecordBatch]:
    limits = question.limits
    _end_after(limits, _SECONDS_TO_OPEN)
    with reading(question.path, question.tracking_uri, limits) as connection:
        if question.query is None:
            assert question.text is not None
            _end_after(limits, _GRACE)
            yield from user_rows(connection, question.text, limits)
            return
        query = find_query(question.query, question.params, own_queries(question.path.parent))
        with Moment(question.path, connection).asked(query, question.params):
            _end_after(limits, _GRACE)
            yield from user_rows(connection, query.sql, limits, query.path)


def _end_after(limits: Limits, more: float) -> None:
    """Have the system end this process when the time is over, whatever it does then."""
    signal.signal(signal.SIGALRM, signal.SIG_DFL)
    signal.setitimer(signal.ITIMER_REAL, limits.seconds + more if limits.seconds else 0)


def _bound(limits: Limits) -> None:
    """No file may be written, no core be left, and on Linux no more memory be taken."""
    _lower(resource.RLIMIT_FSIZE, 0)
    _lower(resource.RLIMIT_CORE, 0)
    if _STATUS.is_file():
        lines = _STATUS.read_text(encoding="ascii", errors="replace").splitlines()
        used = next(1024 * int(line.split()[1]) for line in lines if line.startswith("VmData:"))
        _lower(resource.RLIMIT_DATA, used + limits.process_bytes)


def _lower(which: int, bound: int) -> None:
    limits = [limit for limit in resource.getrlimit(which) if limit != resource.RLIM_INFINITY]
    bound = min([bound, *limits])
    resource.setrlimit(which, (bound, bound))


def _packed(batch: pa.RecordBatch) -> pa.Buffer:
    packed = pa.BufferOutputStream()
    with pa.ipc.new_stream(packed, batch.schema) as writer:
        writer.write_batch(batch)
    return packed.getvalue()


def _tell(answers: IO[bytes], message: str, remedy: str, *, defect: bool = False) -> None:
    told = {"message": message, "remedy": remedy, "defect": defect}
    _send(answers, ERROR, json.dumps(told).encode())


def _send(answers: IO[bytes], kind: bytes, content: bytes | pa.Buffer) -> None:
    answers.write(HEADER.pack(kind, len(content)))
    answers.write(content)
    answers.flush()


if __name__ == "__main__":
    main()
