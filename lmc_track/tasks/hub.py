"""Data sets of the Hugging Face hub, and local folders of the same layout."""

from __future__ import annotations

import importlib
import logging
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import polars as pl

from lmc_track.errors import InputError


def load_splits(
    path: str,
    config: str | None,
    revision: str | None,
    environ: Mapping[str, str],
    remedy: str,
    key: str = "task.hub",
) -> dict[str, pl.DataFrame]:
    """Every split of the data set ``path``: a hub id, or a folder of parquet files.

    ``key`` is the key of the study file that names it.

    What was downloaded before is used when there is no network. It is kept where
    ``HF_DATASETS_CACHE`` says, else where ``datasets`` keeps it.

    Raises:
        InputError: it is not there or cannot be read; ``remedy`` says what else could be done.
    """
    import datasets

    folder = Path(path).expanduser()
    if not folder.is_dir() and (path.startswith((".", "/", "~")) or path.count("/") > 1):
        raise InputError(f"{key}: there is no folder {path}", remedy)
    place = str(folder) if folder.is_dir() else path
    try:
        with _silent():
            loaded = datasets.load_dataset(
                place, config, revision=revision, cache_dir=environ.get("HF_DATASETS_CACHE")
            )
            return {str(split): _frame(rows) for split, rows in loaded.items()}
    except datasets.exceptions.DatasetNotFoundError:
        at = f" at revision {revision}" if revision is not None else ""
        raise InputError(
            f"{key}: {path}{at} is neither a folder nor an open data set on the hub", remedy
        ) from None
    except RuntimeError as error:
        if "scripts are no longer supported" not in str(error):
            raise
        raise InputError(
            f"{key}: {path} is read by a program of its own, which is never run",
            "Name one of Parquet files; many have the revision refs/convert/parquet. " + remedy,
        ) from None
    except (OSError, ValueError, datasets.exceptions.DatasetsError) as error:
        if isinstance(error, OSError) and not folder.is_dir():
            raise InputError(
                f"{key}: {path} is not a folder here, and the hub cannot be reached "
                f"({type(error).__name__})",
                remedy,
            ) from None
        why = str(error.__cause__ or error).partition("\n")[0]
        raise InputError(f"{key}: {path} cannot be read: {why}", remedy) from None


def _frame(rows: Any) -> pl.DataFrame:
    frame = pl.from_arrow(rows.with_format("arrow")[:])
    assert isinstance(frame, pl.DataFrame)
    return frame


@contextmanager
def _silent() -> Iterator[None]:
    """Neither progress bars nor messages from the hub's libraries, whose errors are told by
    exceptions; restored afterwards."""
    import datasets

    hub: Any = importlib.import_module("huggingface_hub.utils")
    loggers = (datasets.utils.logging, hub.logging)
    levels = [logger.get_verbosity() for logger in loggers]
    bars = (
        (datasets.utils.are_progress_bars_disabled(), datasets.utils.enable_progress_bars),
        (hub.are_progress_bars_disabled(), hub.enable_progress_bars),
    )
    for logger in loggers:
        logger.set_verbosity(logging.CRITICAL)
    datasets.utils.disable_progress_bars()
    hub.disable_progress_bars()
    try:
        yield
    finally:
        for logger, level in zip(loggers, levels, strict=True):
            logger.set_verbosity(level)
        for were_disabled, enable in bars:
            if not were_disabled:
                enable()
