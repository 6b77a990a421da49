"""What is done and what is missing, study by study, from the record."""

from __future__ import annotations

from lmc_track.geometry.interpolation import interior
from lmc_track.steps.pairs import planned_pairs
from lmc_track.steps.recording import find_recorded
from lmc_track.study import Study, build_study
from lmc_track.tracking.keys import path_key, point_key
from lmc_track.tracking.location import Location
from lmc_track.tracking.runs import RunIndex
from lmc_track.tracking.store import Store
from lmc_track.tracking.studies import StudyFacts, find_study, study_names

Row = dict[str, str | int]


def study_status(location: Location, name: str | None = None) -> list[Row]:
    """One row for each study and kind of run: planned, finished, unfinished.

    Raises:
        InputError: ``name`` is not recorded.
    """
    store = Store(location)
    if name is not None:
        records = [find_recorded(name, location)]
    else:
        records = [record for one in study_names(store) if (record := find_study(store, one))]
    rows: list[Row] = []
    for record in records:
        source = f"the recorded study {record.facts.name!r}"
        study = build_study(record.facts.file, source=source)
        rows += _rows(record.facts, record.index, study)
    return rows


def _rows(facts: StudyFacts, index: RunIndex, study: Study) -> list[Row]:
    pairs = planned_pairs(study, facts.models)
    keys = [
        path_key(facts.models[a].key, facts.models[b].key, study.evaluate.precision)
        for a, b in pairs
    ]
    grid = {point_key(key, alpha) for key in keys for alpha in interior(facts.alphas)}
    whole = [run for run in index.all("point") if run.key in grid]
    models = sum(index.find("model", model.key) is not None for model in facts.models)
    paths = sum(index.find("path", key) is not None for key in keys)
    planned = {
        "model": (len(facts.models), models),
        "path": (len(keys), paths),
        "point": (len(keys) * len(interior(facts.alphas)), len(whole)),
        "dataset": (len(facts.datasets), len(index.all("dataset"))),
        "clusters": (len(study.cluster.methods), len(index.all("clusters"))),
        "report": (1, len(index.all("report"))),
    }
    if planes := len(index.all("plane")) + len(index.unfinished("plane")):  # none is planned
        planned["plane"] = (planes, len(index.all("plane")))
    if facts.identity.get("imported"):  # what is on record is all that there was to import
        planned |= {kind: (done, done) for kind, (_, done) in planned.items() if kind != "model"}
        planned |= {
            kind: (len(index.all(kind)), len(index.all(kind))) for kind in ("path", "point")
        }
    return [
        {
            "study": facts.name,
            "what": kind,
            "planned": wanted,
            "finished": done,
            "missing": max(0, wanted - done),
            "unfinished": len(index.unfinished(kind)),
        }
        for kind, (wanted, done) in planned.items()
    ]
