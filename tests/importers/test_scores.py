"""Tables of scores: which rows and columns count, and what is refused, with file and line."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lmc_track.errors import InputError
from lmc_track.importers.naming import model_names
from lmc_track.importers.presets import SCORE_PRESETS
from lmc_track.importers.scores import ScoreTable, Target, column_rule, read_scores
from support.published_logs import names_the_file

RUNS = model_names(r"Run (\d+)", "run-{}")
Written = Callable[[str | bytes], Path]


@pytest.fixture
def written(tmp_path: Path) -> Written:
    def write(content: str | bytes) -> Path:
        file = tmp_path / "scores.csv"
        file.write_bytes(content.encode() if isinstance(content, str) else content)
        return file

    return write


def values(table: ScoreTable) -> dict[str, dict[str, float]]:
    return {
        model.name: {str(score.target): score.value for score in scores}
        for model, scores in zip(table.models, table.scores, strict=True)
    }


def refused(file: Path, match: str, *columns: str, **options: bool) -> None:
    with pytest.raises(InputError, match=match):
        read_scores(file, RUNS, [column_rule(c) for c in columns], **options)  # type: ignore[arg-type]


def test_without_rules_a_header_says_what_its_column_is(written: Written) -> None:
    file = written(
        "model,validation,hans:ln_passive,hans:all:loss,accuracy/dev\nRun 0,.5,.25,2,1\n"
    )
    assert values(read_scores(file, RUNS)) == {
        "run-0": {
            "validation:all:accuracy": 0.5,
            "hans:ln_passive:accuracy": 0.25,
            "hans:all:loss": 2.0,
            "dev:all:accuracy": 1.0,
        }
    }


def test_rules_say_which_columns_count_and_the_others_are_counted(written: Written) -> None:
    file = written("model,dev,ln_a/b,note\nRun 0,.5,.25,fine\n")
    rules = [column_rule("dev=validation"), column_rule("(l[en]_.+)=hans:{}")]
    table = read_scores(file, RUNS, rules)
    assert table.targets == (
        Target("validation", "all", "accuracy"),
        Target("hans", "ln_a-b", "accuracy"),
    )
    assert table.skipped_columns == ("note",)


def test_rows_that_are_no_models_are_left_out_and_counted(written: Written) -> None:
    table = read_scores(written("run,dev\nRun 0,.5\nMean,.5\n,\nMaximum,what\n"), RUNS)
    assert [model.name for model in table.models] == ["run-0"]
    assert table.skipped_rows == ("Mean", "Maximum")


@pytest.mark.parametrize("ends", ["\n", "\r\n"])
@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"])
@pytest.mark.parametrize("separator", [",", "\t", ";"])
def test_marks_line_ends_and_separators_make_no_difference(
    written: Written, mark: bytes, ends: str, separator: str
) -> None:
    lines = [["run", "dev"], ["Run 3", "0.5"]]
    text = ends.join(separator.join(line) for line in lines)
    assert values(read_scores(written(mark + text.encode()), RUNS)) == {
        "run-3": {"dev:all:accuracy": 0.5}
    }


def test_empty_cells_are_no_scores_and_counted(written: Written) -> None:
    table = read_scores(written("run,dev,test\nRun 0,,.5\nRun 1,NA,.25\n"), RUNS)
    assert table.n_empty == 2
    assert [len(scores) for scores in table.scores] == [1, 1]


def test_percentages_are_taken_for_shares_when_that_is_said(written: Written) -> None:
    file = written("run,dev,dev:all:loss\nRun 0,84.5,1.5\n")
    assert values(read_scores(file, RUNS, percent=True)) == {
        "run-0": {"dev:all:accuracy": 0.845, "dev:all:loss": 1.5}
    }


def test_a_model_twice_is_refused(written: Written) -> None:
    file = written("run,dev\nRun 0,.5\nRun 1,.5\nRun 0,.5\n")
    refused(file, r"scores.csv, line 4: the model 'Run 0' is there twice \(first: line 2\)")


def test_two_models_of_one_name_are_refused(written: Written) -> None:
    file = written("run,dev\na/b,.5\na?b,.5\n")
    with pytest.raises(InputError, match=r"line 3: 'a\?b' and 'a/b' .* both be called 'a-b'"):
        read_scores(file, model_names(None, None))


@pytest.mark.parametrize("cell", ["good", "1_0", "inf", "0.5 (best)"])
def test_text_where_a_number_should_be_is_refused(written: Written, cell: str) -> None:
    refused(written(f"run,dev\nRun 0,{cell}\n"), "line 2, column 'dev': '.*' is no number")


def test_a_percentage_is_no_accuracy(written: Written) -> None:
    refused(written("run,dev\nRun 0,84.5\n"), r"84.5 cannot be an accuracy.*\n.*--percent")


def test_a_quoted_cell_of_several_lines_keeps_the_lines_right(written: Written) -> None:
    refused(written('run,dev\n"Run\n0",.5\nRun 1,x\n'), "line 4, column 'dev'")


def test_a_row_of_other_length_is_refused(written: Written) -> None:
    refused(written("run,dev\nRun 0,.5,.5\n"), "line 2: 3 columns, where the header has 2")


def test_a_table_without_models_is_refused(written: Written) -> None:
    refused(written("run,dev\nseed 0,.5\n"), "no row is a model.*'seed 0'")


def test_two_columns_of_one_set_are_refused(written: Written) -> None:
    refused(written("run,a/b,a?b\nRun 0,.5,.5\n"), "line 1: the columns 'a/b' and 'a.b'")


@pytest.mark.parametrize("rule", ["dev", "=x", "(=x", "dev=a:b:speed", "dev=a:b:loss:d"])
def test_a_rule_that_is_none_is_refused(rule: str) -> None:
    with pytest.raises(InputError):
        column_rule(rule)


@pytest.mark.parametrize(
    ("text", "name"),
    [("../x", "..-x"), ("/etc/passwd", "-etc-passwd"), ("..", "_.."), ("🙂", "-")],
)
def test_names_that_are_paths_become_names(written: Written, text: str, name: str) -> None:
    (model,) = read_scores(written(f"run,dev\n{text},.5\n"), model_names(None, None)).models
    assert (model.name, model.original) == (name, text)


def test_long_names_that_begin_alike_stay_apart(written: Written) -> None:
    table = read_scores(
        written(f"run,dev\n{'x' * 300}a,.5\n{'x' * 300}b,.5\n"), model_names(None, None)
    )
    assert len({model.name for model in table.models}) == 2
    assert all(len(model.name) <= 100 for model in table.models)


def test_the_published_table_is_read_whole(feather: Path) -> None:
    preset = SCORE_PRESETS["feather"]
    table = read_scores(
        feather / "berts_of_a_feather_accuracies_by_run.csv",
        model_names(preset.match, preset.name),
        [column_rule(text) for text in preset.columns],
    )
    assert [model.name for model in table.models] == [f"feather_berts_{n}" for n in range(100)]
    assert len(table.targets) == 38
    assert table.skipped_columns == ()
    assert table.skipped_rows == ("Minimum", "Maximum", "Mean", "Standard deviation")
    assert values(table)["feather_berts_0"]["hans:lexical_overlap-non-entailment:accuracy"] == 0.39


CELLS = st.text(
    alphabet=st.sampled_from("Run 0123456789.,;\t\n\r\"'-e_/:\ufeffäé🙂\x00%"), max_size=60
)


@settings(max_examples=150, deadline=None)
@given(st.one_of(CELLS.map(str.encode), st.binary(max_size=60)))
def test_no_table_does_worse_than_being_refused(fuzzed: Path, content: bytes) -> None:
    file = fuzzed / "scores.csv"
    file.write_bytes(b"run,dev\n" + content)
    try:
        table = read_scores(file, model_names(None, None))
    except InputError as error:
        names_the_file(error, file)
    else:
        assert len({model.name for model in table.models}) == len(table.models)
