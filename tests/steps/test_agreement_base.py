"""The agreement task on an encoder that the study names, read with that encoder's tokenizer."""

from __future__ import annotations

from pathlib import Path

import pytest

from lmc_track.progress import Silent
from lmc_track.steps.planning import Plan, plan_study
from lmc_track.steps.run import run_study
from lmc_track.study import Study, build_study
from lmc_track.tasks.agreement_language import vocabulary
from support.stores import empty_home
from support.studies import runs_of, tiny_content
from support.tiny_models import tiny_base


def study_of(base: Path) -> Study:
    content = tiny_content(model={"base": str(base)}, finetune={"seeds": "0-1"})
    for key in ("pretraining_sentences", "pretraining_steps"):
        del content["task"][key]
    return build_study(content)


@pytest.fixture(scope="module")
def encoder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_base(tmp_path_factory.mktemp("encoder"), words=vocabulary())


@pytest.fixture(scope="module")
def plan(encoder: Path, tmp_path_factory: pytest.TempPathFactory) -> Plan:
    return plan_study(study_of(encoder), empty_home(tmp_path_factory.mktemp("home")), Silent())


def test_the_named_encoder_is_finetuned_and_none_is_made(plan: Plan, encoder: Path) -> None:
    assert plan.origin == plan.base == encoder.resolve()
    assert plan.facts.base == str(encoder)
    assert not (plan.location.cache / "base").exists()


def test_its_own_tokenizer_reads_the_sentences(plan: Plan, tmp_path: Path) -> None:
    fewer = tiny_base(tmp_path / "fewer", words=vocabulary()[:10])
    other = plan_study(study_of(fewer), plan.location, Silent())
    assert other.datasets["validation"].digest == plan.datasets["validation"].digest
    assert other.encoded["validation"].digest != plan.encoded["validation"].digest


def test_a_study_on_a_named_encoder_runs(encoder: Path, tmp_path: Path) -> None:
    location = empty_home(tmp_path)
    run_study(study_of(encoder), location, Silent())
    assert len(runs_of(location).all("model")) == 2
