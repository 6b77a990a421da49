"""Whatever stands in files that others wrote, the program takes it or refuses it in its own words.

Valid files are cut, swapped and filled with what readers stumble over; texts are made by the
grammar of a form with wrong values in it; and some inputs are just bytes. The same ones every time.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from importlib.resources import files
from pathlib import Path
from typing import Any

import duckdb
import pytest
from hypothesis import strategies as st

from lmc_track.importers.evaluation_logs import read_evaluation_logs
from lmc_track.importers.interpolation_logs import check_same_points, read_interpolation_logs
from lmc_track.importers.memberships import read_memberships
from lmc_track.importers.naming import model_names
from lmc_track.importers.presets import SCORE_PRESETS
from lmc_track.importers.scores import column_rule, read_scores
from lmc_track.importers.subset_tables import read_subsets
from lmc_track.study import Study
from lmc_track.study.reading import build_study, parse_study
from lmc_track.study.task_sections import TASKS
from lmc_track.study.template import study_template
from lmc_track.warehouse.library import TYPES, Parameter, Query, parse_query, queries
from lmc_track.warehouse.parameters import reset_variables, set_variables
from support.mutation import BATCH, mutated, noise, spared
from support.published_logs import evaluation_log, pair_log

TEXTS = {
    "study": 30_000,
    "evaluation log": 14_000,
    "interpolation log": 18_000,
    "scores": 10_000,
    "memberships": 7_000,
    "subsets": 6_000,
    "query header": 11_000,
}
"""How many changed files the long run reads of each form; the short one a few."""

DRAWN = {"study keys": 1_500, "overrides": 2_000, "rules": 1_500, "parameter values": 1_500}
"""How many inputs that are drawn by the grammar of a form; beside them bytes for each of TEXTS."""

_NOISE = 200
_SHORT = 200
Target = Callable[[Any], object]


def test_the_long_run_is_of_a_hundred_thousand_inputs() -> None:
    assert sum(TEXTS.values()) + sum(DRAWN.values()) + _NOISE * len(TEXTS) >= 100_000
    assert all(count % BATCH == 0 for count in TEXTS.values())


# ---- study files ----

_OWN_TASK = """
[study]
name = "mine"
description = "A study of my own."
preset = "juneja2023"
[task]
name = "tabular"
data_dir = "data"
labels = ["no", "yes", "maybe"]
text = ["premise", "hypothesis"]
label = "gold"
metric = "balanced_accuracy"
label_values = { "0" = "no", "1" = "yes" }
skip_labels = ["-"]
[task.train]
file = ["a.tsv", "b.csv"]
rows = "0-7999,9000-"
where = { genre = ["fiction", 3, true] }
[task.validation]
hub = "owner/data"
split = "validation"
subsets = ["a", ["b", "c"]]
[task.diagnostics.hans]
file = "hans.jsonl"
format = "jsonl"
labels = { no = ["no", "maybe"], yes = "yes" }
projection = "max"
[model]
base = "owner/encoder"
revision = "main"
[finetune]
head_seeds = "0-3,8"
data_seeds = [1, 2]
max_steps = 100
track_steps = [10, 20]
trainer = { weight_decay = 0.01, warmup_ratio = 0.1 }
[evaluate]
datasets = ["validation", "hans"]
max_examples = 512
[interpolate]
alphas = [0, 0.25, 0.5, 1]
pairs = [["seed-0", "seed-1"]]
modules = ["encoder.layer.0", "classifier"]
[cluster]
methods = ["spectral", "threshold"]
primary_diagnostic = "hans:all:accuracy"
"""


def _study_texts() -> list[str]:
    demo = (files("lmc_track.study") / "demo.toml").read_text(encoding="utf-8")
    whole = [study_template("fuzzed", task) for task in TASKS]
    return [_OWN_TASK, demo, *whole, *(_uncommented(text) for text in whole)]


def _uncommented(text: str) -> str:
    """A template in which every key is set."""
    return "\n".join(
        line[2:] if line.startswith("# ") and " = " in line else line for line in text.split("\n")
    )


_VALUES = st.recursive(
    st.one_of(
        st.none(),
        st.booleans(),
        st.integers(-(2**70), 2**70),
        st.floats(),
        st.text(max_size=8),
        st.sampled_from(
            ["all", "validation", "0-7", "3,1", "7-3", "0-999999999", "a:b:loss", "fp32",
             "spectral", "juneja2023", "../x", "-", "1" * 5000]
        ),
    ),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3), st.dictionaries(st.text(max_size=4), inner, max_size=2)
    ),
    max_leaves=4,
)  # fmt: skip


def _keys_of(section: Any) -> st.SearchStrategy[dict[str, Any]]:
    names = st.one_of(st.sampled_from(sorted(section.model_fields)), st.text(max_size=4))
    return st.dictionaries(names, _VALUES, max_size=4)


def _study_contents() -> st.SearchStrategy[dict[str, Any]]:
    """Sections with keys that there are, and values of every kind."""
    sections: dict[str, st.SearchStrategy[Any]] = {
        name: st.one_of(_keys_of(field.annotation), _VALUES)
        for name, field in Study.model_fields.items()
        if name not in ("study", "task")
    }
    named = st.fixed_dictionaries(
        {"name": st.one_of(st.just("s"), _VALUES)},
        optional={"preset": st.one_of(st.just("juneja2023"), _VALUES), "description": _VALUES},
    )
    tasks = [
        _keys_of(section).map(lambda keys, task=task: keys | {"name": task})
        for task, section in TASKS.items()
    ]
    task = st.one_of(*tasks, _VALUES)
    return st.fixed_dictionaries({"study": named}, optional={"task": task, **sections})


def _overrides() -> st.SearchStrategy[list[str]]:
    keys = [
        f"{name}.{key}"
        for name, field in Study.model_fields.items()
        if hasattr(field.annotation, "model_fields")
        for key in field.annotation.model_fields
    ]
    written = st.one_of(
        st.text(max_size=12),
        st.sampled_from(
            ["0-3", "[1, 2", "nan", "'a'", '"""', "{a=1}", "1_0", "[" * 500, "1" * 5000]
        ),
        st.integers().map(str),
    )
    named = st.tuples(st.one_of(st.sampled_from(keys), st.text(max_size=9)), written)
    return st.lists(st.one_of(named.map("=".join), st.text(max_size=12)), min_size=1, max_size=3)


