"""A real study small enough for tests: real MLflow, real Trainer, real tokenizer, real DuckDB."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import polars as pl

from lmc_track.progress import Progress, Silent
from lmc_track.steps.run import RunOutcome, run_study
from lmc_track.study import Study, build_study
from lmc_track.tracking.location import Location
from lmc_track.tracking.runs import RunIndex, read_runs
from lmc_track.tracking.store import Store
from lmc_track.tracking.studies import find_study

# Columns that say when or under which id something was recorded, not what it is.
PASSING = {
    "model_id", "model_a_id", "model_b_id", "path_id", "point_id", "run_id", "clustering_id",
    "study_id", "experiment_id", "created", "seconds", "versions",
}  # fmt: skip


def tiny_content(**sections: dict[str, Any]) -> dict[str, Any]:
    """The content of a study file whose run takes seconds; ``sections`` update it."""
    content: dict[str, Any] = {
        "study": {"name": "tiny"},
        "task": {
            "name": "agreement",
            "pretraining_sentences": 200,
            "pretraining_steps": 4,
            "train_examples": 64,
            "validation_examples": 40,
            "diagnostic_examples": 24,
        },
        "finetune": {"seeds": "0-3", "max_steps": 4, "learning_rate": 1e-3, "batch_size": 8},
        # Models of four steps are at chance; what most tests are about is what becomes of them.
        "evaluate": {"datasets": ["validation", "main_only"], "include_failed": True},
        "interpolate": {"points": 4},
        "cluster": {"resamples": 99, "tau": 0.1},
    }
    for name, keys in sections.items():
        content[name] = {**content.get(name, {}), **keys}
    return content


def tiny_study(**sections: dict[str, Any]) -> Study:
    return build_study(tiny_content(**sections))


def run_tiny(
    location: Location, progress: Progress | None = None, **sections: dict[str, Any]
) -> RunOutcome:
    return run_study(tiny_study(**sections), location, progress or Silent())


def runs_of(location: Location, study: str = "tiny") -> RunIndex:
    """Every run of the study as MLflow holds it now."""
    store = Store(location)
    record = find_study(store, study)
    assert record is not None
    return RunIndex(read_runs(store, record.experiment_id))


def measured(location: Location) -> dict[str, pl.DataFrame]:
    """What the results say, by keys and names instead of run ids, ready to be compared."""
    import duckdb

    tables = {
        "models": "SELECT * FROM models",
        "paths": "SELECT * FROM paths",
        "points": "SELECT p.key AS path, o.study, o.alpha, o.grid FROM points o "
        "JOIN paths p USING (path_id)",
        "datasets": "SELECT * FROM datasets",
        "barriers": "SELECT * EXCLUDE (support) FROM barriers",
        "curves": "SELECT p.key, c.* FROM curves c JOIN paths p USING (path_id)",
        "clusters": "SELECT g.method, m.name, c.cluster, g.settings FROM clusters c "
        "JOIN clusterings g USING (clustering_id) JOIN models m USING (model_id)",
    }
    connection = duckdb.connect(str(location.results_path), read_only=True)
    try:
        frames = {name: connection.sql(text).pl() for name, text in tables.items()}
    finally:
        connection.close()
    return {
        name: (kept := frame.drop(PASSING & set(frame.columns))).sort(
            [c for c, t in kept.schema.items() if not t.is_nested()]
        )
        for name, frame in frames.items()
    }


def tables_of(results_path: Path) -> dict[str, pl.DataFrame]:
    """Every table of the results, whole and sorted."""
    import duckdb

    connection = duckdb.connect(str(results_path), read_only=True)
    try:
        names = [row[0] for row in connection.sql("SHOW TABLES").fetchall()]
        return {name: connection.sql(f'SELECT * FROM "{name}" ORDER BY ALL').pl() for name in names}
    finally:
        connection.close()
