"""Files of models that others wrote: read as data, with one plain error where they are odd.

What transformers makes of an odd file is not foreseeable: any exception of its is about the file.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from lmc_track.errors import InputError, LmcTrackError
from lmc_track.nesting import is_deep
from lmc_track.study.schema import MOST_LABELS

# Real files nest three or four levels deep.
_DEEPEST = 64
_AGAIN = "Copy or download the model again."


def read_object(file: Path, remedy: str = _AGAIN) -> dict[str, Any]:
    """The JSON object in ``file``.

    Raises:
        InputError: it cannot be read, is not an object, or is nested deeper than any real one.
    """
    try:
        content = json.loads(file.read_bytes().decode("utf-8"))
    except (ValueError, RecursionError) as error:
        raise InputError(f"{file} is damaged: {_reason(error)}", remedy) from None
    except OSError as error:
        raise InputError(f"{file} cannot be read: {error.strerror}", remedy) from None
    if not isinstance(content, dict):
        raise InputError(f"{file} is damaged: it holds no JSON object", remedy)
    if is_deep(content, _DEEPEST):
        raise InputError(
            f"{file} is damaged: it is nested more than {_DEEPEST} levels deep", remedy
        )
    return content


def check_label_count(file: Path, config: dict[str, Any]) -> None:
    """Raise InputError where ``config`` has labels that no memory holds, or is odd about them.

    transformers makes a name for every label before anybody can look at them.
    """
    names, count = config.get("id2label"), config.get("num_labels")
    if names is not None and not (
        isinstance(names, dict) and all(str(key).isdecimal() for key in names)
    ):
        raise InputError(f"{file}: id2label is not a table of names by number", _AGAIN)
    if count is not None and (not isinstance(count, int) or isinstance(count, bool) or count < 1):
        raise InputError(f"{file}: num_labels is not a number of labels", _AGAIN)
    most = max(len(names or ()), count or 0)
    if most > MOST_LABELS:
        raise InputError(
            f"{file} has {most:,} labels; at most {MOST_LABELS:,} can be worked with",
            "Take a classifier of fewer labels.",
        )


@contextmanager
def of_others(what: str, remedy: str = _AGAIN) -> Iterator[None]:
    """Inside, any exception is about the files of ``what``, which is how the error begins.

    Raises:
        InputError: there was one.
    """
    try:
        yield
    except (LmcTrackError, MemoryError):
        raise
    except Exception as error:
        raise InputError(f"{what}: {_reason(error)}", remedy) from None


def _reason(error: Exception) -> str:
    if isinstance(error, RecursionError):
        return "it is nested too deeply"
    first = str(error).strip().partition("\n")[0][:300]
    # A KeyError says nothing but the key.
    if isinstance(error, (OSError, ValueError)) and first:
        return first
    return f"{type(error).__name__}: {first}" if first else type(error).__name__
