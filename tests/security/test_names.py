"""Names become folders, files and tags; none leads out of its place."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from lmc_track.errors import InputError, WorkError
from lmc_track.models.checkpoints import stored_tensors
from lmc_track.models.sources import FoundCheckpoint, Source
from lmc_track.names import fitting_name, is_name, safe_name
from lmc_track.steps.register import Options, _names
from lmc_track.study import build_study
from lmc_track.tracking.artifacts import Artifacts
from lmc_track.tracking.location import Location
from lmc_track.tracking.store import Store
from lmc_track.warehouse.own_queries import own_queries
from support.programs import Lmc
from support.stores import empty_home
from support.tiny_models import tiny_classifiers

ODD = (
    "", ".", "..", "...", "../x", "/etc/passwd", "a/b", "a\\b", "..\\x", "C:\\x", "a\0b", "a\nb",
    "a\n", "\n", " a", "a ", "a b", "x" * 101, "x" * 10_000, "é", "ａ", "a\u200bb", "a\u202eb",
    "\u2025",    "․․", "a;b", "a|b", "$(x)", "`x`", "%2e%2e", "a:b", "~", "*", "'", '"', "<b>",
    "\x1b[31m", "\ud800",
)  # fmt: skip


@pytest.mark.parametrize("text", ODD)
def test_no_odd_text_is_a_name(text: str) -> None:
    assert not is_name(text)
    with pytest.raises(InputError, match=r"study\.name"):
        build_study({"study": {"name": text}})


@pytest.mark.parametrize("text", [*ODD, "-rf", "--home", "CON", "nul.txt", ".hidden", "a.", "a"])
def test_every_text_becomes_a_name_that_stays_in_its_folder(text: str, tmp_path: Path) -> None:
    name = fitting_name(text)
    assert is_name(name)
    (tmp_path / name).mkdir()
    assert (tmp_path / name).resolve().parent == tmp_path.resolve()
    assert "/" not in safe_name(text)


@pytest.mark.full
def test_a_study_is_not_taken_for_an_option_of_another_program(lmc: Lmc, tmp_path: Path) -> None:
    location = empty_home(tmp_path / "home")
    for name in ("../x", "x" * 5_000, "\x1b[31mred", "$(touch x)", "' OR 1=1 --", "a`b"):
        done = lmc("report", "--home", str(location.home), "--", name)
        assert done.code == 2, done.printed
        assert "\x1b" not in done.printed


@pytest.mark.parametrize("name", [text for text in ODD if text and "\0" not in text])
def test_a_model_is_not_registered_under_an_odd_name(tmp_path: Path, name: str) -> None:
    found = FoundCheckpoint(Source("a", None), tmp_path)
    facts = _Models()
    with pytest.raises(InputError, match="--name"):
        _names({"key": found}, facts, facts, Options(name=name))  # type: ignore[arg-type]


class _Models:
    models = ()


# ---- what a store says ----

OUTSIDE = (
    "../secret", "predictions/../../secret", "/etc/passwd", "..", "", "a//b", "./a", "a/./b",
    "a\\..\\b", "a\0b", "a/",
)  # fmt: skip


@pytest.fixture
def artifacts(tmp_path: Path) -> Artifacts:
    return Artifacts(Store(empty_home(tmp_path / "home")))


@pytest.mark.parametrize("name", OUTSIDE)
@pytest.mark.parametrize("where", ["local", "server"])
def test_an_artifact_outside_of_its_run_is_refused(
    artifacts: Artifacts, tmp_path: Path, name: str, where: str
) -> None:
    root = tmp_path / "run"
    (root / "predictions").mkdir(parents=True)
    (tmp_path / "secret").write_text("secret")
    uri = root.as_uri() if where == "local" else "mlflow-artifacts:/0/run/artifacts"
    with pytest.raises(WorkError, match="no name within its artifacts"):
        artifacts.get("0" * 32, uri, name)


@pytest.mark.parametrize("run_id", ["../../x", "/etc", "..", "a\nb"])
def test_a_run_whose_id_is_a_path_is_refused(artifacts: Artifacts, run_id: str) -> None:
    with pytest.raises(WorkError, match="no name within"):
        artifacts.get(run_id, "mlflow-artifacts:/0/run/artifacts", "curve.json")


def test_an_artifact_in_its_run_is_found(artifacts: Artifacts, tmp_path: Path) -> None:
    file = tmp_path / "run" / "predictions" / "a.parquet"
    file.parent.mkdir(parents=True)
    file.touch()
    root = (tmp_path / "run").as_uri()
    assert artifacts.get("0" * 32, root, "predictions/a.parquet") == file


# ---- what lies in folders ----


@pytest.mark.parametrize("part", ["../other/model.safetensors", "/etc/passwd", "a/b"])
def test_parts_of_a_checkpoint_lie_beside_its_index(tmp_path: Path, part: str) -> None:
    (folder,) = tiny_classifiers(tmp_path, 1)
    (folder / "model.safetensors").unlink()
    index = {"weight_map": {"classifier.bias": part}}
    (folder / "model.safetensors.index.json").write_text(json.dumps(index))
    with pytest.raises(InputError, match="not beside it"):
        stored_tensors(folder)


def test_queries_with_odd_names_are_problems_and_not_run(tmp_path: Path) -> None:
    folder = tmp_path / "queries"
    folder.mkdir()
    odd = ["a b.sql", "-- x.sql", "é.sql", "a\nb.sql", "x" * 150 + ".sql", "\x1b[31m.sql"]
    for name in odd:
        (folder / name).write_text("-- name: a\n-- description: d\nSELECT 1\n")
    found = own_queries(tmp_path)
    assert not found.queries
    assert len(found.problems) == len(odd)


def test_links_in_a_folder_of_results_bring_nothing_in(lmc: Lmc, tmp_path: Path) -> None:
    """A link is read like a file: what it leads to must have the form, and is not shown."""
    location: Location = empty_home(tmp_path / "home")
    secret = tmp_path / "secret.txt"
    secret.write_text("hunter2-in-a-file\n" * 3)
    folder = tmp_path / "logs"
    folder.mkdir()
    (folder / "0_1.log").symlink_to(secret)
    (folder / "again").symlink_to(folder)
    for arguments in (
        ("interpolation-logs", str(folder)),
        ("scores", str(folder / "0_1.log")),
    ):
        done = lmc("import", *arguments, "--study", "own", "--home", str(location.home))
        assert done.code == 2
        assert "--study" not in done.err
        assert not list((location.home).rglob("artifacts/*"))
