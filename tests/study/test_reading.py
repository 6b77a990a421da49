"""A study file says what is wrong with it, all at once, and how to mend it."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest

from lmc_track.errors import InputError
from lmc_track.study import build_study, read_study, restore_study
from lmc_track.study.reading import parse_study
from lmc_track.study.tabular_section import DiagnosticSection, TabularTask
from lmc_track.study.template import study_template

MINIMAL = {"study": {"name": "s"}, "task": {"name": "agreement"}}


def problems(content: dict[str, object], *overrides: str) -> str:
    with pytest.raises(InputError) as caught:
        build_study(content, overrides)
    return str(caught.value)


def test_everything_but_names_has_a_default() -> None:
    study = build_study({"study": {"name": "s"}})
    assert study == build_study(MINIMAL)
    assert study.interpolate.points == 11
    assert study.evaluate.precision == "fp32"


def test_every_problem_is_reported_at_once() -> None:
    text = problems(
        {
            "study": {"name": "a/b"},
            "task": {"name": "agreement", "violation_rate": 2},
            "finetune": {"seeds": "3,3", "learning_rat": 1e-4},
            "interpolate": {"alphas": [0, 0.6, 0.5, 1]},
        }
    )
    for key in (
        "study.name", "task.violation_rate", "finetune.seeds", "finetune.learning_rat",
        "interpolate.alphas",
    ):  # fmt: skip
        assert key in text
    assert "5 problems" in text


def test_an_unknown_key_names_the_nearest_known_one() -> None:
    text = problems({**MINIMAL, "finetune": {"learning_rat": 1e-4}})
    assert "did you mean 'learning_rate'?" in text


@pytest.mark.parametrize("key", ["permutations", "least_relative_gap"])
def test_a_setting_that_is_gone_is_refused_in_a_file_and_read_from_a_record(key: str) -> None:
    text = f'[study]\nname = "s"\n[cluster]\n{key} = 99\n'
    with pytest.raises(InputError, match=f"cluster.{key}, which is not a setting any more"):
        parse_study(text)
    with pytest.raises(InputError, match="not a setting any more"):
        parse_study('[study]\nname = "s"\n', [f"cluster.{key}=99"])
    content = {"study": {"name": "s"}, "cluster": {key: 99, "methods": ["spectral"]}}
    assert build_study(content).cluster.methods == ["verdict"]


@pytest.mark.parametrize(
    ("override", "word", "meant"),
    [
        ("finetun.epochs=2", "finetun", "finetune"),
        ("evaluate.sample=stratifed", "stratifed", "stratified"),
        ("evaluate.precision=FP32", "FP32", "fp32"),
        ('cluster.methods=["verdct"]', "verdct", "verdict"),
        ("study.preset=juneja2032", "juneja2032", "juneja2023"),
        ("task.name=colla", "colla", "cola"),
        ("cluster.primary_diagnostic=validation:all:acuracy", "acuracy", "accuracy"),
    ],
)
def test_a_misspelt_word_is_told_with_the_one_that_is_meant(
    override: str, word: str, meant: str
) -> None:
    text = problems(MINIMAL, override)
    assert "1 problem:" in text
    assert word in text
    assert f"did you mean {meant!r}?" in text


@pytest.mark.parametrize(
    ("override", "word"),
    [
        ('task.label_values={"0" = "negtive"}', "negtive"),
        ('task.validation.label_values={"0" = "negtive"}', "negtive"),
        (
            'task.diagnostics.d={file = "d.tsv", labels = {a = "negtive", b = "positive"}}',
            "negtive",
        ),
    ],
)
def test_a_misspelt_label_of_a_mapping_is_told_with_the_one_that_is_meant(
    override: str, word: str
) -> None:
    text = problems(tomllib.loads(study_template("mine", "tabular")), override)
    assert f"{word!r} is no label; did you mean 'negative'?" in text


def test_a_misspelt_label_in_the_order_of_logits_is_told_with_the_one_that_is_meant() -> None:
    task = {"name": "mnli", "labels": ["entailmnet", "neutral", "contradiction"]}
    text = problems({"study": {"name": "s"}, "task": task})
    assert "'entailmnet' is not one, did you mean 'entailment'?" in text


def test_an_unknown_task_lists_the_known_ones() -> None:
    text = problems({"study": {"name": "s"}, "task": {"name": "colla"}})
    assert "'colla'" in text
    assert "agreement, cola" in text


def test_seeds_given_twice_are_named() -> None:
    assert "given twice: 2" in problems({**MINIMAL, "finetune": {"seeds": "0-3,2"}})


@pytest.mark.parametrize("alphas", [[0, 1], [0, 0.5], [0.1, 0.5, 1], [0, 0.5, 0.5, 1], [0, 2, 1]])
def test_a_grid_that_does_not_increase_from_0_to_1_is_refused(alphas: list[float]) -> None:
    assert "increase from 0 to 1" in problems({**MINIMAL, "interpolate": {"alphas": alphas}})


@pytest.mark.parametrize("override", ["finetune.seeds=1.5", 'interpolate.pairs=[["a"]]'])
def test_a_value_of_no_allowed_form_is_one_problem_that_tells_the_forms(override: str) -> None:
    key = override.partition("=")[0]
    with pytest.raises(InputError, match=rf"1 problem:\n  {key}: .* does not fit\. .*list"):
        build_study(MINIMAL, [override])


def test_the_agreement_task_makes_its_base_model_unless_one_is_named() -> None:
    assert build_study(MINIMAL).makes_base
    assert not build_study({**MINIMAL, "model": {"base": "x"}}).makes_base
    assert not build_study({"study": {"name": "s"}, "task": {"name": "cola"}}).makes_base


def test_settings_of_a_base_model_that_is_not_made_are_refused() -> None:
    task = {"name": "agreement", "violation_rate": 0.2, "base_seed": 3}
    text = problems({**MINIMAL, "task": task, "model": {"base": "x"}})
    assert "1 problem:\n  task.violation_rate, task.base_seed: with model.base no base" in text


def test_a_resolved_study_with_a_base_model_of_its_own_can_be_read_again() -> None:
    study = build_study({**MINIMAL, "model": {"base": "x"}})
    assert restore_study(study.model_dump(mode="json")) == study


@pytest.mark.parametrize("share", [-0.1, 1, "half"])
def test_a_disambiguation_that_is_not_a_share_is_refused(share: object) -> None:
    task = {"name": "agreement", "disambiguation": share}
    assert "1 problem:\n  task.disambiguation: " in problems({**MINIMAL, "task": task})


def test_disambiguation_and_planted_share_together_are_refused() -> None:
    task = {"name": "agreement", "disambiguation": 0.1, "planted_share": 0.5}
    assert "1 problem:\n  task: disambiguation and planted_share both" in problems(
        {**MINIMAL, "task": task}
    )


def test_planted_levels_without_a_planted_share_are_refused() -> None:
    task = {"name": "agreement", "planted_levels": 8}
    assert "1 problem:\n  task: planted_levels says how" in problems({**MINIMAL, "task": task})


@pytest.mark.parametrize(
    ("section", "keys"),
    [
        ("finetune", {"epochs": 3, "max_steps": 300}),
        ("finetune", {"seeds": "0-7", "data_seeds": "0-3"}),
        ("interpolate", {"points": 11, "alphas": [0, 0.5, 1]}),
    ],
)
def test_a_given_default_and_what_replaces_it_are_refused(
    section: str, keys: dict[str, object]
) -> None:
    assert "not both" in problems({**MINIMAL, section: keys})


@pytest.mark.parametrize("epochs", [2, 3])
def test_steps_on_the_command_line_replace_epochs_of_the_file(epochs: int) -> None:
    content = {**MINIMAL, "finetune": {"epochs": epochs}}
    study = build_study(content, ["finetune.max_steps=300"])
    assert (study.finetune.max_steps, study.finetune.epochs) == (300, 3.0)


def test_what_was_replaced_on_the_command_line_may_come_back_there() -> None:
    recorded = build_study(
        {**MINIMAL, "finetune": {"max_steps": 5, "head_seeds": "0-1"}}
    ).model_dump(mode="json")
    study = restore_study(recorded, overrides=["finetune.epochs=2", "finetune.seeds=0-3"])
    assert (study.finetune.epochs, study.finetune.max_steps) == (2, None)
    assert (study.finetune.seeds, study.finetune.head_seeds) == ("0-3", None)


def test_epochs_and_steps_both_on_the_command_line_are_refused() -> None:
    assert "not both" in problems(MINIMAL, "finetune.max_steps=5", "finetune.epochs=3")


@pytest.mark.parametrize(
    ("seeds", "meant"),
    [
        (5, 'write "0-4" for 5 seeds, or [5] for the seed 5'),
        (1, 'write "0" for 1 seed, or [1] for the seed 1'),
        (0, "write [] for no seeds, or [0] for the seed 0"),
    ],
)
@pytest.mark.parametrize("key", ["seeds", "head_seeds", "data_seeds"])
def test_a_number_by_itself_may_be_a_seed_or_how_many(key: str, seeds: int, meant: str) -> None:
    assert meant in problems({**MINIMAL, "finetune": {key: seeds}})
    assert meant in problems(MINIMAL, f"finetune.{key}={seeds}")


def test_a_number_by_itself_on_record_is_the_seed_it_was() -> None:
    study = restore_study({**MINIMAL, "finetune": {"seeds": 5}})
    assert study.finetune.seeds == [5]


def test_seeds_and_head_seeds_together_are_refused() -> None:
    text = problems({**MINIMAL, "finetune": {"seeds": "0-3", "head_seeds": "0-3"}})
    assert "not both" in text


def test_trainer_settings_that_the_study_decides_are_refused() -> None:
    text = problems({**MINIMAL, "finetune": {"trainer": {"output_dir": "x"}}})
    assert "output_dir" in text


def test_an_override_replaces_a_value() -> None:
    study = build_study(MINIMAL, ["finetune.seeds=0-3", "interpolate.points=5", "study.name=t"])
    assert study.finetune.seeds == "0-3"
    assert study.interpolate.points == 5
    assert study.name == "t"


@pytest.mark.parametrize("override", ["points=5", "interpolate.points", "=3", "study.name.x=1"])
def test_an_override_of_another_form_is_refused(override: str) -> None:
    assert "--set" in problems(MINIMAL, override)


def test_the_published_preset_gives_defaults_that_the_file_may_change() -> None:
    preset = {"study": {"name": "s", "preset": "juneja2023"}, "task": {"name": "agreement"}}
    study = build_study(preset)
    assert study.interpolate.points == 10
    assert study.evaluate.max_examples == 512
    assert study.cluster.methods[0] == "juneja2023"
    assert build_study({**preset, "interpolate": {"points": 4}}).interpolate.points == 4


def test_a_missing_file_says_how_to_make_one(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="lmc-track init"):
        read_study(tmp_path / "absent.toml")


def test_malformed_toml_names_the_line(tmp_path: Path) -> None:
    path = tmp_path / "s.toml"
    path.write_text('[study]\nname = "s\n')
    with pytest.raises(InputError, match="line 2"):
        read_study(path)


def test_a_file_in_another_encoding_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "s.toml"
    path.write_bytes('[study]\nname = "\xe9"\n'.encode("latin-1"))
    with pytest.raises(InputError, match=r"s\.toml"):
        read_study(path)


@pytest.mark.parametrize("task", ["agreement", "cola", "mnli", "qqp"])
def test_the_template_is_a_valid_study(tmp_path: Path, task: str) -> None:
    path = tmp_path / "s.toml"
    path.write_text(study_template("mine", task))
    study = read_study(path)
    assert study.name == "mine"
    assert study == build_study({"study": {"name": "mine"}, "task": {"name": task}})


def test_the_template_of_an_own_task_is_a_valid_study(tmp_path: Path) -> None:
    path = tmp_path / "s.toml"
    path.write_text(study_template("mine", "tabular"))
    task = read_study(path).task
    assert isinstance(task, TabularTask)
    assert task.labels == ["negative", "positive"]
    assert task.train is not None


def test_every_key_of_an_own_set_is_in_the_template() -> None:
    text = study_template("mine", "tabular")
    for key in DiagnosticSection.model_fields:
        assert f"{key} = " in text


@pytest.mark.parametrize(
    ("name", "key", "value"), [("cola", "validation", "joined"), ("mnli", "hans", "juneja2023")]
)
def test_the_published_preset_decides_about_tasks_too(name: str, key: str, value: str) -> None:
    content = {"study": {"name": "s", "preset": "juneja2023"}, "task": {"name": name}}
    assert getattr(build_study(content).task, key) == value


@pytest.mark.parametrize(
    ("override", "said"),
    [
        ("task.train.file=3", "task.train.file: 3 does not fit. A file, or several"),
        ("task.diagnostics.d.where.x=1.5", "task.diagnostics.d.where: {'x': 1.5} does not fit."),
        ("task.train.tpye='tsv'", "task.train.tpye: unknown key; did you mean"),
    ],
)
def test_what_is_wrong_with_a_set_is_told_by_its_key_once(override: str, said: str) -> None:
    content = tomllib.loads(study_template("mine", "tabular"))
    content["task"]["diagnostics"] = {"d": {"file": "d.tsv"}}
    text = problems(content, override)
    assert said in text
    assert "1 problem:" in text


def test_every_commented_key_of_the_template_is_known(tmp_path: Path) -> None:
    lines = study_template("mine", "cola").splitlines()
    section, checked = "", 0
    for line in lines:
        if line.lstrip("# ").startswith("["):
            section = line.strip("# []")
        elif line.startswith("# ") and " = " in line and line[2].islower():
            key, value = line[2:].split(" = ", 1)
            if key.isidentifier() and section and key not in ("seeds", "points", "epochs"):
                build_study(
                    {"study": {"name": "s"}, "task": {"name": "cola"}}, [f"{section}.{key}={value}"]
                )
                checked += 1
    assert checked > 10


def test_a_resolved_study_reads_as_itself() -> None:
    study = build_study({**MINIMAL, "finetune": {"max_steps": 5, "head_seeds": "0-1"}})
    assert restore_study(study.model_dump(mode="json")) == study


def test_the_own_task_of_the_docs_is_a_valid_one() -> None:
    page = (Path(__file__).parents[2] / "docs" / "tasks.md").read_text(encoding="utf-8")
    text = page.partition("```toml\n")[2].partition("```")[0]
    task = build_study({"study": {"name": "s"}, **tomllib.loads(text)}).task
    assert isinstance(task, TabularTask)
    assert list(task.diagnostics) == ["hans"]


@pytest.mark.parametrize("key", ["interpolate.points", "interpolate.refine"])
def test_a_grid_finer_than_its_steps_is_refused_at_once(key: str) -> None:
    assert f"{key}: input should be less than or equal to 10001" in problems(
        MINIMAL, f"{key}=1000000000"
    )


def test_more_labels_than_any_classifier_has_are_refused_at_once(tmp_path: Path) -> None:
    task = {"name": "tabular", "labels": [str(n) for n in range(1_000_000)], "text": "t"}
    task |= {"label": "l", "validation": {"file": "v.csv"}}
    assert "task.labels: List should have at most 10000 items" in problems(
        {"study": {"name": "s"}, "task": task}
    )
    file = tmp_path / "large.toml"
    file.write_bytes(b"# " + b"x" * 8_000_000)
    with pytest.raises(InputError, match="has 8 MB, which no study file has"):
        read_study(file)


def test_a_key_of_many_parts_is_refused_in_few_words() -> None:
    parts = ".".join(["a"] * 20_000)
    text = problems(MINIMAL, f"{parts}=1")
    assert "the key has 20,000 parts" in text
    assert len(text) < 1_000


@pytest.mark.parametrize(
    "text",
    [
        ".".join(["a"] * 20_000) + " = 1",
        "[" + ".".join(["finetune"] * 5_000) + "]\nx = 1",
        "[finetune]\ntrainer = " + "{a = " * 60 + "1" + "}" * 60,
        "[finetune]\nseeds = " + "[" * 60 + "]" * 60,
    ],
    ids=["key", "section", "tables", "lists"],
)
def test_a_file_that_is_nested_deeper_than_any_setting_is_refused(text: str) -> None:
    with pytest.raises(InputError, match="nested more than 20 levels deep"):
        parse_study(text)


def test_a_value_that_is_nested_deeper_than_any_setting_is_refused() -> None:
    assert "nested more than 20 levels" in problems(
        MINIMAL, "finetune.seeds=" + "[" * 60 + "]" * 60
    )
