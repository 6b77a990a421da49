"""The program's source has none of the calls by which data becomes code."""

from __future__ import annotations

import ast
from functools import cache
from pathlib import Path

import pytest

import lmc_track
import lmc_track.cli

SOURCES = sorted(
    file
    for package in (lmc_track, lmc_track.cli)
    for file in Path(str(package.__file__)).parent.rglob("*.py")
)
# Modules whose only use is to unpickle, and what they are imported as.
UNPICKLING = {"pickle", "cPickle", "dill", "cloudpickle", "joblib", "shelve", "marshal"}
CALLS = {
    "eval", "exec", "compile", "__import__", "read_pickle", "unpickle", "load_model", "pyfunc",
    "system", "popen", "spawnl", "load_module",
}  # fmt: skip
LOADS = {"torch.load", "np.load", "numpy.load", "yaml.load", "yaml.unsafe_load", "yaml.full_load"}


Call = tuple[int, str, dict[str, ast.expr]]


@cache
def nodes(file: Path) -> tuple[ast.AST, ...]:
    tree = ast.parse(file.read_text(encoding="utf-8"))
    kept = (ast.Call, ast.Import, ast.ImportFrom)
    return tuple(node for node in ast.walk(tree) if isinstance(node, kept))


@cache
def calls(file: Path) -> tuple[Call, ...]:
    """(line, dotted name, keywords) of every call."""
    return tuple(
        (node.lineno, dotted(node.func), {k.arg: k.value for k in node.keywords if k.arg})
        for node in nodes(file)
        if isinstance(node, ast.Call)
    )


def dotted(function: ast.expr) -> str:
    """``a.b.c``; of a call or an item only what follows it, after a dot."""
    if isinstance(function, ast.Attribute):
        return f"{dotted(function.value)}.{function.attr}"
    return function.id if isinstance(function, ast.Name) else ""


def is_constant(value: ast.expr | None, wanted: object) -> bool:
    return isinstance(value, ast.Constant) and value.value is wanted


def test_there_is_source_to_look_at() -> None:
    assert len(SOURCES) > 200


def test_nothing_unpickles_or_evaluates() -> None:
    found = []
    for file in SOURCES:
        for line, name, keywords in calls(file):
            last = name.rpartition(".")[2]
            # A frame's list.eval, a model's eval and a compiled pattern are none of these.
            bare = name in CALLS or (last in CALLS - {"eval", "compile"} and "." in name)
            unsafe = name in LOADS or is_constant(keywords.get("shell"), True)
            trusting = any(
                is_constant(keywords.get(word), True)
                for word in ("allow_pickle", "trust_remote_code")
            )
            untrusting = is_constant(keywords.get("use_safetensors"), False)
            if bare or unsafe or trusting or untrusting:
                found.append(f"{file}:{line}: {name}")
    assert found == []


def test_nothing_that_unpickles_is_imported() -> None:
    found = []
    for file in SOURCES:
        for node in nodes(file):
            names = []
            if isinstance(node, ast.Import):
                names = [alias.name for alias in node.names]
            elif isinstance(node, ast.ImportFrom):
                names = [node.module or ""]
            found += [f"{file}: {n}" for n in names if n.partition(".")[0] in UNPICKLING]
    assert found == []


@pytest.mark.parametrize(
    ("loader", "keyword"),
    [("from_pretrained", "trust_remote_code"), ("from_config", "trust_remote_code")],
)
def test_every_loader_says_that_no_code_comes_along(loader: str, keyword: str) -> None:
    found = [
        f"{file}:{line}"
        for file in SOURCES
        for line, name, keywords in calls(file)
        if name.endswith(f".{loader}") and not is_constant(keywords.get(keyword), False)
    ]
    assert found == []


def test_models_are_read_from_safetensors_alone() -> None:
    found = [
        f"{file}:{line}"
        for file in SOURCES
        for line, name, keywords in calls(file)
        if name.endswith("Classification.from_pretrained")
        and not is_constant(keywords.get("use_safetensors"), True)
    ]
    assert found == []


def test_text_reaches_the_terminal_through_one_place() -> None:
    here = Path(str(lmc_track.cli.__file__)).parent
    found = [
        f"{file.name}:{line}"
        for file in here.glob("*.py")
        for line, name, _ in calls(file)
        if name in ("click.echo", "print", "click.secho", "sys.stdout.write", "sys.stderr.write")
        and file.name not in ("terminal.py", "output.py")
    ]
    assert found == []
