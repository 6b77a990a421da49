"""What is counted in the data of a study, each on texts that a reader can check by eye."""

from __future__ import annotations

from lmc_track.tasks.dataset import Dataset, Role, build_dataset
from lmc_track.tasks.projection import Projection
from lmc_track.tasks.sampling import sample
from lmc_track.tasks.summary import Count, summarize

NAMES = ("no", "yes")


def texts(name: str, role: Role, *rows: tuple[str, int], **more: object) -> Dataset:
    return build_dataset(
        name,
        role,
        texts={"text": [text for text, _ in rows]},
        labels=[label for _, label in rows],
        source=f"{name}.csv",
        **more,  # type: ignore[arg-type]
    )


TRAIN = texts("train", "train", ("a", 0), ("b", 1), ("b ", 1), ("c", 0), ("c", 1), ("", 1))
VALIDATION = texts("validation", "validation", ("a", 0), ("b", 0), ("v", 1), ("w", 1))
PROBE = texts("probe", "diagnostic", ("v", 1), ("new", 1))


def counts(
    *sets: Dataset, train: tuple[Dataset, ...] = (TRAIN,)
) -> dict[tuple[str, str, str], Count]:
    found = summarize(train, sets, NAMES, lambda data: 2)
    return {(one.name, one.what, one.detail): one for one in found}


def of(name: str, what: str, *sets: Dataset) -> Count:
    """The first count of that kind."""
    return next(one for (n, w, _), one in counts(*sets).items() if (n, w) == (name, what))


def test_sizes_and_labels_are_counted() -> None:
    found = counts(VALIDATION)
    assert found["train", "examples", "train.csv"].n == 6
    assert [found["train", "label", name].n for name in NAMES] == [2, 4]
    assert found["validation", "label", "yes"].share == 0.5
    assert not found["validation", "label", "yes"].concern


def test_a_label_that_no_example_has_is_a_concern() -> None:
    assert of("train", "label").concern is False
    only = texts("validation", "validation", ("x", 1))
    assert counts(only)["validation", "label", "no"].concern


def test_empty_texts_are_counted() -> None:
    assert (of("train", "empty texts").n, of("train", "empty texts").concern) == (1, True)
    assert (of("validation", "empty texts", VALIDATION).n) == 0


def test_texts_that_came_before_are_duplicates_whatever_their_white_space() -> None:
    assert of("train", "duplicates").n == 2


def test_texts_with_both_labels_are_counted() -> None:
    assert of("train", "several labels").n == 2


def test_validation_texts_among_the_training_data_are_counted() -> None:
    found = counts(VALIDATION)
    assert found["validation", "in training data", ""].n == 2
    other = found["validation", "in training data", "with another label there"]
    assert (other.n, other.share, other.concern) == (1, 0.25, True)


def test_diagnostics_are_compared_with_validation_too() -> None:
    found = counts(VALIDATION, PROBE)
    assert found["probe", "in training data", ""].n == 0
    assert not found["probe", "in training data", ""].concern
    assert found["probe", "in validation", ""].n == 1


def test_a_sample_of_the_training_data_is_not_an_overlap() -> None:
    drawn = texts("train_sample", "train_sample", ("a", 0))
    assert not any(what == "in training data" for _, what, _ in counts(drawn))


def test_labels_of_their_own_are_not_compared() -> None:
    own = Projection("max", ("entailment", "other"), ((0,), (1,)))
    probe = texts("probe", "diagnostic", ("b", 0), projection=own)
    found = counts(VALIDATION, probe)
    assert found["probe", "in training data", ""].n == 1
    assert ("probe", "in training data", "with another label there") not in found
    assert found["probe", "label", "entailment"].n == 1


def test_rows_left_out_are_counted_by_reason() -> None:
    data = texts(
        "train", "train", ("a", 0), ("b", 1), left_out={"skip_labels": 3, "where": 2, "rows": 0}
    )
    found = {
        one.detail: one.n for one in summarize([data], [], NAMES, None) if one.what == "left out"
    }
    assert found == {"skip_labels": 3, "where": 2}
    drawn = summarize([], [sample(VALIDATION, 3, "head")], NAMES, None)
    assert [(one.detail, one.n) for one in drawn if one.what == "left out"] == [
        ("drawn: head 3 of 4", 1)
    ]


def test_what_is_truncated_is_unknown_without_a_tokenizer() -> None:
    assert of("train", "truncated").n == 2
    unknown = [one for one in summarize([TRAIN], [], NAMES, None) if one.what == "truncated"]
    assert [(one.n, one.concern) for one in unknown] == [(None, False)]
