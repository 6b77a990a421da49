from __future__ import annotations

from typing import Any

import pytest

from lmc_track.errors import InputError
from lmc_track.models.recipe import check_trainer_options, recipe, recipe_digest
from lmc_track.study.sections import FinetuneSection


def section(**trainer: Any) -> FinetuneSection:
    return FinetuneSection(trainer=trainer)


def refused(**trainer: Any) -> str:
    with pytest.raises(InputError) as caught:
        check_trainer_options(section(**trainer))
    return caught.value.message


def test_defaults_are_left_out() -> None:
    assert recipe(FinetuneSection()) == {"schema": 1}


def test_a_default_that_is_written_out_is_left_out() -> None:
    written = FinetuneSection(epochs=3, learning_rate=2e-5, batch_size=32, precision="fp32")
    assert recipe(written) == {"schema": 1}


def test_what_differs_from_its_default_is_in_the_recipe() -> None:
    changed = FinetuneSection(max_steps=5, learning_rate=1e-3, batch_size=8, precision="bf16")
    assert recipe(changed) == {
        "schema": 1,
        "max_steps": 5,
        "learning_rate": 1e-3,
        "batch_size": 8,
        "precision": "bf16",
    }


@pytest.mark.parametrize(
    "seeds", [{"seeds": "100-107"}, {"head_seeds": "101", "data_seeds": "102,103"}]
)
def test_seeds_are_not_in_the_recipe(seeds: dict[str, str]) -> None:
    assert recipe(FinetuneSection(**seeds)) == recipe(FinetuneSection())


def test_trainer_settings_stand_under_their_own_names() -> None:
    assert recipe(section(weight_decay=0.01, adam_beta2=0.98))["trainer"] == {
        "adam_beta2": 0.98,
        "weight_decay": 0.01,
    }


@pytest.mark.parametrize(
    "trainer",
    [
        {"weight_decay": 0.0},
        {"weight_decay": 0},
        {"lr_scheduler_type": "linear"},
        {"logging_steps": 7},
        {"dataloader_num_workers": 2},
    ],
)
def test_trainer_settings_that_make_no_other_model_are_left_out(trainer: dict[str, Any]) -> None:
    assert recipe(section(**trainer)) == {"schema": 1}


def test_a_whole_number_and_its_fraction_are_one_setting() -> None:
    assert recipe_digest(recipe(section(weight_decay=1))) == recipe_digest(
        recipe(section(weight_decay=1.0))
    )


def test_the_digest_does_not_depend_on_the_order_of_keys() -> None:
    assert recipe_digest({"a": 1, "b": 2}) == recipe_digest({"b": 2, "a": 1})


def test_another_recipe_has_another_digest() -> None:
    recipes = [recipe(FinetuneSection(learning_rate=rate)) for rate in (1e-4, 2e-4)]
    assert recipe_digest(recipes[0]) != recipe_digest(recipes[1])


def test_settings_of_the_trainer_are_accepted() -> None:
    check_trainer_options(
        section(weight_decay=0.01, warmup_steps=0.1, lr_scheduler_type="cosine", use_cpu=True)
    )


def test_an_unknown_setting_names_the_nearest() -> None:
    assert "did you mean 'weight_decay'?" in refused(weight_decy=0.1)


def test_the_former_name_of_the_warm_up_is_explained() -> None:
    assert "now called warmup_steps" in refused(warmup_ratio=0.1)


@pytest.mark.parametrize("name", ["disable_tqdm", "save_steps"])
def test_what_the_program_decides_is_refused(name: str) -> None:
    assert f"finetune.trainer.{name}: decided by the program" in refused(**{name: 1})


@pytest.mark.parametrize("value", ["high", True, [1]])
def test_a_value_of_another_kind_is_refused(value: object) -> None:
    assert "finetune.trainer.weight_decay: must be a number" in refused(weight_decay=value)


def test_an_unknown_choice_lists_the_known_ones() -> None:
    said = refused(lr_scheduler_type="liner")
    assert "must be one of linear, cosine" in said


def test_every_problem_is_told_at_once() -> None:
    assert len(refused(weight_decy=1, adam_beta1="x", save_steps=1).splitlines()) == 3
