"""Runs written together are the runs that MLflow's client would have made, or none."""

from __future__ import annotations

import sqlite3
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from mlflow.entities import Metric, Param, RunTag
from mlflow.exceptions import MlflowException
from mlflow.store.tracking.dbmodels import models
from mlflow.utils.validation import _validate_batch_log_data

from lmc_track.errors import InputError, WorkError
from lmc_track.tracking import revisions
from lmc_track.tracking.bulk_rows import NewRun, RowMaker, ordered_id
from lmc_track.tracking.links import EvaluatedOn
from lmc_track.tracking.recorder import MetricValue, Recorder
from lmc_track.tracking.runs import RunEntry
from lmc_track.tracking.store import Store
from support.same_runs import READ, OneByOne, assert_same_runs, new_recorder, write
from support.stores import empty_home

Doing = Any


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(empty_home(tmp_path / "home"))


def seen(recorder: Recorder) -> list[Any]:
    return list(recorder.store.client.search_runs([recorder._experiment_id]))


def test_runs_written_together_are_the_clients_own(store: Store) -> None:
    assert_same_runs(store.location)


def test_runs_written_together_share_their_data_sets_with_older_ones(store: Store) -> None:
    recorder = new_recorder(store, "together")
    recorder.log_inputs(recorder.start("model", "k", "seed-0", "note"), [READ])
    for _ in range(2):
        with recorder.together():
            write(recorder)
    connection = sqlite3.connect(store.location.home / "mlflow.db")
    found = connection.execute("SELECT name, count(*) FROM datasets GROUP BY 1").fetchall()
    connection.close()
    assert dict(found) == {"validation": 1, "other": 1}


def test_nothing_is_seen_before_the_end(store: Store) -> None:
    recorder = new_recorder(store, "together")
    with recorder.together():
        write(recorder)
        with recorder.together():  # part of the block around it
            write(recorder)
        assert seen(recorder) == []
    assert len(seen(recorder)) == 6


def test_an_error_inside_leaves_no_run(store: Store) -> None:
    recorder = new_recorder(store, "together")

    def stopped() -> None:
        with recorder.together():
            write(recorder)
            raise RuntimeError

    with pytest.raises(RuntimeError):
        stopped()
    assert seen(recorder) == []
    recorder.start("model", "k", "seed-0", "note")
    assert len(seen(recorder)) == 1


def _metric(name: str = "m", value: Any = 1.0, **more: Any) -> Doing:
    return lambda recorder, run: recorder.log(run, metrics=[MetricValue(name, value, **more)])


def _param(name: str, value: Any = "v") -> Doing:
    return lambda recorder, run: recorder.log(run, params={name: value})


def _tag(name: str, value: Any = "v") -> Doing:
    return lambda recorder, run: recorder.log(run, tags={name: value})


def _input(name: str = "n", source: str = "s", context: str = "c") -> Doing:
    read = EvaluatedOn(name, "d", source, context)
    return lambda recorder, run: recorder.log_inputs(run, [read])


def _changed_param(recorder: Recorder, run: RunEntry) -> None:
    recorder.log(run, params={"a": "1"})
    recorder.log(run, params={"a": "2"})


_BAD = {
    **{
        f"{kind} {what}": do(name)
        for kind, do in (("metric", _metric), ("param", _param), ("tag", _tag))
        for what, name in (
            ("comma", "a,b"), ("absolute", "/a"), ("up", "a/../b"), ("dot", "."),
            ("long", "n" * 251), ("newline", "a\nb"), ("quote", 'a"b'),
            ("doubled slash", "a//b"), ("empty", ""),
        )
    },
    "value none": _metric(value=None),
    "value text": _metric(value="much"),
    "value too large": _metric(value=10**400),
    "negative time": _metric(timestamp=-1),
    "time that is text": _metric(timestamp="now"),
    "step that is text": _metric(step="first"),
    "step too large": _metric(step=2**63),
    "long tag": _tag("t", "x" * 9_000),
    "tag that is no text": _tag("t", 5),
    "changed param": _changed_param,
    "long data set": _input(name="n" * 501),
    "long source": _input(source="s" * 70_000),
    "long context": _input(context="c" * 501),
}  # fmt: skip


# MLflow's client lets some of Python's own errors through.
_REFUSALS = (WorkError, TypeError, OverflowError)


