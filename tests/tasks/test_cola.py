from __future__ import annotations

import os
from pathlib import Path

import polars as pl
import pytest

from lmc_track.errors import InputError
from lmc_track.study.task_sections import ColaTask
from lmc_track.tasks.cola import Cola
from lmc_track.tasks.loading import load_task

FILES = {
    "in_domain_train.tsv": "gj04\t1\t\tThe cat sleeps.\ngj04\t0\t*\tThe cat sleep.\n",
    "in_domain_dev.tsv": "ks08\t1\t\tDogs bark.\nb_73\t0\t??\tDogs barks.\n",
    "out_of_domain_dev.tsv": 'clc95\t1\t\tWho "left?\nclc 95/b\t0\t*\tLeft who.',
}
REAL_DATA = os.environ.get("LMC_DATA_DIR")
GLUE_README = """---
configs:
- config_name: cola
  data_files:
  - split: test
    path: cola/test-*
  - split: train
    path: cola/train-*
  - split: validation
    path: cola/validation-*
---
"""


@pytest.fixture
def raw(tmp_path: Path) -> Path:
    folder = tmp_path / "raw-files"
    folder.mkdir()
    for name, text in FILES.items():
        (folder / name).write_text(text, encoding="utf-8", newline="")
    return folder


@pytest.fixture
def glue(tmp_path: Path) -> Path:
    """A folder of the hub's layout, with 1,043 validation rows."""
    folder = tmp_path / "glue"
    (folder / "cola").mkdir(parents=True)
    (folder / "README.md").write_text(GLUE_README, encoding="utf-8")
    write_split(folder, "train", [k % 2 for k in range(30)])
    write_split(folder, "validation", [k % 2 for k in range(1043)])
    write_split(folder, "test", [-1] * 3)
    return folder


def write_split(folder: Path, split: str, labels: list[int]) -> None:
    frame = pl.DataFrame(
        {
            "sentence": [f"{split} {row}" for row in range(len(labels))],
            "label": labels,
            "idx": list(range(len(labels))),
        }
    )
    frame.write_parquet(folder / "cola" / f"{split}-00000-of-00001.parquet")


def from_folder(folder: Path) -> Cola:
    return Cola(ColaTask(name="cola", data_dir=str(folder)), {})


def from_hub(folder: Path, cache: Path) -> Cola:
    return Cola(ColaTask(name="cola", hub=str(folder)), {"HF_DATASETS_CACHE": str(cache)})


def test_the_task_is_loaded_from_its_section(raw: Path) -> None:
    task = load_task(ColaTask(name="cola", data_dir=str(raw)), {})
    assert (task.name, task.metric) == ("cola", "matthews_correlation")


def test_sentences_and_labels_are_read_as_they_stand(raw: Path) -> None:
    frame = from_folder(raw).evaluation("out_of_domain").frame
    assert frame["sentence"].to_list() == ['Who "left?', "Left who."]
    assert frame["label"].to_list() == [1, 0]


def test_label_1_is_acceptable(raw: Path) -> None:
    task = from_folder(raw)
    assert task.label_names[task.train().frame["label"][0]] == "acceptable"


def test_subsets_are_the_publications_under_safe_names(raw: Path) -> None:
    frame = from_folder(raw).evaluation("out_of_domain").frame
    assert frame["subsets"].to_list() == [["clc95"], ["clc-95-b"]]


def test_the_out_of_domain_set_is_a_diagnostic(raw: Path) -> None:
    task = from_folder(raw)
    roles = {name: task.evaluation(name).role for name in task.evaluation_sets}
    assert roles == {
        "validation": "validation",
        "train_sample": "train_sample",
        "out_of_domain": "diagnostic",
    }


@pytest.mark.parametrize("below", ["", "cola", "raw", "cola/raw", "cola_public/raw"])
def test_files_are_found_below_a_data_root(raw: Path, tmp_path: Path, below: str) -> None:
    root = tmp_path / "root"
    (root / below).parent.mkdir(parents=True, exist_ok=True)
    raw.rename(root / below)
    task = Cola(ColaTask(name="cola"), {"LMC_DATA_DIR": str(root)})
    assert len(task.train()) == 2


def test_the_study_file_beats_the_environment(raw: Path, tmp_path: Path) -> None:
    section = ColaTask(name="cola", data_dir=str(raw))
    assert len(Cola(section, {"LMC_DATA_DIR": str(tmp_path / "none")}).train()) == 2


def test_crlf_and_a_byte_order_mark_change_nothing(raw: Path, tmp_path: Path) -> None:
    plain = from_folder(raw).evaluation("validation").digest
    file = raw / "in_domain_dev.tsv"
    file.write_bytes(b"\xef\xbb\xbf" + file.read_bytes().replace(b"\n", b"\r\n"))
    assert from_folder(raw).evaluation("validation").digest == plain


def test_unusual_line_separators_inside_a_sentence_do_not_end_the_row(raw: Path) -> None:
    text = "ks08\t1\t\tOne\u2028two\x0bthree\x85four.\n"
    (raw / "in_domain_dev.tsv").write_text(text, encoding="utf-8", newline="")
    assert len(from_folder(raw).evaluation("validation")) == 1


def test_nothing_is_read_before_it_is_asked_for(tmp_path: Path) -> None:
    task = from_folder(tmp_path / "none")
    with pytest.raises(InputError):
        task.train()


def test_a_set_is_read_once(raw: Path) -> None:
    task = from_folder(raw)
    assert task.evaluation("validation") is task.evaluation("validation")


