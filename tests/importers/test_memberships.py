"""Published memberships in the forms they come in."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lmc_track.errors import InputError
from lmc_track.importers.memberships import Memberships, read_memberships
from lmc_track.importers.naming import model_names
from support.published_logs import names_the_file

PLAIN = model_names(None, None)
SEEDS = model_names(r"\d+", "seed-{}")


def groups(told: Memberships) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for model, cluster in told.members:
        found.setdefault(cluster, []).append(model.name)
    return found


def as_json(folder: Path, content: Any) -> Path:
    file = folder / "clusters.json"
    file.write_text(json.dumps(content))
    return file


@pytest.mark.parametrize(
    "content", [{"0": 0, "1": 1, "2": 0}, {"0": ["0", "2"], "1": [1]}], ids=["models", "clusters"]
)
def test_an_object_gives_clusters_of_models(tmp_path: Path, content: Any) -> None:
    told = read_memberships(as_json(tmp_path, content), SEEDS)
    assert groups(told) == {"0": ["seed-0", "seed-2"], "1": ["seed-1"]}
    assert not told.rest


def test_one_list_leaves_the_rest_to_the_other_cluster(tmp_path: Path) -> None:
    told = read_memberships(as_json(tmp_path, {"mnli": [3, 5], "source": "x"}), SEEDS, "mnli")
    assert groups(told) == {"named": ["seed-3", "seed-5"]}
    assert told.rest


def test_a_table_gives_clusters_of_models(tmp_path: Path) -> None:
    file = tmp_path / "clusters.tsv"
    file.write_bytes(b"\xef\xbb\xbfcluster\tmodel\r\nsyntax\ta\r\nwords\tb\r\nsyntax\tc\r\n")
    assert groups(read_memberships(file, PLAIN)) == {"syntax": ["a", "c"], "words": ["b"]}


@pytest.mark.parametrize(
    ("content", "key", "match"),
    [
        ({"a": [1], "b": [1]}, None, "clusters.json, b: the model '1' is there twice"),
        ({"a": {"b": 1}}, None, "no list of memberships"),
        ({"a": [[1]]}, None, r"\[1\] is no model"),
        ([], None, "no text in it is a model"),
        ({"qqp": [1]}, "mnli", "has no key 'mnli'\nIt has: 'qqp'"),
        ([1], "mnli", "has no key"),
        ({"x": 0}, None, "no text in it is a model"),
    ],
)
def test_other_forms_are_refused(tmp_path: Path, content: Any, key: str | None, match: str) -> None:
    with pytest.raises(InputError, match=match):
        read_memberships(as_json(tmp_path, content), SEEDS, key)


def test_a_file_that_breaks_off_is_refused_with_its_line(tmp_path: Path) -> None:
    file = tmp_path / "clusters.json"
    file.write_text('{\n "mnli": [1, 2')
    with pytest.raises(InputError, match=r"clusters.json, line 2: the file breaks off here"):
        read_memberships(file, SEEDS)


def test_a_key_twice_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "clusters.json"
    file.write_text('{"a": 0, "a": 1}')
    with pytest.raises(InputError, match="the key 'a' is given twice"):
        read_memberships(file, PLAIN)


def test_the_published_seeds_are_read(feather: Path) -> None:
    told = read_memberships(feather / "minority_seeds.json", SEEDS, "mnli")
    assert len(told.members) == 12
    assert told.rest


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=4), inner, max_size=4)
    ),
    max_leaves=12,
)


@settings(max_examples=100, deadline=None)
@given(JSON.map(json.dumps).map(str.encode) | st.binary(max_size=40))
def test_no_json_does_worse_than_being_refused(fuzzed: Path, content: bytes) -> None:
    file = fuzzed / "clusters.json"
    file.write_bytes(content)
    try:
        assert read_memberships(file, PLAIN).members
    except InputError as error:
        names_the_file(error, file)


@settings(max_examples=60, deadline=None)
@given(st.text(alphabet="ab,\n\r\"'\t;\x00é", max_size=40))
def test_no_table_does_worse_than_being_refused(fuzzed: Path, content: str) -> None:
    file = fuzzed / "clusters.csv"
    file.write_text("model,cluster\n" + content)
    try:
        assert read_memberships(file, PLAIN).members
    except InputError as error:
        names_the_file(error, file)
