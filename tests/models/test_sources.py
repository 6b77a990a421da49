from __future__ import annotations

from pathlib import Path

import pytest

from lmc_track.errors import InputError
from lmc_track.models.sources import FoundCheckpoint, Source, expand, locate_checkpoint
from support.tiny_models import tiny_classifiers


def texts(*given: str) -> list[str]:
    return [source.text for source in expand(given)]


def test_a_range_is_one_source_a_number() -> None:
    assert expand(["runs/qqp-{8..10}"]) == [
        Source("runs/qqp-8", "8"), Source("runs/qqp-9", "9"), Source("runs/qqp-10", "10"),
    ]  # fmt: skip


def test_a_range_keeps_leading_zeros() -> None:
    assert texts("m{08..10}") == ["m08", "m09", "m10"]


def test_two_ranges_are_every_combination() -> None:
    assert expand(["a{0..1}/b{3..4}@r"])[1] == Source("a0/b4@r", "0-4")
    assert len(expand(["a{0..1}/b{3..4}"])) == 4


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (["m{3..1}"], "runs backwards"),
        (["m{0..99999}"], "more than 10,000"),
        (["m{0..1999}-{0..9}"], "more than 10,000"),
        (["m-1", "m-{0..2}"], "m-1 is named twice"),
        ([""], "empty"),
    ],
)
def test_a_source_that_cannot_be_meant_is_refused(given: list[str], message: str) -> None:
    with pytest.raises(InputError, match=message):
        expand(given)


@pytest.mark.parametrize("text", ["./none", "/srv/none", "../x", "a/b/c", "~/none"])
def test_an_absent_folder_is_told_as_one(tmp_path: Path, text: str) -> None:
    with pytest.raises(InputError, match="there is no folder"):
        locate_checkpoint(Source(text, None), None, tmp_path, {})


def test_a_model_of_the_hub_that_cannot_be_reached_is_told(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"no-such-owner/m@v1: .*hub cannot be reached"):
        locate_checkpoint(Source("no-such-owner/m@v1", None), None, tmp_path, {})


def test_a_model_of_the_hub_is_found_at_its_commit(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    commit = "0123456789abcdef0123456789abcdef01234567"
    repository = tmp_path / "hub" / "models--owner--m"
    (repository / "snapshots").mkdir(parents=True)
    tiny_classifiers(tmp_path, 1)[0].rename(repository / "snapshots" / commit)
    (repository / "refs").mkdir()
    (repository / "refs" / "v1").write_text(commit)
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    found = locate_checkpoint(Source("owner/m@v1", None), None, tmp_path, {})
    assert (found.repo, found.commit, found.last_part) == ("owner/m", commit, "m")
    assert found.origin == f"owner/m@{commit}"


def test_a_file_is_refused_with_its_folder(tmp_path: Path) -> None:
    folder = tiny_classifiers(tmp_path, 1)[0]
    with pytest.raises(InputError, match=r"is a file\nName the folder"):
        locate_checkpoint(Source(str(folder / "model.safetensors"), None), None, tmp_path, {})


@pytest.fixture
def runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Two runs of a Trainer with two checkpoints each, and what else lies among them."""
    for name in ("seed-2", "seed-10"):
        for step in (500, 1000):
            (tmp_path / "runs" / name / f"checkpoint-{step}").mkdir(parents=True)
        (tmp_path / "runs" / name / "logs").mkdir()
    (tmp_path / "runs" / "seed-2" / "checkpoint-best").mkdir()
    (tmp_path / "runs" / "seed-2" / "checkpoint-7").touch()
    monkeypatch.chdir(tmp_path)
    return tmp_path / "runs"


CHECKPOINTS = [
    f"runs/{name}/checkpoint-{step}" for name in ("seed-2", "seed-10") for step in (500, 1000)
]


def test_a_tree_of_runs_is_all_their_checkpoints_by_run_and_step(runs: Path) -> None:
    assert texts("runs") == CHECKPOINTS
    assert texts("runs/seed-10") == CHECKPOINTS[2:]
    assert texts(*CHECKPOINTS) == CHECKPOINTS  # as the shell expands a pattern


def test_a_pattern_is_the_folders_that_fit_it(runs: Path) -> None:
    assert texts("runs/*/checkpoint-*00") == CHECKPOINTS
    assert texts(f"{runs}/seed-2/checkpoint-5*") == [str(runs / "seed-2" / "checkpoint-500")]
    with pytest.raises(InputError, match=r"no folder fits the pattern runs/\*/model-\*"):
        expand(["runs/*/model-*"])


@pytest.mark.parametrize("text", ["~no-such-user/x", "x" * 5_000], ids=["user", "long"])
def test_what_no_folder_can_be_called_is_told(text: str) -> None:
    with pytest.raises(InputError, match="there is no folder"):
        expand([text])


def test_a_run_whose_end_is_a_model_is_that_model(runs: Path) -> None:
    (runs / "seed-2" / "config.json").write_text("{}")
    assert texts("runs/seed-2") == ["runs/seed-2"]


def test_a_checkpoint_knows_its_run_and_its_step(runs: Path) -> None:
    one = FoundCheckpoint(Source("x", None), runs / "seed-2" / "checkpoint-500")
    assert (one.parent, one.step) == ("seed-2", 500)
    (runs / "seed-2" / "trainer_state.json").write_text('{"global_step": 1200, "log_history": []}')
    assert FoundCheckpoint(Source("x", None), runs / "seed-2").step == 1200
    assert FoundCheckpoint(Source("x", None), runs).step is None
