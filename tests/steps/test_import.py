"""Imported results on record: whole, once, in our direction, beside what was there."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from lmc_track.errors import InputError
from lmc_track.geometry.curves import convexity_gap
from lmc_track.importers.evaluation_logs import read_evaluation_logs
from lmc_track.importers.interpolation_logs import read_interpolation_logs
from lmc_track.importers.memberships import read_memberships
from lmc_track.importers.naming import ModelNames, model_names
from lmc_track.importers.scores import read_scores
from lmc_track.importers.subset_tables import read_subsets
from lmc_track.progress import Silent
from lmc_track.steps.import_clusters import ImportedClusters, import_clusters
from lmc_track.steps.import_evaluations import ImportedEvaluations, import_evaluations
from lmc_track.steps.import_interpolations import ImportedPaths, import_interpolations
from lmc_track.steps.import_scores import ImportedScores, import_scores
from lmc_track.steps.import_study import StudyWords
from lmc_track.steps.ingest import ingest
from lmc_track.steps.recording import recorded_study
from lmc_track.steps.run import cluster_step
from lmc_track.tracking.location import Location
from lmc_track.tracking.store import Store
from lmc_track.tracking.studies import study_names
from lmc_track.warehouse.results import Results, open_results
from support.published_logs import bump, evaluation_log, pair_log, write_json, write_logs
from support.studies import measured, runs_of

SEEDS = model_names(r"\d+", "seed-{}")
MODELS = ["0", "1", "2", "10"]
YES_NO = {"no": 0, "yes": 1}


def scores(home: Location, folder: Path, text: str, **words: str) -> ImportedScores:
    file = folder / "scores.csv"
    file.write_text(text)
    return import_scores("other", read_scores(file, SEEDS), home, Silent(), StudyWords(**words))


def clusters(home: Location, folder: Path, content: Any) -> ImportedClusters:
    told = read_memberships(write_json(folder / "clusters.json", content), SEEDS)
    return import_clusters("other", told, home, Silent())


def paths(home: Location, folder: Path, names: ModelNames = SEEDS, **options: Any) -> ImportedPaths:
    logs = read_interpolation_logs(folder)
    return import_interpolations("other", logs, names, home, Silent(), **options)


def evaluations(home: Location, folder: Path, dataset: str = "probe") -> ImportedEvaluations:
    logs = read_evaluation_logs([folder], SEEDS)
    return import_evaluations("other", logs, dataset, home, Silent())


def results(home: Location) -> Results:
    ingest(home, Silent())
    return open_results(home.results_path)


def evaluation_logs(folder: Path, right: dict[str, float]) -> Path:
    """A log a model, of 40 examples of which it has ``right`` of 1 right."""
    for name, share in right.items():
        samples = [
            (f"[CLS] text {k} [SEP] of {k} [SEP]", k % 2, told if k % 2 == 0 else told[::-1])
            for k in range(40)
            for told in ([[0.9, 0.1]] if k < 40 * share else [[0.2, 0.8]])
        ]
        write_json(folder / f"{name}.json", evaluation_log(YES_NO, samples))
    return folder


SCORES = "run,validation,hans,hans:ln_a\n0,.8,.6,.5\n1,.9,.5,.25\n2,.7,.5,.125\n"


def test_scores_are_values_of_all_examples(home: Location, tmp_path: Path) -> None:
    scores(home, tmp_path, SCORES)
    found = results(home).query("diagnostics", study="other")
    assert found.select("model", "dataset", "subset", "half", "value", "n_examples").rows()[:4] == [
        ("seed-0", "validation", "all", "all", 0.8, None),
        ("seed-1", "validation", "all", "all", 0.9, None),
        ("seed-2", "validation", "all", "all", 0.7, None),
        ("seed-0", "hans", "all", "all", 0.6, None),
    ]


def test_error_is_told_by_accuracy(home: Location, tmp_path: Path) -> None:
    scores(home, tmp_path, SCORES)
    found = results(home).query("diagnostics", study="other", metric="error", dataset="validation")
    assert found["value"].to_list() == pytest.approx([0.2, 0.1, 0.3])


def test_importing_again_changes_nothing(home: Location, tmp_path: Path) -> None:
    logs = write_logs(tmp_path / "logs", MODELS)
    answers = evaluation_logs(tmp_path / "answers", {"0": 0.5, "1": 1.0})

    def everything() -> None:
        paths(home, logs)
        scores(home, tmp_path, SCORES.replace("validation", "dev"))
        evaluations(home, answers)
        clusters(home, tmp_path, ["0"])

    everything()
    before = {run.run_id: (run.tags, run.metrics) for run in every_run(home)}
    everything()
    assert {run.run_id: (run.tags, run.metrics) for run in every_run(home)} == before


def every_run(home: Location) -> list[Any]:
    index = runs_of(home, "other")
    kinds = ("study", "model", "dataset", "path", "point", "clusters")
    return [run for kind in kinds for run in index.all(kind)]


def test_further_scores_are_added_to_the_same_models(home: Location, tmp_path: Path) -> None:
    scores(home, tmp_path, SCORES)
    assert scores(home, tmp_path, "run,hans:ln_b,hans:ln_a\n1,.75,.25\n").n_changed == 1
    found = results(home).query("diagnostics", study="other", dataset="hans").drop_nulls("value")
    assert found.filter(model="seed-1").select("subset", "value").rows() == [
        ("all", 0.5),
        ("ln_a", 0.25),
        ("ln_b", 0.75),
    ]


def test_another_score_is_refused_and_nothing_is_recorded(home: Location, tmp_path: Path) -> None:
    scores(home, tmp_path, SCORES)
    before = len(every_run(home))
    with pytest.raises(
        InputError, match=r"scores.csv, line 3: the accuracy of seed-1 on hans, ln_a"
    ):
        scores(home, tmp_path, "run,hans:ln_a\n7,.5\n1,.5\n")
    assert len(every_run(home)) == before


def test_a_refused_import_makes_no_study(home: Location, tmp_path: Path) -> None:
    logs = write_logs(tmp_path / "logs", ["0", "1"])
    (logs / "again.log").write_text(pair_log("1", "0", [0.4, 9, 9, 9, 0.4]))
    with pytest.raises(
        InputError,
        match=r"again.log, line 1: .* twice with different values \(first: .*0_1.log, line 1",
    ):
        paths(home, logs)
    assert study_names(Store(home)) == []


def test_a_published_clustering_is_compared_as_any_other(home: Location, tmp_path: Path) -> None:
    rows = "".join(f"{n},{0.8 + n / 100},{0.2 if n < 4 else 0.6 + n / 100}\n" for n in range(10))
    scores(home, tmp_path, "run,validation,hans\n" + rows, primary="hans:all:accuracy")
    found = clusters(home, tmp_path, [0, 1, 2, 3])
    assert (found.sizes, found.labels) == ((6, 4), ("others", "named"))
    rows_of = results(home).query("cluster_diagnostics", study="other")
    (row,) = rows_of.filter(dataset="hans", cluster=1).rows(named=True)
    assert (row["half"], row["n_models"], row["auc"], row["is_primary"]) == ("all", 4, 0.0, True)
    assert row["mean"] == pytest.approx(0.2)
    assert row["verdict"] == "differs"


def test_other_memberships_are_another_clustering(home: Location, tmp_path: Path) -> None:
    scores(home, tmp_path, SCORES)
    assert clusters(home, tmp_path, [0]).outcome.made
    assert not clusters(home, tmp_path, ["0"]).outcome.made
    assert clusters(home, tmp_path, [1]).outcome.made
    assert results(home).query("clusterings", study="other").height == 2


def test_memberships_of_models_that_are_not_there_are_refused(
    home: Location, tmp_path: Path
) -> None:
    scores(home, tmp_path, SCORES)
    with pytest.raises(
        InputError, match="no model 'seed-9'\nIts models are seed-0, seed-1, seed-2"
    ):
        clusters(home, tmp_path, [9])


def test_one_cluster_of_nothing_else_is_refused(home: Location, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="has no other models"):
        clusters(home, tmp_path, [1, 2])


def test_memberships_alone_make_a_study(home: Location, tmp_path: Path) -> None:
    clusters(home, tmp_path, {"1": "a", "2": "b", "3": "a"})
    found = results(home).query("models", study="other")
    assert found.select("name", "cluster").rows() == [("seed-1", 0), ("seed-2", 1), ("seed-3", 0)]


def test_alpha_is_the_share_of_model_b_whichever_the_log_names_first(
    home: Location, tmp_path: Path
) -> None:
    """An asymmetric curve: low near 0, high near 1, written from either end."""
    by_share_of_1 = {0.0: 0.4, 0.25: 0.5, 0.5: 0.6, 0.75: 1.2, 1.0: 0.8}
    from_1 = [by_share_of_1[share] for share in (1.0, 0.75, 0.5, 0.25, 0.0)]  # [0, 1] is model 1
    for order, log in (
        ("0 first", pair_log("0", "1", from_1)),
        ("1 first", pair_log("1", "0", from_1[::-1])),
    ):
        folder = tmp_path / order
        folder.mkdir()
        (folder / "out.log").write_text(log)
        logs = read_interpolation_logs(folder)
        import_interpolations(order.replace(" ", "-"), logs, SEEDS, home, Silent())
    for study in ("0-first", "1-first"):
        rows = results(home).query("curves", study=study).sort("alpha")
        assert set(rows["model_a"]) == {"seed-0"}
        assert dict(rows.select("alpha", "value").iter_rows()) == by_share_of_1
        pair = results(home).query("barrier_pairs", study=study).row(0, named=True)
        assert pair["convexity_gap"] == convexity_gap(
            list(by_share_of_1), list(by_share_of_1.values())
        )
        assert pair["l2_distance"] == 12.5


def test_study_order_is_that_of_numbers(home: Location, tmp_path: Path) -> None:
    paths(home, write_logs(tmp_path, ["10", "2", "1"]))
    assert results(home).query("models", study="other")["name"].to_list() == [
        "seed-1",
        "seed-2",
        "seed-10",
    ]


def test_a_missing_pair_is_reported_and_shown(home: Location, tmp_path: Path) -> None:
    found = paths(home, write_logs(tmp_path, MODELS, leave_out=[("1", "10")]))
    assert found.holes == (("seed-1", "seed-10"),)
    holes = results(home).query("holes", study="other")
    assert holes.select("kind", "model_a", "model_b").rows() == [("pair", "seed-1", "seed-10")]


def test_the_same_pair_twice_counts_once(home: Location, tmp_path: Path) -> None:
    write_logs(tmp_path, ["0", "1"])
    losses = [bump(0.3)("1", "0", k / 4) + 1e-4 for k in range(5)]
    (tmp_path / "again.log").write_text(pair_log("1", "0", losses))
    assert (paths(home, tmp_path).n_pairs, paths(home, tmp_path).n_repeated) == (1, 1)


def test_a_model_that_has_two_losses_is_refused(home: Location, tmp_path: Path) -> None:
    write_logs(tmp_path, ["0", "1", "2"], lambda a, b, alpha: 0.4 + (b == "2") * alpha * (a == "1"))
    with pytest.raises(
        InputError, match=r"1_2.log, line 1: the loss of seed-2 on validation is 1.4"
    ):
        paths(home, tmp_path)


def test_a_second_set_is_added_to_the_same_points(home: Location, tmp_path: Path) -> None:
    paths(home, write_logs(tmp_path / "mnli", MODELS))
    n = len(every_run(home))
    paths(home, write_logs(tmp_path / "hans", MODELS, bump(1.0), dataset="hans"))
    assert len(every_run(home)) == n + 1  # the data set's own
    curve = results(home).query("barrier_pairs", study="other", dataset="hans")
    assert curve["convexity_gap"].to_list() == pytest.approx([1.0] * 6)


def test_another_grid_is_refused(home: Location, tmp_path: Path) -> None:
    paths(home, write_logs(tmp_path / "a", ["0", "1"], n_points=5))
    with pytest.raises(InputError, match="have 4 points a path, the study 'other' 5 others"):
        paths(home, write_logs(tmp_path / "b", ["0", "2"], n_points=4))


def test_steps_are_models_of_their_own(home: Location, tmp_path: Path) -> None:
    for step in (100, 200):
        write_logs(tmp_path / f"x_interpol@{step}steps", ["0", "1"])
    found = paths(home, tmp_path)
    assert (found.n_models, found.holes) == (4, ())
    steps = {run.params["name"]: run.params["step"] for run in runs_of(home, "other").all("model")}
    assert steps == {
        "seed-0": "200",
        "seed-1": "200",
        "seed-0-step-100": "100",
        "seed-1-step-100": "100",
    }
    assert results(home).query("models", study="other")["name"].to_list() == ["seed-0", "seed-1"]
    assert results(home).query("step_summary", study="other")["step"].to_list() == [100, 200]


def test_a_later_step_than_that_of_the_model_itself_is_refused(
    home: Location, tmp_path: Path
) -> None:
    for step in (100, 200):
        write_logs(tmp_path / str(step) / f"x_interpol@{step}steps", ["0", "1"])
    paths(home, tmp_path / "100")
    with pytest.raises(InputError, match="'seed-0' is on record after step 100, before 200"):
        paths(home, tmp_path / "200")


def test_imported_gaps_are_clustered_by_what_needs_no_halves(
    home: Location, tmp_path: Path
) -> None:
    def loss(a: str, b: str, alpha: float) -> float:
        return bump(0.05 if (int(a) < 3) == (int(b) < 3) else 0.8)(a, b, alpha)

    paths(home, write_logs(tmp_path, [str(n) for n in range(6)], loss))
    results(home)
    study = recorded_study("other", home)
    outcomes = cluster_step(study, home, Silent())
    assert [(o.method, o.n_clusters) for o in outcomes] == [("juneja2023", 2)]
    table = open_results(home.results_path).query("cluster_table", study="other")
    assert table["n_models"].to_list() == [3, 3]
    assert table["mean_gap_within"].to_list() == pytest.approx([0.05, 0.05])


def test_evaluation_logs_have_halves_and_subsets(home: Location, tmp_path: Path) -> None:
    folder = evaluation_logs(tmp_path / "answers", {"0": 0.5, "1": 1.0})
    table = tmp_path / "probe.csv"
    table.write_text("a,b,kind\n" + "".join(f"Text {k}!,of {k},{k % 4}\n" for k in range(39)))
    found = import_evaluations(
        "other",
        read_evaluation_logs([folder], SEEDS),
        "probe",
        home,
        Silent(),
        subsets=read_subsets(table, ["a", "b"], ["kind"]),
    )
    assert (found.n_examples, found.n_outside) == (40, 1)
    rows = results(home).query("diagnostics", study="other", half="all")
    values = {(m, s): v for m, s, v in rows.select("model", "subset", "value").iter_rows()}
    assert values["seed-0", "all"] == 0.5
    assert values["seed-1", "2"] == 1.0
    halves = results(home).query("datasets", study="other").row(0, named=True)
    assert halves["n_discovery"] + halves["n_held_out"] == 40


def test_other_answers_on_the_same_set_are_refused(home: Location, tmp_path: Path) -> None:
    evaluations(home, evaluation_logs(tmp_path / "a", {"0": 0.5}))
    with pytest.raises(InputError, match=r"0.json: other predictions of seed-0 on probe"):
        evaluations(home, evaluation_logs(tmp_path / "b", {"0": 0.75}))


def test_labels_that_the_study_does_not_have_are_refused(home: Location, tmp_path: Path) -> None:
    evaluations(home, evaluation_logs(tmp_path / "a", {"0": 0.5}))
    content = evaluation_log({"no": 0, "maybe": 1}, [("[CLS] a [SEP]", 1, [0.5, 0.5])])
    write_json(tmp_path / "b" / "0.json", content)
    with pytest.raises(InputError, match=r"0.json: label_dict has the unknown labels maybe"):
        evaluations(home, tmp_path / "b", "other")


def test_values_and_examples_are_not_one_data_set(home: Location, tmp_path: Path) -> None:
    scores(home, tmp_path, SCORES)
    with pytest.raises(InputError, match="'hans' that holds other examples"):
        evaluations(home, evaluation_logs(tmp_path / "a", {"0": 0.5}), "hans")


def test_other_words_for_a_recorded_study_are_refused(home: Location, tmp_path: Path) -> None:
    scores(home, tmp_path, SCORES, task="mnli")
    with pytest.raises(InputError, match="--task 'qqp': the study 'other' is recorded with 'mnli'"):
        scores(home, tmp_path, SCORES, task="qqp")


@pytest.mark.parametrize("name", ["../x", "", "a b", "x" * 101, ".."])
def test_a_study_name_that_is_none_is_refused(home: Location, tmp_path: Path, name: str) -> None:
    file = tmp_path / "scores.csv"
    file.write_text(SCORES)
    with pytest.raises(InputError, match="is no name of a study"):
        import_scores(name, read_scores(file, SEEDS), home, Silent())


def test_scores_join_finetuned_models_by_name(
    copied: Callable[[], Location], tmp_path: Path
) -> None:
    home = copied()
    before = measured(home)
    file = tmp_path / "scores.csv"
    file.write_text("run,paws\n0,.5\n3,.75\n")
    import_scores("tiny", read_scores(file, SEEDS), home, Silent())
    found = results(home).query("diagnostics", study="tiny", dataset="paws")
    assert found.select("model", "half", "value").rows() == [
        ("seed-0", "all", 0.5),
        ("seed-1", "all", None),
        ("seed-2", "all", None),
        ("seed-3", "all", 0.75),
    ]
    main = results(home).query("diagnostics", study="tiny", dataset="main_only")
    assert set(main["half"]) == {"held-out"}
    after = measured(home)
    assert after["models"].equals(before["models"])
    assert_frame_equal(after["barriers"], before["barriers"], abs_tol=1e-12, rel_tol=1e-12)


def test_a_finetuned_study_gains_no_models(copied: Callable[[], Location], tmp_path: Path) -> None:
    file = tmp_path / "scores.csv"
    file.write_text("run,paws\n0,.5\n9,.75\n")
    with pytest.raises(InputError, match=r"line 3: the study 'tiny' has no model 'seed-9'"):
        import_scores("tiny", read_scores(file, SEEDS), copied(), Silent())


@pytest.fixture
def copied(finished: Location, tmp_path: Path) -> Callable[[], Location]:
    """A home that holds the finished tiny study and may be written to."""
    from support.stores import copied_home

    return lambda: copied_home(finished, tmp_path / "copied")


def test_an_imported_study_cannot_be_run(home: Location, tmp_path: Path) -> None:
    from lmc_track.steps.run import run_study

    scores(home, tmp_path, SCORES)
    with pytest.raises(InputError, match="holds imported results: there is nothing to finetune"):
        run_study(recorded_study("other", home), home, Silent())


def test_the_published_figures_come_out(home: Location) -> None:
    """12 against 88 models, computed here from the two published files themselves."""
    import csv
    import json
    import os
    import statistics

    from lmc_track.importers.presets import SCORE_PRESETS
    from lmc_track.importers.scores import column_rule

    folder = Path(os.environ.get("LMC_DATA_DIR", "nowhere")) / "feather"
    if not folder.is_dir():
        pytest.skip("LMC_DATA_DIR with feather/ is not set")
    preset = SCORE_PRESETS["feather"]
    table_file = folder / "berts_of_a_feather_accuracies_by_run.csv"
    table = read_scores(
        table_file,
        model_names(preset.match, preset.name),
        [column_rule(text) for text in preset.columns],
    )
    import_scores("feather", table, home, Silent(), StudyWords(primary=preset.primary))
    seeds = folder / "minority_seeds.json"
    told = read_memberships(seeds, model_names(None, preset.name), "mnli")
    assert import_clusters("feather", told, home, Silent()).sizes == (88, 12)
    frame = results(home).query("cluster_diagnostics", study="feather")
    (row,) = frame.filter(is_primary=True, cluster=1).rows(named=True)
    minority = set(json.loads(seeds.read_text())["mnli"])
    inside, outside = [], []
    with table_file.open(encoding="utf-8-sig", newline="") as file:
        for line in csv.DictReader(file):
            if line["Run"].startswith("Run "):
                side = inside if int(line["Run"][4:]) in minority else outside
                side.append(float(line["Lexical (nonent)"]))
    wins = sum((a > b) + (a == b) / 2 for a in inside for b in outside)
    assert row["mean"] == pytest.approx(statistics.mean(inside))
    assert row["mean_out"] == pytest.approx(statistics.mean(outside))
    assert row["auc"] == pytest.approx(wins / (12 * 88))
    assert frame.height == 2 * 38
    assert frame.filter(pl.col("reversed") & (pl.col("cluster") == 1)).height == 16


def test_an_interrupted_import_is_completed_by_the_next(
    home: Location, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from lmc_track.steps import import_scores as step

    record, calls = step.record_values, []

    def interrupted(*arguments: Any) -> bool:
        calls.append(arguments)
        if len(calls) == 2:
            raise KeyboardInterrupt
        return record(*arguments)

    monkeypatch.setattr(step, "record_values", interrupted)
    with pytest.raises(KeyboardInterrupt):
        scores(home, tmp_path, SCORES)
    scores(home, tmp_path, SCORES)
    index = runs_of(home, "other")
    assert len(index.all("model")) == 3
    assert index.unfinished("model") == []
    assert results(home).query("diagnostics", study="other")["value"].null_count() == 0


def test_results_of_a_model_that_is_only_planned_are_refused(
    copied: Callable[[], Location], tmp_path: Path
) -> None:
    home = copied()
    store = Store(home)
    (run,) = [r for r in runs_of(home).all("model") if r.params["name"] == "seed-3"]
    store.client.delete_run(run.run_id)
    file = tmp_path / "scores.csv"
    file.write_text("run,paws\n0,.5\n3,.75\n")
    with pytest.raises(
        InputError, match=r"line 3: the study 'tiny' has not made its model 'seed-3'"
    ):
        import_scores("tiny", read_scores(file, SEEDS), home, Silent())


def test_a_preset_only_speaks_where_the_user_and_the_study_are_silent(
    home: Location, tmp_path: Path
) -> None:
    file = tmp_path / "scores.csv"
    file.write_text(SCORES)
    table = read_scores(file, SEEDS)
    told = StudyWords("mnli", "bert", "hans:all:accuracy")
    import_scores("other", table, home, Silent(), StudyWords(task="qqp"), told)
    import_scores("other", table, home, Silent(), None, StudyWords("cola", "another"))
    row = results(home).query("study_summary", study="other").row(0, named=True)
    assert (row["task"], row["base"], row["primary_diagnostic"]) == (
        "qqp",
        "bert",
        "hans:all:accuracy",
    )
