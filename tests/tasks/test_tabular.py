"""A task of the user's own: what its section says is what is read, and what is wrong is told."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from lmc_track.errors import InputError
from lmc_track.study import build_study
from lmc_track.tasks.dataset import Dataset
from lmc_track.tasks.loading import load_task
from lmc_track.tasks.task import Task
from support.nli_files import hub_folder, written

ROWS = "text\tlabel\tgenre\nOne.\tno\ta/b\nTwo.\tyes\tc\nThree.\t-\tc\nFour.\tyes\t\n"


def task(
    root: Path | None, environ: dict[str, str] | None = None, preset: str | None = None, **keys: Any
) -> Task:
    section = {
        "name": "tabular", "text": "text", "label": "label", "labels": ["no", "yes"],
        "skip_labels": ["-"], "validation": {"file": "dev.tsv"}, **keys,
    }  # fmt: skip
    if root is not None:
        section["data_dir"] = str(root)
    study = build_study({"study": {"name": "s", "preset": preset}, "task": section})
    return load_task(study.task, environ or {})


def validation(root: Path, **keys: Any) -> Dataset:
    return task(root, validation={"file": "dev.tsv", **keys}).evaluation("validation")


def problems(**keys: Any) -> str:
    with pytest.raises(InputError) as caught:
        task(None, **keys)
    return str(caught.value)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    written(tmp_path / "data" / "dev.tsv", ROWS)
    return tmp_path / "data"


def test_rows_keep_their_places_as_ids(root: Path) -> None:
    frame = validation(root).frame
    assert frame.select("example_id", "text", "label").rows() == [
        (0, "One.", 0), (1, "Two.", 1), (3, "Four.", 1),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("rows", "ids"), [("0-1", [0, 1]), ("1-", [1, 3]), ("3", [3]), ("0,3", [0, 3])]
)
def test_rows_are_ranges_with_both_ends(root: Path, rows: str, ids: list[int]) -> None:
    assert validation(root, rows=rows).frame["example_id"].to_list() == ids


def test_rows_that_are_not_there_are_an_error(root: Path) -> None:
    with pytest.raises(InputError, match=r"task\.validation\.rows: '2-9' asks for more.* 4 rows"):
        validation(root, rows="2-9")


def test_a_filter_keeps_the_rows_that_have_its_values(root: Path) -> None:
    assert validation(root, where={"genre": ["c", "d"]}).frame["text"].to_list() == ["Two."]


def test_a_filter_that_nothing_passes_is_an_error(root: Path) -> None:
    with pytest.raises(InputError, match=r"task\.validation: no row is left of 4"):
        validation(root, where={"genre": "z"})


def test_subsets_have_safe_names_and_may_join_columns(root: Path) -> None:
    found = validation(root, subsets=["genre", ["genre", "label"]]).frame["subsets"].to_list()
    assert found == [["a-b", "a-b-no"], ["c", "c-yes"], []]


def test_two_values_of_one_safe_name_are_an_error(root: Path) -> None:
    written(root / "dev.tsv", "text\tlabel\tgenre\nOne.\tno\ta/b\nTwo.\tyes\ta b\n")
    with pytest.raises(InputError, match=r"dev\.tsv, line 2: 'a/b' and 'a b' would both|line 3"):
        validation(root, subsets=["genre"])


def test_groups_are_the_values_of_their_column(root: Path) -> None:
    assert validation(root, group="genre").frame["group"].to_list() == ["a/b", "c", ""]


def test_two_text_columns_are_read_together(root: Path) -> None:
    found = validation(root, text=["text", "genre"])
    assert found.text_columns == ("text_a", "text_b")
    assert found.frame["text_b"][0] == "a/b"


def test_values_stand_for_labels_and_name_their_subsets(root: Path) -> None:
    written(root / "dev.tsv", "text\tlabel\nOne.\t0\nTwo.\t1\n")
    found = validation(root, label_values={"0": "no", "1": "yes"}, subsets=["label"]).frame
    assert found["label"].to_list() == [0, 1]
    assert found["subsets"].to_list() == [["no"], ["yes"]]


def test_an_unknown_label_is_told_by_line_with_the_known_ones(root: Path) -> None:
    written(root / "dev.tsv", ROWS + "Five.\tmaybe\tc\n")
    with pytest.raises(InputError, match=r"dev\.tsv, line 6: the label is 'maybe'; known are no, "):
        validation(root)


def test_several_files_are_read_one_after_the_other(root: Path) -> None:
    written(root / "more.tsv", "label\ttext\nno\tFive.\n")
    found = validation(root, file=["dev.tsv", "more.tsv"], rows="3-").frame
    assert found.select("example_id", "text").rows() == [(3, "Four."), (4, "Five.")]


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("dev.csv", 'text,label\n"One, ""two"".",no\r\n"Li\nne.",yes\n'),
        (
            "dev.jsonl",
            '{"text": "One, \\"two\\".", "label": "no"}\n{"label": "yes", "text": "Li\\nne."}',
        ),
        (
            "blank.jsonl",
            '\n{"text": "One, \\"two\\".", "label": "no"}\n  \n'
            '{"label": "yes", "text": "Li\\nne."}\n\n',
        ),
        (
            "array.json",
            ' [{"text": "One, \\"two\\".", "label": "no"},\n'
            '{"label": "yes",\n"text": "Li\\nne."}]\n\n',
        ),
    ],
)
def test_other_formats_hold_the_same_rows(root: Path, name: str, text: str) -> None:
    written(root / name, text)
    assert validation(root, file=name).frame["text"].to_list() == ['One, "two".', "Li\nne."]


def test_parquet_and_the_hub_hold_the_same_rows(root: Path, tmp_path: Path) -> None:
    hub = hub_folder(
        tmp_path / "hub", {"validation": {"text": ["One.", "Two."], "label": [0, 1], "n": [1.5, 2]}}
    )
    keys: dict[str, Any] = {"label_values": {"0": "no", "1": "yes"}}
    file = str(hub / "data" / "validation-00000-of-00001.parquet")
    there = task(
        root,
        {"HF_DATASETS_CACHE": str(tmp_path / "cache")},
        validation={"hub": str(hub), "split": "validation", **keys},
    )
    here = validation(root, file=file, **keys)
    assert there.evaluation("validation").digest == here.digest
    assert here.frame["label"].to_list() == [0, 1]


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("a.csv", 'text,label\nOne.,no\n"Two.,yes\n', r"a\.csv, line 3: not CSV"),
        ("a.csv", "text,label\nOne.,no,more\n", r"a\.csv, line 2: 2 columns are expected, not 3"),
        ("a.tsv", "text\tlabel\nOne.\n", r"a\.tsv, line 2: 2 columns are expected, not 1"),
        ("a.tsv", "txt\tlabel\nOne.\tno\n", r"a\.tsv has no column 'text'(.|\n)*txt, label"),
        ("a.tsv", "text\ttext\tlabel\n", r"more than one column 'text'"),
        ("a.tsv", "", r"a\.tsv is empty"),
        ("a.jsonl", '{"text": "One.", "label": "no"}\n{"text": "Tw', r"a\.jsonl, line 2: not JSON"),
        ("a.jsonl", '{"text": "One."}\n', r"a\.jsonl, line 1 has no column 'label'"),
        ("a.jsonl", "\n \n", r"a\.jsonl is empty"),
        ("a.jsonl", "\n\n{}\n", r"a\.jsonl, line 3 has no column"),
        ("a.jsonl", "{" + '"a":[' * 5_000, r"a\.jsonl, line 1: not JSON"),
        ("a.json", "[" * 20_000, r"a\.json: not JSON that can be read"),
        ("a.json", '[{"text": "One."', r"a\.json, line 1: not JSON"),
        ("a.json", "[]", r"a\.json holds no rows"),
        ("a.json", '[{"text": "One.", "label": "no"}, 3]', r"a\.json, row 1: no JSON object"),
        ("a.jsonl", '{"text": ["One."], "label": 1}\n', r"line 1: text is no text or number"),
        ("a.jsonl", '{"text": null, "label": "no"}\n', r"line 1: text has no value"),
        ("a.parquet", "no parquet", r"a\.parquet cannot be read as Parquet"),
        ("a.dat", "text\tlabel\n", r"a\.dat: what format is it\?"),
    ],
)
def test_a_wrong_file_is_told_by_file_and_line(root: Path, name: str, text: str, said: str) -> None:
    written(root / name, text)
    with pytest.raises(InputError, match=said):
        validation(root, file=name)


def test_a_file_without_a_header_has_the_columns_that_are_named(root: Path) -> None:
    written(root / "raw.tsv", "gj04\tno\tOne.")
    found = validation(root, file="raw.tsv", columns=["source", "label", "text"]).frame
    assert found["text"].to_list() == ["One."]


def test_files_are_looked_for_where_the_environment_says(root: Path) -> None:
    assert len(task(None, {"LMC_DATA_DIR": str(root)}).evaluation("validation")) == 3


def test_a_missing_file_is_told_by_its_key(root: Path) -> None:
    with pytest.raises(InputError, match=r"task\.validation\.file: there is no file .*none\.tsv"):
        validation(root, file="none.tsv")


def test_training_data_may_be_left_out(root: Path) -> None:
    made = task(root)
    assert made.evaluation_sets == ("validation",)
    with pytest.raises(InputError, match=r"no training data(.|\n)*\[task\.train\]"):
        made.train()


def test_diagnostics_come_by_name_and_the_first_is_the_primary_one(root: Path) -> None:
    made = task(
        root,
        train={"file": "dev.tsv"},
        diagnostics={"b": {"file": "dev.tsv"}, "a": {"file": "dev.tsv"}},
    )
    assert made.evaluation_sets == ("validation", "train_sample", "a", "b")
    assert made.primary_diagnostic == "a:all:accuracy"


def three_way(root: Path, **diagnostic: Any) -> Dataset:
    made = task(
        root,
        labels=["yes", "no", "perhaps"],
        diagnostics={"probe": {"file": "probe.tsv", **diagnostic}},
    )
    return made.evaluation("probe")


def test_a_diagnostic_may_have_labels_that_stand_for_several(root: Path) -> None:
    written(root / "probe.tsv", "text\tlabel\nOne.\tnot yes\nTwo.\tyes\nThree.\tperhaps\n")
    found = three_way(
        root, labels={"not yes": ["perhaps", "no"], "yes": "yes"}, projection="logsumexp"
    )
    assert found.projection is not None
    assert found.projection.label_names == ("yes", "not yes")
    assert found.projection.groups == ((0,), (1, 2))
    # The last row is labelled by a name of the task's.
    assert found.frame["label"].to_list() == [1, 0, 1]


@pytest.mark.parametrize(
    ("keys", "said"),
    [
        ({"labels": {"yes": "yes", "other": ["no", "perhaps"]}}, "give projection = 'max' or"),
        ({"projection": "max"}, "projection needs labels"),
        ({"labels": {"yes": "yes", "other": "nope"}}, "'nope' is no label; known are yes, no, per"),
        ({"labels": {"yes": "yes", "other": "yes"}}, "none of these for two"),
        ({"file": None}, "give either file or hub"),
        ({"hub": "a/b"}, "give either file or hub"),
        ({"split": "test"}, "split is of a hub data set"),
        ({"rows": "9-1"}, "runs backwards"),
        ({"rows": "all"}, "'all' is no range of rows"),
    ],
)
def test_a_wrong_diagnostic_is_told_by_its_key(keys: dict[str, Any], said: str) -> None:
    text = problems(
        labels=["yes", "no", "perhaps"], diagnostics={"probe": {"file": "probe.tsv", **keys}}
    )
    assert said in text
    assert "probe" in text


@pytest.mark.parametrize(
    ("keys", "said"),
    [
        ({"labels": ["only"]}, "at least two labels"),
        ({"text": None}, "text: missing; which column of validation holds it?"),
        ({"text": ["a", "b", "c"]}, "one text column or two"),
        ({"metric": "f1", "labels": ["a", "b", "c"]}, "F1 is of two labels"),
        ({"label_values": {"0": "maybe"}}, "'maybe' is no label; known are no, yes"),
        ({"diagnostics": {"validation": {"file": "a.tsv"}}}, "that is another set"),
        ({"diagnostics": {"a/b": {"file": "a.tsv"}}}, "'a/b' is no name"),
        ({"validation": {"file": "a.tsv", "subset": []}}, "did you mean 'subsets'?"),
        ({"diagnostics": {"x": {"file": "a.tsv", "lables": {}}}}, "did you mean 'labels'?"),
    ],
)
def test_a_wrong_task_is_told_by_its_key(keys: dict[str, Any], said: str) -> None:
    assert said in problems(**keys)