def _study_of(content: bytes) -> Study:
    # A file that is no UTF-8 is refused before there is a text.
    return parse_study(content.decode("utf-8", "replace"), source="study.toml")


# ---- importers ----

_EVALUATION = [
    json.dumps(evaluation_log(labels, samples), indent=indent)
    for indent in (None, 1)
    for labels, samples in [
        (
            {"entailment": 0, "neutral": 1, "contradiction": 2},
            [
                ("[CLS] a man sleeps. [SEP] nobody sleeps. [SEP]", 2, [0.1, 0.2, 0.7]),
                ("[CLS] a man sleeps. [SEP] he is tired. [SEP]", 1, [0.25, 0.5, 0.25]),
            ],
        ),
        ({"0": 0, "1": 1}, [("[CLS] it rains [SEP]", 1, [0.5, 0.5])] * 3),
    ]
]
_INTERPOLATION = [
    pair_log("3", "7", [0.9, 0.7, 0.4], accuracies=[0.5, 0.6, 0.7]),
    pair_log("a", "b", [0.5, 0.4, 0.6, 0.3]) + pair_log("a", "c", [0.9, 0.7, 0.4, 0.3]),
    "Downloading: 100%\n" + pair_log("0", "1", [1.0, 2.0, 1.5], distance=0.25),
]
_SCORES = [
    "model,validation,hans:ln_passive,hans:all:loss,accuracy/dev\nRun 0,.5,.25,2,1\nRun 1,,,1,0\n",
    "\tMNLI dev acc.\tOverall accuracy\tle_passive\nRun 00\t0.84\t0.6\t0.9\nMean\t0.8\t0.5\t0.7\n",
    'name;a"b;loss/x\n"Run 1";1;0.25\n"Run ""2""";0;3\n',
]
_MEMBERSHIPS = [
    '{"0": 0, "1": 1, "2": 0}',
    '{"0": ["0", "2"], "1": [1]}',
    '{"mnli": [3, 5], "source": "x"}',
    "model,cluster\nseed-0,a\nseed-1,b\n",
]
_SUBSETS = ["sentence1\tsentence2\theuristic\tgold\nThe man ran .\tHe ran .\tlexical\tyes\n"]
_NAMES = model_names(None, None)
_RUNS = model_names(r"Run (\d+)", "run-{}")
_FEATHER = [column_rule(text) for text in SCORE_PRESETS["feather"].columns]


def _reading(folder: Path, name: str, read: Callable[[Path], object]) -> Target:
    """Gives ``read`` a file with the content."""
    file = folder / name

    def target(content: bytes) -> None:
        file.write_bytes(content)
        read(file)

    return target


