"""Interpolation logs: what they say, and what is refused with file and line."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from lmc_track.errors import InputError
from lmc_track.importers.interpolation_logs import (
    LoggedPair,
    check_same_points,
    read_interpolation_logs,
)
from support.published_logs import names_the_file, pair_log, write_logs

LOSSES = [0.9, 0.7, 0.4]  # as written: from the second model, whose coefficients are [0, 1]


def read(folder: Path, text: str, **options: object) -> tuple[LoggedPair, ...]:
    (folder / "out.log").write_text(text)
    return read_interpolation_logs(folder, **options).pairs  # type: ignore[arg-type]


def refused(folder: Path, text: str, match: str) -> None:
    with pytest.raises(InputError, match=match):
        read(folder, text)


def test_the_first_point_of_a_log_is_the_second_model(tmp_path: Path) -> None:
    (pair,) = read(tmp_path, pair_log("3", "7", LOSSES))
    assert (pair.first, pair.second, pair.distance, pair.dataset) == ("3", "7", 12.5, "mnli")
    assert [(p.share, p.values["loss"]) for p in pair.points] == [
        (0.0, 0.4),
        (0.5, 0.7),
        (1.0, 0.9),
    ]


def test_all_columns_are_read(tmp_path: Path) -> None:
    (pair,) = read(tmp_path, pair_log("3", "7", LOSSES, accuracies=[0.5, 0.6, 0.7]))
    assert pair.points[0].values == {"loss": 0.4, "accuracy": 0.7}


def test_what_is_printed_between_is_skipped(tmp_path: Path) -> None:
    text = pair_log("3", "7", LOSSES).replace(
        "\n[0.5", "\nSome weights were not used: ['a']\n[1/2 done]\n\n[0.5"
    )
    assert len(read(tmp_path, "Downloading: 100%\n" + text)[0].points) == 3


def test_several_pairs_of_one_file_are_several(tmp_path: Path) -> None:
    text = pair_log("0", "1", LOSSES) + pair_log("0", "2", LOSSES)
    assert [(p.second, p.line) for p in read(tmp_path, text)] == [("1", 1), ("2", 16)]


def test_folders_tell_the_step(tmp_path: Path) -> None:
    for step in (15000, 36813):
        write_logs(tmp_path / f"mnli_interpol@{step}steps", ["0", "1"])
    found = read_interpolation_logs(tmp_path).pairs
    assert [pair.step for pair in found] == [15000, 36813]


def test_pairs_on_one_set_can_be_taken_alone(tmp_path: Path) -> None:
    text = pair_log("0", "1", LOSSES) + pair_log("0", "1", LOSSES, dataset="hans")
    assert [pair.dataset for pair in read(tmp_path, text, dataset="hans")] == ["hans"]


def test_files_that_are_no_logs_are_skipped_and_told(tmp_path: Path) -> None:
    write_logs(tmp_path, ["0", "1"])
    (tmp_path / "notes.txt").write_text("nothing")
    (tmp_path / "values.pkl").write_bytes(b"\x80\x04")
    (tmp_path / "picture.png").write_bytes(b"\x89PNG\xff")
    logs = read_interpolation_logs(tmp_path)
    assert len(logs.pairs) == 1
    assert logs.skipped_files == ("notes.txt", "picture.png")


WHOLE = pair_log("3", "7", LOSSES)


@pytest.mark.parametrize(
    ("kept", "match"),
    [
        (3, "line 3: the log breaks off: the point has no values"),
        (4, "line 3: the log breaks off: the point has no values"),
        (5, "line 5: the log breaks off: the table has no row"),
        (10, "line 10: the log breaks off: .* 3 and 7 .* has 2 points"),
        (2, "line 2: the log breaks off: .* has 0 points"),
    ],
)
def test_a_log_that_breaks_off_is_refused(tmp_path: Path, kept: int, match: str) -> None:
    lines = WHOLE.split("\n")[:kept]
    refused(tmp_path, "\n".join(lines) + "\n", f"out.log, {match}")


def test_a_number_that_may_be_cut_in_two_is_refused(tmp_path: Path) -> None:
    cut = WHOLE[: WHOLE.rindex("\nCompleted") - 1]
    refused(tmp_path, cut, "line 14: the log breaks off: the row has no line end")


def test_a_pair_that_breaks_off_can_be_left_out(tmp_path: Path) -> None:
    text = pair_log("0", "1", LOSSES) + "\n".join(WHOLE.split("\n")[:4]) + "\n"
    (tmp_path / "out.log").write_text(text)
    logs = read_interpolation_logs(tmp_path, skip_incomplete=True)
    assert [pair.second for pair in logs.pairs] == ["1"]
    assert "line 18" in logs.broken[0].message


@pytest.mark.parametrize(
    ("old", "new", "match"),
    [
        ("12.5.", "far.", "line 1: no pair and distance"),
        ("[0.5, 0.5]", "[0.5, 0.6]", r"line 7: \[0.5, 0.6\] are no coefficients that add up to 1"),
        ("0.7000", "nan   ", "line 10: .* is no row of point_num, loss, accuracy"),
        ("[0.5, 0.5]", "[0.0, 1.0]", "line 7: the point .* is there twice"),
        ("[0.5, 0.5]\n", "", "line 8: a table without the coefficients"),
        ("  point_num      loss    accuracy", "  point_num      nats    accuracy", "no loss"),
    ],
)
def test_a_log_that_was_changed_is_refused(tmp_path: Path, old: str, new: str, match: str) -> None:
    refused(tmp_path, WHOLE.replace(old, new, 1), match)


def test_pairs_with_other_numbers_of_points_are_refused(tmp_path: Path) -> None:
    text = (
        pair_log("0", "1", LOSSES) + pair_log("0", "2", LOSSES) + pair_log("0", "3", [1, 1, 1, 1])
    )
    pairs = read(tmp_path, text)
    with pytest.raises(InputError, match="line 31: the pair 0 and 3 has 4 points, 2 others have 3"):
        check_same_points(pairs)


def test_a_folder_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="there is no folder"):
        read_interpolation_logs(tmp_path / "nowhere")


def test_a_folder_without_logs_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="holds no interpolation"):
        read_interpolation_logs(tmp_path)


LINES = st.sampled_from(
    [
        *pair_log("3", "7", LOSSES).splitlines(),
        "Euclidean distance between a and b: 1e400.", "Euclidean distance between", "[0.0, 1.0]",
        "[nan, 1.0]", "[1, 0, 0]", "point_num", "point_num loss", "---  ---", "0  1", "0  1e999",
        "0  ٣", "", "\ufeff", "\x00", "Interpolating between a and b on",
    ]
)  # fmt: skip


@settings(max_examples=200, deadline=None)
@given(st.lists(LINES, max_size=25).map("\n".join).map(str.encode) | st.binary(max_size=80))
def test_no_log_does_worse_than_being_refused(fuzzed: Path, content: bytes) -> None:
    folder = fuzzed / "logs"
    folder.mkdir(exist_ok=True)
    (folder / "out.log").write_bytes(content)
    try:
        pairs = read_interpolation_logs(folder).pairs
    except InputError as error:
        names_the_file(error, folder)
    else:
        assert all(pair.points[0].share < pair.points[-1].share for pair in pairs)


@settings(max_examples=100, deadline=None)
@given(st.integers(0, len(WHOLE) - 1), st.integers(0, 12), st.characters())
@example(at=215, n=0, other="0")
def test_a_damaged_log_is_read_or_refused(fuzzed: Path, at: int, n: int, other: str) -> None:
    folder = fuzzed / "damaged"
    folder.mkdir(exist_ok=True)
    text = (WHOLE[:at] + other + WHOLE[at + n :]).encode("utf-8", "replace")
    (folder / "out.log").write_bytes(text)
    try:
        assert read_interpolation_logs(folder).pairs
    except InputError as error:
        names_the_file(error, folder)