@pytest.mark.parametrize("bad", _BAD)
def test_what_mlflow_refuses_is_refused_whole(
    store: Store, bad: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MLFLOW_TRUNCATE_LONG_VALUES", "false")
    client = new_recorder(store, "client", OneByOne)
    with pytest.raises(_REFUSALS):
        _BAD[bad](client, client.start("point", "k", "alpha", "note"))
    together = new_recorder(store, "together")

    def try_it() -> None:
        with together.together():
            write(together)
            _BAD[bad](together, together.start("point", "k", "alpha", "note"))

    with pytest.raises(_REFUSALS):
        try_it()
    assert seen(together) == []


def _refuses(check: Any, *arguments: Any) -> bool:
    try:
        check(*arguments)
    except MlflowException:
        return True
    return False


_NAMES = st.text(st.sampled_from("ab/._- :,;\n\"'é\\\0"), max_size=6) | st.text(max_size=4)
_NUMBERS = st.one_of(st.floats(), st.integers(), st.booleans(), st.none(), st.text(max_size=2))


@settings(derandomize=True, database=None, deadline=None)
@given(_NAMES, _NUMBERS, _NUMBERS, st.text(max_size=3))
def test_names_and_values_are_checked_as_mlflow_checks_them(
    name: str, value: Any, time: Any, text: str
) -> None:
    maker = RowMaker(1)
    for metrics, params, tags in (
        ([(name, value, time, 0)], {}, {}),
        ([(name, 1.0, 0, value)], {}, {}),
        ([], {name: text}, {}),
        ([], {}, {name: text}),
    ):
        tags["mlflow.runName"] = "n"
        entry = RunEntry("r", "point", "k", "n", "FINISHED", 0, 0, "", tags)
        refused = _refuses(
            _validate_batch_log_data,
            [Metric(n, maker._as_float(v), t, s) for n, v, t, s in metrics],
            [Param(*one) for one in params.items()],
            [RunTag(*one) for one in tags.items()],
        )
        for _ in range(2):  # what is remembered of a name is no other answer
            assert _refuses(maker.rows, [NewRun(entry, "u", params, metrics)], {}) == refused


def test_runs_are_not_written_to_an_experiment_that_was_deleted(store: Store) -> None:
    recorder = new_recorder(store, "together")

    def late() -> None:
        with recorder.together():
            write(recorder)
            store.client.delete_experiment(recorder._experiment_id)

    with pytest.raises(WorkError, match="deleted"):
        late()


def test_an_addition_to_an_older_run_comes_after_the_new_ones(store: Store) -> None:
    recorder = new_recorder(store, "together")
    old = recorder.start("path", "p", "seed-0 to seed-1", "note")
    recorder.finish(old)
    with recorder.together():
        new = recorder.start("point", "p@0.5", "alpha 0.5", "note", parent=old.run_id)
        recorder.finish(new)
        recorder.log(old, metrics=[MetricValue("loss/v", 0.5)])
        assert store.client.get_run(new.run_id).info.status == "FINISHED"
        late = recorder.start("point", "p@0.7", "alpha 0.7", "note", parent=old.run_id)
        recorder.finish(late)
    assert store.client.get_run(late.run_id).info.status == "FINISHED"
    assert store.client.get_run(old.run_id).data.metrics == {"loss/v": 0.5}


def test_ids_are_mlflows_in_form_and_grow() -> None:
    ids = [ordered_id() for _ in range(1_000)]
    assert len({*ids}) == 1_000
    assert {(len(one), one[12], one[16] in "89ab") for one in ids} == {(32, "7", True)}
    assert [one[:12] for one in ids] == sorted(one[:12] for one in ids)


def _set_revision(store: Store, revision: str) -> None:
    connection = sqlite3.connect(store.location.home / "mlflow.db")
    with connection:
        connection.execute("UPDATE alembic_version SET version_num = ?", [revision])
    connection.close()


def test_a_schema_that_is_not_known_is_left_to_the_client_and_told(store: Store) -> None:
    recorder = new_recorder(store, "together")
    _set_revision(store, "0123456789ab")
    assert recorder.notice is not None
    assert "0123456789ab" in recorder.notice
    with recorder.together():
        write(recorder)
        assert len(seen(recorder)) == 3  # each call at once, as the client makes it


def test_a_store_of_another_mlflow_is_refused_with_what_to_do(store: Store) -> None:
    _set_revision(store, "0123456789ab")
    with pytest.raises(InputError, match=r"written by a newer MLflow.*0123456789ab"):
        _ = Store(store.location).client


@pytest.mark.parametrize("what", ["revision", "columns"])
def test_an_mlflow_that_is_not_known_is_left_to_the_client(
    store: Store, what: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    recorder = new_recorder(store, "together")
    assert recorder.notice is None
    if what == "revision":
        monkeypatch.setattr(revisions, "TESTED", frozenset({"another"}))
    else:
        columns = tuple(column.name for column in models.SqlTag.__table__.columns)
        monkeypatch.setitem(revisions.COLUMNS, "SqlTag", (*columns, "new"))
    assert "through MLflow's client" in (new_recorder(store, "other").notice or "")
