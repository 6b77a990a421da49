"""Evaluation logs: what models said, in one label order, and what is refused."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lmc_track.errors import InputError
from lmc_track.importers.evaluation_logs import EvaluationLogs, read_evaluation_logs
from lmc_track.importers.naming import model_names
from lmc_track.importers.subset_tables import letters, read_subsets
from support.published_logs import evaluation_log, names_the_file, write_json

YES_NO = {"no": 0, "yes": 1}
SAMPLES = [
    ("[CLS] a cat [SEP] the cat [SEP]", 1, [0.25, 0.75]),
    ("[CLS] b [SEP] c [SEP]", 0, [0.9, 0.1]),
]
LOG = evaluation_log(YES_NO, SAMPLES)
PLAIN = model_names(None, None)


def read(folder: Path, **logs: Any) -> EvaluationLogs:
    for name, content in logs.items():
        write_json(folder / f"{name}.json", content)
    return read_evaluation_logs([folder], PLAIN)


def test_a_log_gives_texts_labels_logits_and_losses(tmp_path: Path) -> None:
    found = read(tmp_path, bert_3=LOG)
    assert found.examples.label_names == ("no", "yes")
    assert found.examples.labels.tolist() == [1, 0]
    assert found.examples.texts == (("a cat", "the cat"), ("b", "c"))
    (log,) = found.logs
    assert log.model.name == "bert_3"
    assert log.logits.tolist() == [[2.5, 7.5], [9.0, 1.0]]
    assert log.loss.tolist() == pytest.approx(
        [math.log(1 + math.exp(-5)), math.log(1 + math.exp(-8))], abs=1e-6
    )


def test_logits_of_other_labels_give_way_to_probabilities(tmp_path: Path) -> None:
    content = json.loads(json.dumps(LOG))
    for sample in content["samples"]:
        sample["logits"] = [1.0, 2.0, 3.0]
    content["samples"][1]["probabilities"] = [0, 1]
    (log,) = read(tmp_path, three_way=content).logs
    assert log.projected
    assert log.loss[0] == pytest.approx(-math.log(0.75))
    assert math.isfinite(log.loss[1])


def test_labels_numbered_otherwise_are_brought_into_one_order(tmp_path: Path) -> None:
    turned = evaluation_log({"yes": 0, "no": 1}, [(s, 1 - y, p[::-1]) for s, y, p in SAMPLES])
    first, second = read(tmp_path, a=LOG, b=turned).logs
    assert first.logits.tolist() == second.logits.tolist()
    assert first.loss.tolist() == second.loss.tolist()


def test_file_names_tell_model_and_step(tmp_path: Path) -> None:
    write_json(tmp_path / "paws_eval@34110steps_bert-7.json", LOG)
    found = read_evaluation_logs([tmp_path], model_names(r".*bert-(\d+)", "seed-{}"))
    assert [(log.model.name, log.model.step) for log in found.logs] == [("seed-7", 34110)]


def test_files_that_are_no_models_are_left_out(tmp_path: Path) -> None:
    write_json(tmp_path / "bert-7.json", LOG)
    write_json(tmp_path / "config.json", {})
    found = read_evaluation_logs([tmp_path], model_names(r"bert-(\d+)", None))
    assert found.skipped == ("config.json",)


Change = Callable[[dict[str, Any]], object]


@pytest.mark.parametrize(
    ("change", "match"),
    [
        (lambda c: c.pop("label_dict"), "x.json: no label_dict and samples"),
        (lambda c: c["label_dict"].update(maybe=7), "label_dict numbers its labels"),
        (lambda c: c["samples"].clear(), "samples is no list"),
        (lambda c: c["samples"][1].update(label=2), r"samples\[1\]: the label is 2"),
        (lambda c: c["samples"][1].update(label=None), r"samples\[1\]: the label is None"),
        (lambda c: c["samples"][0].update(logits=["a", 1]), r"samples\[0\]: logits is"),
        (lambda c: c["samples"][0].update(logits=[1.0]), r"samples\[1\]: 2 logits"),
        (lambda c: c["samples"][1].update(probabilities=[0.5, 0.1]), "do not add up to 1"),
        (lambda c: c["samples"][1].update(probabilities=[1.0]), "1 probabilities of 2 labels"),
        (lambda c: c["samples"][1].update(sentence="[CLS] b [SEP]"), r"samples\[1\]: 1 parts"),
        (lambda c: c["samples"][1].update(sentence=3), r"samples\[1\]: the sentence is 3"),
    ],
)
def test_another_form_is_refused(tmp_path: Path, change: Change, match: str) -> None:
    content = json.loads(json.dumps(LOG))
    change(content)
    with pytest.raises(InputError, match=match):
        read(tmp_path, x=content)


def test_a_file_cut_in_the_middle_is_refused_with_its_line(tmp_path: Path) -> None:
    text = json.dumps(LOG, indent=1)
    (tmp_path / "x.json").write_text(text[: len(text) // 2])
    with pytest.raises(InputError, match=r"x.json, line \d+: "):
        read_evaluation_logs([tmp_path], PLAIN)


@pytest.mark.parametrize(
    ("other", "match"),
    [
        (evaluation_log({"no": 0, "maybe": 1}, SAMPLES), "the labels are no, maybe; in .*a.json"),
        (evaluation_log(YES_NO, SAMPLES[:1]), "1 samples; .*a.json has 2"),
        (evaluation_log(YES_NO, SAMPLES[::-1]), r"samples\[0\]: another example than in"),
    ],
)
def test_logs_of_other_examples_are_refused(tmp_path: Path, other: Any, match: str) -> None:
    with pytest.raises(InputError, match=f"b.json.*{match}"):
        read(tmp_path, a=LOG, b=other)


def test_no_logs_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no file is the log of a model"):
        read_evaluation_logs([tmp_path], PLAIN)


def test_subsets_are_found_by_letters(tmp_path: Path) -> None:
    file = tmp_path / "hans.tsv"
    file.write_text('s1\ts2\theuristic\tlabel\nThe café\'s cat.\tA "cat".\tlexical\tyes\n')
    table = read_subsets(file, ["s1", "s2"], ["heuristic", "heuristic+label"])
    assert table.of(["the cafe ' s cat .", 'a " cat " .']) == ("lexical", "lexical-yes")
    assert table.of(["another", "cat"]) is None


def test_an_example_in_two_kinds_of_subsets_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "t.csv"
    file.write_text("s,kind\na,x\nA.,y\n")
    with pytest.raises(InputError, match=r"t.csv, line 3: an example that is there already"):
        read_subsets(file, ["s"], ["kind"])


def test_a_column_that_is_not_there_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "t.csv"
    file.write_text("s,kind\na,x\n")
    with pytest.raises(InputError, match="there is no column 'text'"):
        read_subsets(file, ["text"], ["kind"])


@given(st.text(max_size=20))
def test_letters_are_the_same_whatever_a_tokenizer_does(text: str) -> None:
    assert letters(" ".join(text)) == letters(text) == letters(letters(text))


VALUES = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=4)
CONTENT = st.fixed_dictionaries(
    {
        "label_dict": st.dictionaries(st.text(max_size=2), st.integers(-1, 2) | VALUES, max_size=3),
        "samples": st.lists(
            st.fixed_dictionaries(
                {},
                optional={
                    "label": st.integers(-1, 2) | VALUES,
                    "logits": st.lists(st.floats() | VALUES, max_size=3) | VALUES,
                    "probabilities": st.sampled_from([[0.5, 0.5], [1, 0], [1.0]]) | VALUES,
                    "sentence": VALUES,
                },
            ),
            max_size=3,
        )
        | VALUES,
    }
)


@settings(max_examples=200, deadline=None)
@given(CONTENT.map(json.dumps).map(str.encode) | st.binary(max_size=30))
def test_no_log_does_worse_than_being_refused(fuzzed: Path, content: bytes) -> None:
    file = fuzzed / "model.json"
    file.write_bytes(content)
    try:
        found = read_evaluation_logs([file], PLAIN)
    except InputError as error:
        names_the_file(error, file)
    else:
        assert len(found.logs) == 1
