"""Reading artifacts back: a file that is not what was written is reported, never computed with.

Whoever reads one states its shape. What a damaged file means, and whether its content can be made
again, is for the caller to say.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any, TypeVar, cast

import polars as pl

from lmc_track.errors import WorkError
from lmc_track.tracking.runs import RunEntry

Shape = TypeVar("Shape")

_LONGEST_REASON = 200
RESTORE = "Restore it, or delete the run in MLflow and run the study again."


class DamagedArtifactError(WorkError):
    """The artifact ``name`` of ``run_id`` is missing, or not what was written."""

    def __init__(self, run_id: str, name: str, file: str, why: str, remedy: str = RESTORE) -> None:
        super().__init__(f"The artifact {name} of run {run_id} is damaged: {file}: {why}", remedy)
        self.run_id, self.name, self.file, self.why = run_id, name, file, why

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self.run_id, self.name, self.file, self.why, self.remedy)


def damaged(run: RunEntry, file: Path, why: object, remedy: str = RESTORE) -> DamagedArtifactError:
    """The error of the damaged ``file`` of ``run``; ``why`` is cut to one short line."""
    reason = " ".join(str(why).split())[:_LONGEST_REASON]
    return DamagedArtifactError(run.run_id, file.name, str(file), reason, remedy)


def read_json(run: RunEntry, file: Path, shape: type[Shape], remedy: str = RESTORE) -> Shape:
    """The content of the JSON artifact ``file``, which is of the type ``shape``.

    Raises:
        DamagedArtifactError: it cannot be read, or has another shape.
    """
    from pydantic import ValidationError

    try:
        adapter = _adapter(cast(Hashable, shape))
        content: Shape = adapter.validate_json(file.read_bytes(), strict=True)
        return content
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False, include_context=False)[0]
        where = ".".join(map(str, first["loc"]))
        why = f"{where}: {first['msg']}" if where else first["msg"]
        raise damaged(run, file, why, remedy) from None
    except OSError as error:
        raise damaged(run, file, error.strerror or error, remedy) from error


@lru_cache(maxsize=32)
def _adapter(shape: Hashable) -> Any:
    from pydantic import TypeAdapter

    return TypeAdapter(cast(Any, shape))


def read_table(
    run: RunEntry, file: Path, columns: Mapping[str, Any], remedy: str = RESTORE
) -> pl.DataFrame:
    """The Parquet artifact ``file``, whose ``columns`` are there with these types, and others.

    Raises:
        DamagedArtifactError: it cannot be read, or lacks one of them.
    """
    try:
        frame = pl.read_parquet(file)
        return frame.with_columns(pl.col(name).cast(kind) for name, kind in columns.items())
    except (pl.exceptions.PolarsError, OSError) as error:
        raise damaged(run, file, error, remedy) from error
