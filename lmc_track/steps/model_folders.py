"""Where the weights of a recorded model lie: among its artifacts, or where they were registered."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from lmc_track.tracking.artifact_reading import read_json
from lmc_track.tracking.artifact_shapes import ReferenceFile
from lmc_track.tracking.artifacts import Artifacts
from lmc_track.tracking.location import Location
from lmc_track.tracking.runs import RunEntry

STORED, REFERENCE_PARAM = "model", "weights_artifact"


def weights_folder(
    artifacts: Artifacts,
    location: Location,
    run: RunEntry,
    environ: Mapping[str, str] = os.environ,
) -> Path:
    """The folder with the weights of a recorded model, which are still what they were.

    Raises:
        WorkError: they are gone, or a registered checkpoint changed since.
    """
    name = run.params.get(REFERENCE_PARAM, STORED)
    if name == STORED:
        return artifacts.get(run.run_id, run.artifact_uri, name)
    from lmc_track.models.references import open_reference

    file = artifacts.get(run.run_id, run.artifact_uri, name)
    content = read_json(run, file, ReferenceFile)
    return open_reference(content.model_dump(), run.name, location.cache, environ)