def _interpolations(file: Path) -> None:
    # Complete pairs only, then whatever there is.
    found = read_interpolation_logs(file, skip_incomplete=True)
    check_same_points(found.pairs)
    read_interpolation_logs(file)


def _memberships(file: Path) -> None:
    read_memberships(file, _NAMES, "mnli" if b"mnli" in file.read_bytes() else None)


def _scores(file: Path) -> None:
    tabs = b"\t" in file.read_bytes()
    read_scores(file, _RUNS if tabs else _NAMES, _FEATHER if tabs else (), percent=tabs)


def _rules(given: tuple[str, str, str]) -> None:
    column, match, name = given
    column_rule(column)
    model_names(match, name)


_PATTERNS = st.one_of(
    st.text(max_size=12),
    st.text("()[]{}|*+?\\.^$,0129abPd:=!<>-#", max_size=16),
    st.sampled_from(
        ["(" * 300, "a{99999999999}", "(?P<a>.)(?P=a)", "(?i", "[z-a]", "\\", "(?<=a*)b"]
    ),
)

# ---- queries ----


def _query_texts() -> list[str]:
    return [query.sql for query in list(queries().values())[::6]]


def _query(content: bytes) -> Query:
    text = content.decode("utf-8", "replace")
    name = text.partition("-- name: ")[2].partition("\n")[0]
    return parse_query(f"{name or 'mine'}.sql", text, Path("queries/mine.sql"))


_PARAMETERS = st.builds(
    Parameter,
    st.text("abcdefghijklmnopqrstuvwxyz_", min_size=1, max_size=8),
    st.sampled_from(TYPES),
    st.sampled_from([None, "NULL", "1"]),
    st.just("a meaning"),
)


@pytest.fixture(scope="module")
def database() -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect(":memory:", config={"threads": 1}) as connection:
        yield connection


# ---- all of them ----

SIZES = ["short", pytest.param("long", marks=pytest.mark.full)]


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("form", TEXTS)
def test_a_changed_file_is_taken_or_refused(form: str, size: str, tmp_path: Path) -> None:
    target, texts = _read(form, tmp_path)
    count = TEXTS[form] // BATCH
    spared(target, mutated(texts), count if size == "long" else max(1, count // _SHORT))
    spared(target, noise(), _NOISE if size == "long" else 5)


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("form", DRAWN)
def test_a_wrong_value_is_taken_or_refused(
    form: str, size: str, database: duckdb.DuckDBPyConnection
) -> None:
    def parameters(given: tuple[Parameter, Any]) -> None:
        parameter, value = given
        query = Query("mine", "d", (parameter,), "SELECT 1")
        set_variables(database, query, {parameter.name: value})
        reset_variables(database, query)

    def overridden(given: list[str]) -> None:
        build_study({"study": {"name": "s"}}, given)

    drawn: dict[str, tuple[Target, st.SearchStrategy[Any]]] = {
        "study keys": (build_study, _study_contents()),
        "overrides": (overridden, _overrides()),
        "rules": (_rules, st.tuples(_PATTERNS.map(lambda p: f"{p}=a:{{}}"), _PATTERNS, _PATTERNS)),
        "parameter values": (parameters, st.tuples(_PARAMETERS, _VALUES)),
    }
    target, inputs = drawn[form]
    spared(target, inputs.map(lambda one: [one]), DRAWN[form] if size == "long" else 20)


def _read(form: str, folder: Path) -> tuple[Target, Sequence[str]]:
    """What reads a file of this form, and valid ones."""
    if form == "study":
        return _study_of, _study_texts()
    if form == "query header":
        return _query, _query_texts()
    if form == "evaluation log":
        read = _reading(folder, "a.json", lambda file: read_evaluation_logs([file], _NAMES))
        return read, _EVALUATION
    if form == "interpolation log":
        return _reading(folder, "a.log", _interpolations), _INTERPOLATION
    if form == "scores":
        return _reading(folder, "a.csv", _scores), _SCORES
    if form == "memberships":
        as_json = _reading(folder, "a.json", _memberships)
        as_table = _reading(folder, "a.csv", lambda file: read_memberships(file, _NAMES))
        return lambda content: (as_json if b"{" in content else as_table)(content), _MEMBERSHIPS
    columns = (["sentence1", "sentence2"], ["heuristic+gold", "gold"])
    return _reading(folder, "a.tsv", lambda file: read_subsets(file, *columns)), _SUBSETS
