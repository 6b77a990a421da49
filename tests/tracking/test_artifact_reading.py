"""Artifacts whose content is not what was written: named with run, file and remedy."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from lmc_track.tracking.artifact_reading import DamagedArtifactError, read_json, read_table
from lmc_track.tracking.artifact_shapes import ClustersFile
from lmc_track.tracking.runs import RunEntry
from lmc_track.tracking.studies import StudyFacts

RUN = RunEntry("a1b2", "clusters", "key", "name", "FINISHED", 0, 1, "file:///nowhere")
CLUSTERS: dict[str, Any] = {
    "method": "verdict",
    **dict.fromkeys(("metric", "dataset", "subset", "half", "modules", "precision")),
    "n_models": 2,
    "n_clusters": 1,
    "settings": {},
    "statistics": {"decision": "One cluster."},
    "clusters": {"one": 0, "two": 0},
}


def refused(file: Path, shape: type = ClustersFile) -> str:
    with pytest.raises(DamagedArtifactError) as caught:
        read_json(RUN, file, shape)
    assert caught.value.run_id == "a1b2"
    assert file.name in caught.value.message
    assert caught.value.remedy
    return caught.value.message


def written(folder: Path, content: str) -> Path:
    file = folder / "clusters.json"
    file.write_text(content)
    return file


def test_what_was_written_is_read(tmp_path: Path) -> None:
    content = read_json(RUN, written(tmp_path, json.dumps(CLUSTERS)), ClustersFile)
    assert content.clusters == {"one": 0, "two": 0}


@pytest.mark.parametrize("key", sorted(CLUSTERS))
def test_a_key_that_has_another_name_is_missed(key: str, tmp_path: Path) -> None:
    content = {("x" + name[1:] if name == key else name): v for name, v in CLUSTERS.items()}
    assert key in refused(written(tmp_path, json.dumps(content)))


@pytest.mark.parametrize(
    "value", [None, 3, "text", [], [["one", 0]], {"one": "0"}, {"one": 0.5}, {"one": True}]
)
def test_a_value_of_another_type_is_refused(value: Any, tmp_path: Path) -> None:
    refused(written(tmp_path, json.dumps({**CLUSTERS, "clusters": value})))


@pytest.mark.parametrize(
    "text",
    ["", "[]", "3", "null", "[" * 100_000, '{"clusters":' * 100_000, "\x00", '{"method": "'],
    ids=["empty", "array", "number", "null", "deep", "nested", "zero", "cut"],
)
@pytest.mark.parametrize("shape", [ClustersFile, StudyFacts])
def test_what_is_not_such_a_file_at_all_is_refused(text: str, shape: type, tmp_path: Path) -> None:
    refused(written(tmp_path, text), shape)


def test_a_file_that_is_gone_is_refused(tmp_path: Path) -> None:
    assert "No such file" in refused(tmp_path / "clusters.json")


def test_a_table_that_lacks_a_column_is_refused(tmp_path: Path) -> None:
    import polars as pl

    file = tmp_path / "values.parquet"
    pl.DataFrame({"dataset": ["validation"]}).write_parquet(file)
    with pytest.raises(DamagedArtifactError, match=r"values\.parquet of run a1b2.*metric"):
        read_table(RUN, file, {"dataset": pl.String, "metric": pl.String})
