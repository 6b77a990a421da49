"""MNLI and HANS from files of every published form, and from the hub's layout."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import datasets
import pytest

from lmc_track.errors import InputError
from lmc_track.study.task_sections import MnliTask
from lmc_track.tasks.hans import SLICE, SUBCASES
from lmc_track.tasks.loading import load_task
from lmc_track.tasks.mnli import Mnli
from lmc_track.tasks.sampling import sample
from support.nli_files import HANS_ROWS, hans_jsonl, hans_text, hub_folder, mnli_glue, mnli_jsonl

REAL_DATA = os.environ.get("LMC_DATA_DIR")
OFFICIAL = ["entailment", "neutral", "contradiction"]


def mnli(root: Path | None = None, environ: dict[str, str] | None = None, **keys: Any) -> Mnli:
    section = MnliTask(name="mnli", data_dir=None if root is None else str(root), **keys)
    task = load_task(section, environ or {})
    assert isinstance(task, Mnli)
    return task


@pytest.fixture
def root(tmp_path: Path) -> Path:
    folder = tmp_path / "data"
    mnli_jsonl(folder / "multinli_1.0" / "multinli_1.0_train.jsonl")
    mnli_jsonl(folder / "multinli_1.0" / "multinli_1.0_dev_matched.jsonl")
    hans_text(folder / "hans" / "heuristics_evaluation_set.txt")
    return folder


def test_pairs_without_a_gold_label_are_left_out(root: Path) -> None:
    frame = mnli(root).evaluation("validation").frame
    assert frame["premise"].to_list() == ['A "dog barks.', "It rains.", "It rains."]
    assert [OFFICIAL[k] for k in frame["label"]] == ["entailment", "contradiction", "neutral"]


def test_labels_follow_the_order_of_the_logits(root: Path) -> None:
    order = ["contradiction", "entailment", "neutral"]
    task = mnli(root, labels=order)
    assert task.label_names == tuple(order)
    assert task.train().frame["label"].to_list() == [1, 0, 2]


def test_pairs_of_one_premise_are_of_one_half(root: Path) -> None:
    frame = mnli(root).evaluation("validation").frame
    assert frame["group"].to_list() == frame["premise"].to_list()
    assert frame["half"][1] == frame["half"][2]


def test_genres_are_subsets_under_safe_names(root: Path) -> None:
    frame = mnli(root).evaluation("validation").frame
    assert frame["subsets"].to_list() == [["fiction"], ["nine-eleven"], ["travel"]]


def test_glue_files_hold_the_same_data(root: Path, tmp_path: Path) -> None:
    mnli_glue(tmp_path / "glue" / "MNLI" / "dev_matched.tsv")
    there = mnli(tmp_path / "glue").evaluation("validation")
    assert there.digest == mnli(root).evaluation("validation").digest


def test_the_hub_holds_the_same_training_data(root: Path, tmp_path: Path) -> None:
    train = mnli(root).train().frame
    columns = {
        "premise": ["Nobody agreed.", *train["premise"]],
        "hypothesis": ["Somebody did.", *train["hypothesis"]],
        "label": [-1, *train["label"]],
    }
    cache = {"HF_DATASETS_CACHE": str(tmp_path / "cache")}
    glue = hub_folder(tmp_path / "glue", {"train": columns}, config="mnli")
    assert mnli(environ=cache, hub=str(glue)).train().digest == mnli(root).train().digest
    own = hub_folder(
        tmp_path / "multi_nli", {"train": {**columns, "genre": ["travel"] * len(columns["label"])}}
    )
    assert mnli(environ=cache, hub=str(own)).train().digest == mnli(root).train().digest


def test_only_what_needs_a_missing_file_fails(root: Path) -> None:
    (root / "multinli_1.0" / "multinli_1.0_train.jsonl").unlink()
    task = mnli(root)
    assert len(task.evaluation("validation")) == 3
    with pytest.raises(InputError, match=r"no training file of MNLI.*train\.jsonl(.|\n)*data_dir"):
        task.train()
    with pytest.raises(
        InputError, match=r"no mismatched development file(.|\n)*evaluate\.datasets"
    ):
        task.evaluation("mismatched")


def test_an_unknown_label_is_told_by_line(root: Path) -> None:
    mnli_jsonl(
        root / "multinli_1.0" / "multinli_1.0_dev_matched.jsonl", (("maybe", "a", "b", "travel"),)
    )
    with pytest.raises(InputError, match=r"jsonl, line 1: the label is 'maybe'.*entailment"):
        mnli(root).evaluation("validation")


def test_a_cut_json_file_is_told_by_line(root: Path) -> None:
    file = root / "multinli_1.0" / "multinli_1.0_train.jsonl"
    file.write_text(file.read_text()[:-20])
    with pytest.raises(InputError, match=r"train\.jsonl, line 4: not JSON(.|\n)*cut off"):
        mnli(root).train()


def test_hans_is_two_way_by_either_projection(root: Path) -> None:
    task = mnli(root, labels=["contradiction", "entailment", "neutral"])
    for name, how in (("hans", "max"), ("hans_logsumexp", "logsumexp")):
        project = task.evaluation(name).projection
        assert project is not None
        assert project.how == how
        assert project.label_names == ("entailment", "non-entailment")
        assert project.groups == ((1,), (0, 2))


def test_the_two_projections_are_data_sets_of_their_own(root: Path) -> None:
    task = mnli(root)
    assert task.evaluation("hans").digest != task.evaluation("hans_logsumexp").digest


def test_hans_has_heuristics_by_label_and_subcases(root: Path) -> None:
    frame = mnli(root).evaluation("hans").frame
    assert frame["label"].to_list() == [1, 0, 1, 0]
    assert frame["subsets"][0].to_list() == ["lexical_overlap", SLICE, "ln_subject-object_swap"]


def test_hans_is_the_same_as_text_as_json_and_from_the_hub(root: Path, tmp_path: Path) -> None:
    wanted = mnli(root).evaluation("hans").digest
    hans_jsonl(tmp_path / "other" / "HANS" / "heuristics_evaluation_set.jsonl")
    assert mnli(tmp_path / "other").evaluation("hans").digest == wanted
    names = ("label", "premise", "hypothesis", "heuristic", "subcase")
    columns: dict[str, list[Any]] = {
        name: list(column) for name, column in zip(names, zip(*HANS_ROWS, strict=True), strict=True)
    }
    columns["label"] = [int(label == "non-entailment") for label in columns["label"]]
    hub = hub_folder(tmp_path / "hub", {"validation": columns})
    cache = {"HF_DATASETS_CACHE": str(tmp_path / "cache")}
    task = mnli(environ=cache, hans_hub=str(hub), hans_revision=None)
    assert task.evaluation("hans").digest == wanted


def test_line_ends_and_a_byte_order_mark_change_nothing(root: Path) -> None:
    wanted = mnli(root).evaluation("hans").digest
    file = root / "hans" / "heuristics_evaluation_set.txt"
    file.write_bytes(b"\xef\xbb\xbf" + file.read_bytes().rstrip(b"\n").replace(b"\n", b"\r\n"))
    assert mnli(root).evaluation("hans").digest == wanted


@pytest.mark.parametrize(
    ("row", "said"),
    [
        (("non-entailment", "a", "b", "lexical_overlap", "ln_passiv"), "'ln_passiv'\nDid you mean"),
        (("maybe", "a", "b", "lexical_overlap", "ln_passive"), "no label 'maybe'"),
        (("entailment", "a", "b", "overlap", "ln_passive"), "no heuristic 'overlap'"),
        (("entailment", "a", "b", "constituent", "ln_passive"), "is of lexical_overlap, non-"),
    ],
)
def test_a_wrong_row_of_hans_is_told_by_line(root: Path, row: tuple[str, ...], said: str) -> None:
    hans_text(root / "hans" / "heuristics_evaluation_set.txt", (HANS_ROWS[0], row))
    with pytest.raises(InputError, match=rf"heuristics_evaluation_set\.txt, line 3: (.|\n)*{said}"):
        mnli(root).evaluation("hans")


def test_there_are_thirty_subcases_five_of_each_heuristic_and_label() -> None:
    assert {len(names) for pair in SUBCASES.values() for names in pair} == {5}
    assert len({name for pair in SUBCASES.values() for names in pair for name in names}) == 30


def test_the_published_slice_is_shuffled_as_the_hubs_library_does_it(root: Path) -> None:
    rows = tuple(
        ("non-entailment", f"A {k}", "B", "lexical_overlap", "ln_passive")
        if k % 3
        else ("entailment", f"A {k}", "B", "lexical_overlap", "le_passive")
        for k in range(60)
    )
    hans_text(root / "hans" / "heuristics_evaluation_set.txt", rows)
    found = sample(mnli(root, hans="juneja2023").evaluation("hans"), 16, "head")
    published = datasets.Dataset.from_dict({"id": list(range(60))})
    published = published.filter(lambda row: row["id"] % 3 > 0).shuffle(seed=42)
    assert found.frame["example_id"].to_list() == published["id"][:16]
    assert found.n_source == 60
    assert found.drawn == (f"{SLICE} 40 of 60", "shuffle(seed=42) 40 of 40", "head 16 of 40")


@pytest.mark.skipif(REAL_DATA is None, reason="LMC_DATA_DIR is not set")
def test_the_published_files_have_their_published_sizes() -> None:
    task = mnli(environ=dict(os.environ))
    hans = task.evaluation("hans")
    sizes = hans.frame["subsets"].explode().value_counts()
    assert (len(task.evaluation("validation")), len(hans)) == (9815, 6000)
    assert dict(sizes.rows())[SLICE] == 1000
    assert sorted(sizes["count"]) == [200] * 30 + [1000] * 6 + [2000] * 3
