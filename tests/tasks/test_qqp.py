"""QQP and PAWS-QQP from their files and from the hub's layout."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from lmc_track.errors import InputError
from lmc_track.study.task_sections import QqpTask
from lmc_track.tasks.loading import load_task
from lmc_track.tasks.task import Task
from support.nli_files import hub_folder, written

REAL_DATA = os.environ.get("LMC_DATA_DIR")
QQP = (
    "id\tqid1\tqid2\tquestion1\tquestion2\tis_duplicate\n"
    "1\t1\t2\tWhat is \"love?\tWhat's love?\t1\n2\t3\t4\tWho?\tWhy?\t0\n"
)
PAWS = "id\tsentence1\tsentence2\tlabel\r\n1\tA b ?\tB a ?\t0\r\n2\tC d ?\tC d e ?\t1"


def qqp(root: Path | None = None, environ: dict[str, str] | None = None, **keys: Any) -> Task:
    section = QqpTask(name="qqp", data_dir=None if root is None else str(root), **keys)
    return load_task(section, environ or {})


@pytest.fixture
def root(tmp_path: Path) -> Path:
    folder = tmp_path / "data"
    written(folder / "QQP" / "train.tsv", QQP)
    written(folder / "QQP" / "dev.tsv", QQP)
    written(folder / "paws_qqp" / "dev_and_test.tsv", PAWS)
    return folder


def test_questions_are_read_without_quoting(root: Path) -> None:
    frame = qqp(root).train().frame
    assert frame["question1"].to_list() == ['What is "love?', "Who?"]
    assert frame["label"].to_list() == [1, 0]


def test_f1_is_of_duplicates() -> None:
    task = qqp()
    assert (task.metric, task.label_names[1]) == ("f1", "duplicate")


def test_a_question_with_a_line_end_in_it_is_left_out(root: Path) -> None:
    written(root / "QQP" / "train.tsv", QQP + "3\t5\t6\tCut\nin two?\tWhy?\t0\n")
    assert len(qqp(root).train()) == 2


def test_many_rows_of_other_widths_are_an_error(root: Path) -> None:
    written(root / "QQP" / "train.tsv", QQP + "cut\n" * 7)
    with pytest.raises(InputError, match=r"train\.tsv, line 4: 6 columns are expected, not 1"):
        qqp(root).train()


def test_paws_is_a_diagnostic_with_its_labels_as_subsets(root: Path) -> None:
    paws = qqp(root).evaluation("paws_qqp")
    assert paws.role == "diagnostic"
    assert paws.frame["question2"].to_list() == ["B a ?", "C d e ?"]
    assert paws.frame["subsets"].to_list() == [["not_duplicate"], ["duplicate"]]


def test_a_wrong_label_is_told_by_line(root: Path) -> None:
    written(root / "paws_qqp" / "dev_and_test.tsv", PAWS + "\r\n3\ta\tb\t2")
    with pytest.raises(InputError, match=r"dev_and_test\.tsv, line 4: the label is '2'"):
        qqp(root).evaluation("paws_qqp")


def test_only_what_needs_a_missing_file_fails(root: Path) -> None:
    (root / "QQP" / "train.tsv").unlink()
    assert len(qqp(root).evaluation("validation")) == 2
    with pytest.raises(InputError, match="no training file of QQP"):
        qqp(root).train()


def test_the_hub_holds_the_same_data(root: Path, tmp_path: Path) -> None:
    columns = {
        "question1": ['What is "love?', "Who?"],
        "question2": ["What's love?", "Why?"],
        "label": [1, 0],
    }
    hub = hub_folder(tmp_path / "hub", {"train": columns}, config="qqp")
    cache = {"HF_DATASETS_CACHE": str(tmp_path / "cache")}
    assert qqp(environ=cache, hub=str(hub)).train().digest == qqp(root).train().digest


def test_paws_of_a_hub_data_set_is_its_validation_and_test(root: Path, tmp_path: Path) -> None:
    def one(a: str, b: str, label: int) -> dict[str, list[Any]]:
        return {"sentence1": [a], "sentence2": [b], "label": [label]}

    splits = {"validation": one("A b ?", "B a ?", 0), "test": one("C d ?", "C d e ?", 1)}
    hub = hub_folder(tmp_path / "hub", splits)
    task = qqp(environ={"HF_DATASETS_CACHE": str(tmp_path / "cache")}, paws_hub=str(hub))
    assert task.evaluation("paws_qqp").digest == qqp(root).evaluation("paws_qqp").digest


def test_without_files_it_is_said_where_paws_comes_from() -> None:
    with pytest.raises(InputError, match=r"not on the hub(.|\n)*task\.paws_hub"):
        qqp().evaluation("paws_qqp")


@pytest.mark.skipif(REAL_DATA is None, reason="LMC_DATA_DIR is not set")
def test_the_published_file_has_its_published_size() -> None:
    assert len(qqp(environ=dict(os.environ)).evaluation("paws_qqp")) == 677
