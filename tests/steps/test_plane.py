"""A plane through a whole study: on record, resumed, added to, ingested, refused."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import polars as pl
import pytest
from polars.testing import assert_frame_equal

import lmc_track
from lmc_track.errors import InputError, WorkError
from lmc_track.geometry.engine import EngineSettings
from lmc_track.importers.naming import model_names
from lmc_track.importers.scores import read_scores
from lmc_track.progress import Silent
from lmc_track.steps.import_scores import import_scores
from lmc_track.steps.import_study import StudyWords
from lmc_track.steps.plane import check_models, plane_step, planned_plane
from lmc_track.steps.plane_works import Framing, GridSettings, plane_work
from lmc_track.steps.recording import find_recorded, plan_on_record
from lmc_track.steps.register import Options, register_models
from lmc_track.steps.run import finetune_step, ingest_step
from lmc_track.steps.status import study_status
from lmc_track.tracking.artifacts import local_folder
from lmc_track.tracking.location import Location
from lmc_track.tracking.runs import RunEntry
from lmc_track.tracking.store import Store
from lmc_track.warehouse.results import Results
from support.stores import copied_home
from support.studies import runs_of, tables_of, tiny_study

TRIO = ("seed-0", "seed-1", "seed-2")
# Without a margin the corner at i = j = 0 is the first model and the row j = 0 an edge.
EDGE = GridSettings(4, 0.0)


class Counting(Silent):
    """Counts the points of the plane that are evaluated, and interrupts after ``most``."""

    def __init__(self, most: int | None = None) -> None:
        self.done, self.most = 0, most

    @contextmanager
    def track(self, title: str, total: int, unit: str, done: int = 0) -> Iterator[Counting]:
        self.counts = title == "Measuring the plane"
        yield self

    def advance(self, steps: int = 1) -> None:
        if not self.counts:
            return
        self.done += steps
        if self.most is not None and self.done >= self.most:
            raise KeyboardInterrupt

    def tell(self, text: str) -> None:
        pass

    finished = tell


def measure(home: Location, names: tuple[str, ...] = TRIO, **options: object) -> int:
    settings = {"grid": EDGE, "progress": Silent(), **options}
    return plane_step(tiny_study(), names, home, **settings).points  # type: ignore[arg-type]


def planes_of(home: Location) -> list[RunEntry]:
    return runs_of(home).all("plane")


def ingested(home: Location) -> Results:
    ingest_step(home, Silent())
    return lmc_track.open(home.home)


@pytest.fixture(scope="module")
def made(finished: Location, tmp_path_factory: pytest.TempPathFactory) -> Location:
    """A study with a plane, ingested, which no test may change."""
    home = copied_home(finished, tmp_path_factory.mktemp("planes") / "home")
    assert measure(home) == 16
    ingest_step(home, Silent())
    return home


@pytest.fixture
def own(finished: Location, tmp_path: Path) -> Location:
    """A study without a plane, for one test."""
    return copied_home(finished, tmp_path / "own")


def test_the_run_says_what_it_is_and_has_its_points(made: Location) -> None:
    (run,) = planes_of(made)
    assert run.name == "plane seed-0, seed-1, seed-2"
    assert (
        "plane through the weights of seed-0, seed-1 and seed-2" in run.tags["mlflow.note.content"]
    )
    assert {run.params[f"model_{side}"] for side in "abc"} == set(TRIO)
    assert {"x_b", "x_c", "y_c", "area", "route_barrier_ab/validation"} <= run.metrics.keys()
    folder = local_folder(run.artifact_uri)
    assert folder is not None
    points = pl.read_parquet(folder / "plane.parquet")
    assert points.columns[:8] == ["i", "j", "x", "y", "a", "b", "c", "dataset"]
    assert points.height == 2 * 16
    told = json.loads((folder / "plane.json").read_text())
    assert told["models"] == dict(zip("abc", TRIO, strict=True))
    assert set(told["routes"]) == {"validation", "main_only"}


def test_the_corner_is_the_models_own_evaluation(made: Location) -> None:
    results = lmc_track.open(made.home)
    for dataset in ("validation", "main_only"):
        corner = results.query("plane", dataset=dataset).filter(i=0, j=0)
        assert corner["weight_a"].item() == 1
        plane = results.query("planes", dataset=dataset)
        assert corner["value"].item() == pytest.approx(plane["loss_a"].item(), abs=1e-6)


def test_the_edge_is_the_path(made: Location) -> None:
    """Both have their points at thirds of the way, where C is not beyond A or B."""
    results = lmc_track.open(made.home)
    plane = results.query("planes").row(0, named=True)
    assert 0 < plane["x_c"] < plane["x_b"]
    edge = results.query("plane").filter(j=0).sort("x")
    path = results.query("curves", model_a="seed-0", model_b="seed-1").sort("alpha")
    assert edge["weight_b"].to_list() == pytest.approx(path["alpha"].to_list())
    assert edge["value"].to_list() == pytest.approx(path["value"].to_list(), abs=1e-6)


def test_routes_in_the_results_are_those_on_record(made: Location) -> None:
    (run,) = planes_of(made)
    rows = lmc_track.open(made.home).query("plane_routes")
    logged = [run.metrics[f"route_barrier_{pair}/validation"] for pair in ("ab", "ac", "bc")]
    assert rows["route_barrier"].to_list() == pytest.approx(logged, abs=1e-6)
    assert rows["straight_barrier"].null_count() == 0


@pytest.mark.full
def test_another_precision_is_another_plane(own: Location) -> None:
    measure(own, datasets=["validation"])
    low = tiny_study(evaluate={"precision": "bf16"})
    found = plane_step(low, TRIO, own, Silent(), EDGE, ["validation"])
    assert found.points == 16
    planes = ingested(own).query("planes")
    assert planes["precision"].to_list() == ["bf16", "fp32"]
    one, other = planes["loss_a"].to_list()
    assert one != other
    assert one == pytest.approx(other, abs=0.05)


def test_status_counts_planes(made: Location) -> None:
    rows = {row["what"]: row for row in study_status(made, "tiny", disk=False).rows}
    assert (rows["plane"]["done"], rows["plane"]["missing"]) == (1, 0)


def test_the_order_of_the_models_makes_no_other_plane(made: Location) -> None:
    assert measure(made, ("seed-2", "seed-0", "seed-1")) == 0
    assert len(planes_of(made)) == 1


@pytest.mark.full
def test_another_grid_is_another_plane(own: Location) -> None:
    measure(own, datasets=["validation"])
    assert measure(own, datasets=["validation"], grid=GridSettings(3, 0.5)) == 9
    planes = ingested(own).query("planes")
    assert planes["n_grid"].to_list() == [3, 4]


def test_an_interrupted_plane_goes_on_where_it_was(own: Location, made: Location) -> None:
    with pytest.raises(KeyboardInterrupt):
        measure(own, progress=Counting(most=6))  # in the second row of four points
    assert not planes_of(own)
    (begun,) = runs_of(own).unfinished("plane")
    assert ingested(own).query("planes").is_empty()
    rest = Counting()
    measure(own, progress=rest)
    assert rest.done == 12
    (run,) = planes_of(own)
    assert run.run_id == begun.run_id
    assert not list((own.cache / "planes").iterdir())
    whole = lmc_track.open(made.home).query("plane").drop("plane_id")
    assert ingested(own).query("plane").drop("plane_id").equals(whole)


def test_a_plane_begun_with_a_model_that_is_gone_is_begun_again(own: Location) -> None:
    with pytest.raises(KeyboardInterrupt):
        measure(own, progress=Counting(most=6))
    (begun,) = runs_of(own).unfinished("plane")
    gone = next(run for run in runs_of(own).all("model") if run.name == "seed-1")
    Store(own).client.delete_run(gone.run_id)
    finetune_step(tiny_study(), own, Silent())
    measure(own)
    (run,) = planes_of(own)
    assert run.run_id != begun.run_id
    assert gone.run_id not in run.params.values()
    assert not runs_of(own).unfinished("plane")


@pytest.mark.full
def test_a_further_data_set_evaluates_only_itself(own: Location) -> None:
    measure(own, datasets=["main_only"])
    before = Counting()
    measure(own, progress=before)
    assert before.done == 16
    (run,) = planes_of(own)
    assert run.revision == 2
    results = ingested(own)
    assert results.query("planes")["datasets"].to_list() == [["main_only", "validation"]]
    for dataset in ("main_only", "validation"):
        assert results.query("plane", dataset=dataset).height == 16
        assert results.query("plane_routes", dataset=dataset).height == 3
    found = plane_step(tiny_study(), TRIO, own, Silent(), EDGE)
    assert found.points == 0
    assert found.routes["dataset"].unique(maintain_order=True).to_list() == [
        "validation",
        "main_only",
    ]


def test_ingesting_twice_changes_nothing(made: Location) -> None:
    before = tables_of(made.results_path)
    ingest_step(made, Silent())
    after = tables_of(made.results_path)
    for name in ("planes", "plane_points", "plane_routes"):
        assert after[name].equals(before[name])
    assert after["plane_points"].height == 16 * 2 * 3


def test_a_deleted_run_disappears(own: Location) -> None:
    measure(own, datasets=["validation"])
    (run,) = planes_of(own)
    Store(own).client.delete_run(run.run_id)
    assert ingested(own).query("planes").is_empty()
    assert tables_of(own.results_path)["plane_points"].is_empty()


def test_a_plane_goes_with_its_models(own: Location) -> None:
    measure(own, datasets=["validation"])
    model = next(run for run in runs_of(own).all("model") if run.name == "seed-1")
    Store(own).client.delete_run(model.run_id)
    assert ingested(own).query("planes").is_empty()
    with pytest.raises(WorkError, match=r"seed-1 is not finetuned yet\nRun first: .* finetune"):
        measure(own)


def test_what_is_planned_is_counted_and_nothing_recorded(own: Location) -> None:
    planned = planned_plane(tiny_study(), TRIO, own, Silent(), EDGE)
    assert planned.select("what", "planned", "to_do").row(0) == ("plane points", 16, 16)
    assert planned["tokens"].item() > 0
    runs = runs_of(own)
    assert not runs.all("plane")
    assert not runs.unfinished("plane")


def test_what_is_there_is_not_planned(made: Location) -> None:
    planned = planned_plane(tiny_study(), TRIO, made, Silent(), EDGE)
    assert planned.select("to_do", "tokens").row(0) == (0, 0)


@pytest.mark.parametrize(
    ("names", "said"),
    [
        (("seed-0", "seed-1"), r"three models; 2 were named\nName three"),
        (("seed-0", "seed-1", "seed-0"), r"seed-0 is named twice"),
        (("seed-0", "seed-1", "sed-2"), r"no model 'sed-2'\nDid you mean seed-2\?"),
        (("seed-0", "seed-1", "other"), r"no model 'other'\nIt has seed-0, seed-1"),
    ],
)
def test_models_that_make_no_plane_are_refused(
    made: Location, names: tuple[str, ...], said: str
) -> None:
    with pytest.raises(InputError, match=said):
        measure(made, names)


def test_a_data_set_that_the_study_has_not_is_refused(made: Location) -> None:
    with pytest.raises(InputError, match=r"no set 'validatoin'\nDid you mean validation\?"):
        measure(made, datasets=["validatoin"])


@pytest.mark.full
def test_registered_models_have_the_plane_of_the_finetuned_ones(
    made: Location, home_with_base: Location, tmp_path: Path
) -> None:
    for run in runs_of(made).all("model"):
        folder = local_folder(run.artifact_uri)
        assert folder is not None
        shutil.copytree(folder / "model", tmp_path / run.name)
    study = tiny_study(finetune={"seeds": []})
    folders = [str(tmp_path / name) for name in TRIO]
    register_models(study, folders, home_with_base, Silent(), Options())
    plane_step(study, TRIO, home_with_base, Silent(), EDGE)
    theirs = lmc_track.open(made.home).query("plane").drop("plane_id")
    assert_frame_equal(ingested(home_with_base).query("plane").drop("plane_id"), theirs)


def test_imported_models_have_no_weights(tmp_path: Path, home: Location) -> None:
    file = tmp_path / "scores.csv"
    file.write_text("model,validation\n0,0.8\n1,0.7\n2,0.9\n")
    names = model_names(r"\d+", "seed-{}")
    import_scores("other", read_scores(file, names), home, Silent(), StudyWords())
    with pytest.raises(InputError, match=r"was imported: only its results are known.*\n.*register"):
        check_models("other", TRIO, home)


def test_models_with_the_same_weights_are_named(made: Location) -> None:
    plan = plan_on_record(tiny_study(), made, Silent())
    record = find_recorded("tiny", made)
    work = plane_work(plan, record, record.facts.models[:3], EDGE)
    a, b, _ = work.checkpoints
    framing = Framing(plan.encoded, EngineSettings(), plan.origin)
    with pytest.raises(InputError, match="seed-0 and seed-2 have the same weights"):
        framing(replace(work, checkpoints=(a, b, a)), lambda: None)
