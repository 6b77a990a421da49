from __future__ import annotations

import random
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file
from transformers import AutoModelForSequenceClassification, AutoTokenizer

from lmc_track.errors import WorkError
from lmc_track.models.checkpoints import weights_digest
from lmc_track.models.finetuning import TrainingLog, finetune
from lmc_track.models.recipe import total_steps
from lmc_track.study.sections import FinetuneSection
from lmc_track.study.seeds import ModelSeeds
from lmc_track.tasks.dataset import Dataset, build_dataset
from support.tiny_models import WORDS, tiny_base

LABELS = ("unacceptable", "acceptable")
STEPS = 4
MANY_WORDS = tuple(f"word{k}" for k in range(24))
FILES_OF_A_MODEL = {"config.json", "model.safetensors", "tokenizer.json", "tokenizer_config.json"}


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A base with dropout, so that all sources of chance are at work."""
    folder: Path = tiny_base(tmp_path_factory.mktemp("base") / "base", dropout=0.1)
    return folder


@pytest.fixture(scope="module")
def still(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder: Path = tiny_base(tmp_path_factory.mktemp("still") / "base")
    return folder


@pytest.fixture(scope="module")
def train() -> Dataset:
    generator = np.random.default_rng(100)
    texts = [" ".join(generator.choice(WORDS, size=2 + k % 5)) for k in range(24)]
    return build_dataset(
        "train",
        "train",
        texts={"sentence": texts},
        labels=[k % 2 for k in range(24)],
        source="here",
    )


@pytest.fixture(scope="module")
def base_of_many_words(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder: Path = tiny_base(tmp_path_factory.mktemp("many") / "base", words=MANY_WORDS)
    return folder


@pytest.fixture(scope="module")
def finished(
    still: Path, train: Dataset, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Path, TrainingLog]:
    """A finetuned model, alone in its folder, and how its training went."""
    out = tmp_path_factory.mktemp("finished") / "a"
    return out, tuned(still, train, out)


def section(steps: int = STEPS, rate: float = 1e-2, **trainer: object) -> FinetuneSection:
    return FinetuneSection(
        max_steps=steps, learning_rate=rate, batch_size=8, trainer={"use_cpu": True, **trainer}
    )


def tuned(
    base: Path,
    train: Dataset,
    out: Path,
    *,
    head: int = 100,
    data: int = 100,
    how: FinetuneSection | None = None,
) -> TrainingLog:
    return finetune(base, LABELS, train, ModelSeeds(head, data), how or section(), out)


def difference(a: Path, b: Path) -> set[str]:
    """Names of the tensors that are not the same, to 1e-6, in the models ``a`` and ``b``."""
    one, other = (load_file(folder / "model.safetensors") for folder in (a, b))
    assert one.keys() == other.keys()
    return {name for name in one if not torch.allclose(one[name], other[name], atol=1e-6)}


def test_the_same_seeds_give_the_same_model_whatever_ran_before(
    base: Path, train: Dataset, tmp_path: Path
) -> None:
    tuned(base, train, tmp_path / "a")
    torch.manual_seed(7)
    random.seed(7)
    torch.rand(99)
    tuned(base, train, tmp_path / "between", head=101, data=102)
    tuned(base, train, tmp_path / "b")
    assert weights_digest(tmp_path / "a") == weights_digest(tmp_path / "b")


def test_a_small_model_does_not_depend_on_the_number_of_threads(
    still: Path, train: Dataset, tmp_path: Path
) -> None:
    before = torch.get_num_threads()
    try:
        for threads in (1, 2):
            torch.set_num_threads(threads)
            tuned(still, train, tmp_path / str(threads))
            assert torch.get_num_threads() == threads
    finally:
        torch.set_num_threads(before)
    assert weights_digest(tmp_path / "1") == weights_digest(tmp_path / "2")


@pytest.mark.parametrize(("head", "data"), [(101, 100), (100, 101)])
def test_another_seed_gives_another_model(
    base: Path, train: Dataset, tmp_path: Path, head: int, data: int
) -> None:
    tuned(base, train, tmp_path / "a")
    tuned(base, train, tmp_path / "b", head=head, data=data)
    assert difference(tmp_path / "a", tmp_path / "b")


def test_the_random_state_of_the_caller_is_left_alone(
    still: Path, train: Dataset, tmp_path: Path
) -> None:
    def drawn() -> tuple[float, ...]:
        return (torch.rand(1).item(), random.random(), float(np.random.rand()))

    torch.manual_seed(1), random.seed(1), np.random.seed(1)
    expected = drawn()
    torch.manual_seed(1), random.seed(1), np.random.seed(1)
    tuned(still, train, tmp_path / "a", how=section(1))
    assert drawn() == expected


def test_the_head_seed_changes_only_where_the_head_starts(
    still: Path, train: Dataset, tmp_path: Path
) -> None:
    at_rest = section(1, rate=1e-12)
    tuned(still, train, tmp_path / "a", head=100, how=at_rest)
    tuned(still, train, tmp_path / "b", head=101, how=at_rest)
    changed = difference(tmp_path / "a", tmp_path / "b")
    assert "classifier.weight" in changed
    # The pooler is of the head: a base pretrained by masked language modelling has none.
    assert all(name.startswith(("classifier.", "bert.pooler.")) for name in changed)


def test_the_data_seed_does_not_change_where_the_head_starts(
    still: Path, train: Dataset, tmp_path: Path
) -> None:
    at_rest = section(1, rate=1e-12)
    tuned(still, train, tmp_path / "a", data=100, how=at_rest)
    tuned(still, train, tmp_path / "b", data=101, how=at_rest)
    assert difference(tmp_path / "a", tmp_path / "b") == set()


def words_of_the_first_batch(base: Path, out: Path, head: int, data: int) -> set[str]:
    """Every example is a word of its own, so the embeddings that a step moves tell its batch."""
    examples = build_dataset(
        "train",
        "train",
        texts={"sentence": list(MANY_WORDS)},
        labels=[k % 2 for k in range(24)],
        source="here",
    )
    tuned(base, examples, out, head=head, data=data, how=section(1))
    name = "bert.embeddings.word_embeddings.weight"
    before, after = (load_file(folder / "model.safetensors")[name] for folder in (base, out))
    moved = (before != after).any(dim=1).nonzero().flatten().tolist()
    return set(AutoTokenizer.from_pretrained(base).convert_ids_to_tokens(moved)) & {*MANY_WORDS}


def test_the_order_of_the_data_follows_the_data_seed_alone(
    base_of_many_words: Path, tmp_path: Path
) -> None:
    first, other_head, other_data = (
        words_of_the_first_batch(base_of_many_words, tmp_path / f"{head}-{data}", head, data)
        for head, data in ((100, 100), (101, 100), (100, 101))
    )
    assert first == other_head != other_data
    assert len(first) == 8


def test_saved_model_has_its_label_names(finished: tuple[Path, TrainingLog]) -> None:
    config = AutoModelForSequenceClassification.from_pretrained(finished[0]).config
    assert config.id2label == dict(enumerate(LABELS))
    assert config.label2id == {"unacceptable": 0, "acceptable": 1}


def test_saved_model_has_its_tokenizer(finished: tuple[Path, TrainingLog], still: Path) -> None:
    ours, theirs = (AutoTokenizer.from_pretrained(folder) for folder in (finished[0], still))
    assert ours("the cat sleeps")["input_ids"] == theirs("the cat sleeps")["input_ids"]


def test_only_safetensors_configuration_and_tokenizer_are_saved(
    finished: tuple[Path, TrainingLog],
) -> None:
    assert {file.name for file in finished[0].iterdir()} == FILES_OF_A_MODEL
    assert list(finished[0].parent.iterdir()) == [finished[0]]


def test_a_model_that_is_there_is_not_overwritten(
    still: Path, train: Dataset, tmp_path: Path
) -> None:
    (tmp_path / "a").mkdir()
    with pytest.raises(FileExistsError):
        tuned(still, train, tmp_path / "a")


def test_the_training_curve_has_the_loss_of_every_step(
    finished: tuple[Path, TrainingLog],
) -> None:
    steps = finished[1].steps
    assert [step for step, _ in steps] == [1, 2, 3, 4]
    assert all({"loss", "learning_rate", "grad_norm"} == values.keys() for _, values in steps)


def test_training_lowers_the_loss(still: Path, tmp_path: Path) -> None:
    texts = ["the cat sleeps", "the cats sleeps"] * 12
    easy = build_dataset(
        "train", "train", texts={"sentence": texts}, labels=[1, 0] * 12, source="here"
    )
    log = tuned(still, easy, tmp_path / "a", how=section(10, rate=0.02))
    assert log.steps[-1][1]["loss"] < log.steps[0][1]["loss"] / 2


def test_divergence_names_the_seed_and_leaves_nothing(
    still: Path, train: Dataset, tmp_path: Path
) -> None:
    with pytest.raises(WorkError, match=r"seed-123 diverged(.|\n)*learning_rate"):
        tuned(still, train, tmp_path / "out" / "a", head=123, data=123, how=section(10, rate=1e30))
    assert list((tmp_path / "out").iterdir()) == []


def test_training_is_silent(
    still: Path, train: Dataset, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    tuned(still, train, tmp_path / "a", how=section(1))
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize(
    ("examples", "settings"),
    [
        (24, {"max_steps": 3}),
        (20, {"epochs": 2}),
        (20, {"epochs": 0.4}),
        (24, {"epochs": 1, "trainer": {"gradient_accumulation_steps": 2}}),
        (20, {"epochs": 2, "trainer": {"dataloader_drop_last": True}}),
    ],
    ids=str,
)
def test_every_step_is_told_and_was_counted_before(
    still: Path, train: Dataset, tmp_path: Path, examples: int, settings: dict[str, object]
) -> None:
    how = FinetuneSection.model_validate({"batch_size": 8, **settings})
    some = Dataset("train", "train", train.frame[:examples], train.text_columns, "here")
    told: list[int] = []
    finetune(still, LABELS, some, ModelSeeds(100, 100), how, tmp_path / "a", lambda: told.append(1))
    assert len(told) == total_steps(examples, how)
