"""A Dask cluster computes what this process would, whatever happens to its workers."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from lmc_track.errors import InputError, WorkError
from lmc_track.execution import Placement, carry_out
from lmc_track.execution.cluster import Cluster, opened_cluster
from support.pieces import die_at_two, die_once, fail_at_three, flaky, square

pytestmark = pytest.mark.full


@pytest.fixture(scope="module")
def cluster() -> Iterator[Cluster]:
    with opened_cluster(Placement(workers=2, device="cpu")) as opened:
        yield opened


def carried(cluster: Cluster, items: list[object], compute: object) -> list[tuple[object, object]]:
    found: list[tuple[object, object]] = []
    carry_out(
        items, compute, lambda item, one: found.append((item, one)), lambda _: None, pool=cluster
    )
    return found


def test_every_item_is_computed_once_in_other_processes(cluster: Cluster) -> None:
    steps: list[int] = []
    found: list[tuple[int, tuple[int, int]]] = []
    carry_out(
        [4, 1, 3, 0],
        square,
        lambda item, result: found.append((item, result)),
        steps.append,
        pool=cluster,
    )
    assert sorted((item, result[0]) for item, result in found) == [(0, 0), (1, 1), (3, 9), (4, 16)]
    assert os.getpid() not in {result[1] for _, result in found}
    assert sum(steps) <= 8  # those of the last item may be told too late


def test_a_failure_keeps_what_to_do_about_it(cluster: Cluster) -> None:
    with pytest.raises(WorkError) as caught:
        carried(cluster, [1, 3], fail_at_three)
    assert caught.value.remedy == "Leave three out."


def test_the_work_of_a_dead_worker_is_done_by_another(cluster: Cluster, tmp_path: Path) -> None:
    marks = [str(tmp_path / name) for name in ("a", "b", "c")]
    assert sorted(carried(cluster, marks, die_once)) == [(mark, "done") for mark in marks]


def test_an_item_that_kills_its_workers_is_given_up_and_the_others_go_on(cluster: Cluster) -> None:
    found: list[int] = []
    failures = carry_out(
        [1, 2, 3, 4],
        die_at_two,
        lambda item, _: found.append(item),
        lambda _: None,
        pool=cluster,
        go_on=True,
    )
    assert sorted(found) == [1, 3, 4]
    assert [failure.item for failure in failures] == [2]
    assert "worker processes died of it" in str(failures[0].error)


def test_what_fails_for_a_moment_is_tried_again(cluster: Cluster, tmp_path: Path) -> None:
    mark = str(tmp_path / "mark")
    assert carried(cluster, [mark], flaky) == [(mark, "done")]


def test_workers_that_are_all_gone_are_started_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("lmc_track.execution.cluster._LONELY", 1)
    with opened_cluster(Placement(workers=1, device="cpu")) as opened:
        assert [item for item, _ in carried(opened, [2], square)] == [2]
        opened._client.cluster.scale(0)
        wait_until(lambda: not opened._workers())
        assert [item for item, _ in carried(opened, [3], square)] == [3]


def wait_until(condition: Callable[[], bool]) -> None:
    """Look until it is true; fails after two minutes."""
    for _ in range(600):
        if condition():
            return
        threading.Event().wait(0.2)
    pytest.fail("the workers did not go")


def test_a_scheduler_that_is_not_there_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("lmc_track.execution.cluster._PATIENCE", 1)
    with (
        pytest.raises(InputError, match="no Dask scheduler answers at tcp:"),
        opened_cluster(Placement(scheduler="tcp://127.0.0.1:9")),
    ):
        pass


def test_both_kinds_of_cluster_at_once_are_refused() -> None:
    with pytest.raises(InputError, match="two ways"):
        Placement(workers=2, scheduler="tcp://127.0.0.1:8786")


def test_without_dask_the_package_to_install_is_named() -> None:
    code = (
        "import sys; sys.modules['dask'] = None\n"
        "from lmc_track.execution import Placement\n"
        "from lmc_track.execution.cluster import opened_cluster\n"
        "try:\n"
        "    opened_cluster(Placement(workers=2)).__enter__()\n"
        "except Exception as error:\n"
        "    print(type(error).__name__, error)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=120, check=True
    )
    assert done.stdout.startswith("InputError --workers and --scheduler need Dask")
    assert "pip install 'lmc-track[dask]'" in done.stdout