def test_an_unknown_set_is_a_key_error(raw: Path) -> None:
    with pytest.raises(KeyError):
        from_folder(raw).evaluation("test")


def test_a_missing_folder_is_named_with_the_way_to_give_one(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"no folder .*none(.|\n)*--set task\.data_dir=FOLDER"):
        from_folder(tmp_path / "none").train()


def test_a_folder_without_cola_says_which_files_are_wanted(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"no CoLA files(.|\n)*in_domain_dev\.tsv"):
        from_folder(tmp_path).train()


def test_a_missing_file_is_named(raw: Path) -> None:
    (raw / "in_domain_dev.tsv").unlink()
    with pytest.raises(InputError, match=r"raw-files holds no in_domain_dev\.tsv"):
        from_folder(raw).train()


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ("gj04\t1\tNo mark.", "line 3: 4 tab-separated columns are expected, not 3"),
        ("gj04\t1\t\tA tab\t.", "line 3: 4 tab-separated columns are expected, not 5"),
        ("", "line 3: 4 tab-separated columns are expected, not 1"),
        ("gj04\t2\t\tTwo.", "line 3: the label is '2', expected is 0 .* or 1"),
    ],
)
def test_a_wrong_row_is_told_by_file_and_line(raw: Path, row: str, said: str) -> None:
    file = raw / "in_domain_train.tsv"
    file.write_text(FILES[file.name] + row + "\n", encoding="utf-8", newline="")
    with pytest.raises(InputError, match=rf"in_domain_train\.tsv, {said}"):
        from_folder(raw).train()


def test_bytes_that_are_no_text_are_told_by_line(raw: Path) -> None:
    file = raw / "in_domain_train.tsv"
    file.write_bytes(file.read_bytes() + b"gj04\t1\t\tcaf\xe9\n")
    with pytest.raises(InputError, match=r"line 3: not UTF-8"):
        from_folder(raw).train()


def test_an_empty_file_is_an_error(raw: Path) -> None:
    (raw / "in_domain_train.tsv").write_bytes(b"")
    with pytest.raises(InputError, match=r"in_domain_train\.tsv is empty"):
        from_folder(raw).train()


def test_validation_of_the_hub_is_split_into_its_two_sets(glue: Path, tmp_path: Path) -> None:
    task = from_hub(glue, tmp_path / "cache")
    inside = task.evaluation("validation").frame["sentence"].to_list()
    outside = task.evaluation("out_of_domain").frame["sentence"].to_list()
    assert (len(inside), len(outside)) == (527, 516)
    assert (inside[-1], outside[0]) == ("validation 526", "validation 527")


def test_training_data_come_from_the_hubs_layout(glue: Path, tmp_path: Path) -> None:
    train = from_hub(glue, tmp_path / "cache").train()
    assert train.frame.select("sentence", "label").row(1) == ("train 1", 1)


def test_training_data_are_the_same_from_files_and_hub(
    raw: Path, glue: Path, tmp_path: Path
) -> None:
    write_split(glue, "train", [k % 2 for k in range(4)])
    rows = [f"gj04\t{k % 2}\t\ttrain {k}" for k in range(4)]
    (raw / "in_domain_train.tsv").write_text("\n".join(rows), encoding="utf-8")
    assert from_folder(raw).train().digest == from_hub(glue, tmp_path / "cache").train().digest


def test_loading_from_the_hub_is_silent(
    glue: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    from_hub(glue, tmp_path / "cache").train()
    assert capfd.readouterr() == ("", "")


def test_progress_bars_of_the_hub_are_as_before(glue: Path, tmp_path: Path) -> None:
    import datasets

    from_hub(glue, tmp_path / "cache").train()
    assert not datasets.utils.are_progress_bars_disabled()


def test_a_hub_that_cannot_be_reached_says_how_to_give_a_folder() -> None:
    with pytest.raises(InputError, match=r"cannot be reached(.|\n)*task\.data_dir=FOLDER.*LMC_D"):
        Cola(ColaTask(name="cola"), {}).train()


def test_a_hub_folder_that_is_not_there_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"task\.hub: there is no folder"):
        from_hub(tmp_path / "none", tmp_path / "cache").train()


def test_a_damaged_hub_file_is_an_error(glue: Path, tmp_path: Path) -> None:
    (glue / "cola" / "train-00000-of-00001.parquet").write_text("no parquet")
    with pytest.raises(InputError, match=r"task\.hub: .*glue cannot be read: .*[Pp]arquet"):
        from_hub(glue, tmp_path / "cache").train()


def test_an_unknown_label_of_the_hub_is_told_by_row(glue: Path, tmp_path: Path) -> None:
    write_split(glue, "train", [0, 1, -1])
    with pytest.raises(InputError, match="split 'train', row 2: the label is -1"):
        from_hub(glue, tmp_path / "cache").train()


def test_a_validation_set_of_another_size_is_not_split(glue: Path, tmp_path: Path) -> None:
    write_split(glue, "validation", [0, 1])
    with pytest.raises(InputError, match="has 2 rows; expected are 527 in-domain"):
        from_hub(glue, tmp_path / "cache").evaluation("validation")


@pytest.mark.skipif(REAL_DATA is None, reason="LMC_DATA_DIR is not set")
def test_the_published_files_have_their_published_sizes() -> None:
    task = Cola(ColaTask(name="cola"), os.environ)
    sizes = [len(task.train()), *(len(task.evaluation(name)) for name in task.evaluation_sets)]
    assert sizes == [8551, 527, 1000, 516]
