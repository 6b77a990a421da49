"""Keys say what a run is, so that finished work is found again and never repeated."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any


def digest(content: Any) -> str:
    """SHA-256 (hex) of ``content`` as canonical JSON; floats by their shortest exact form."""
    text = json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=True)
    return hashlib.sha256(text.encode()).hexdigest()


def _key(kind: str, content: Mapping[str, Any]) -> str:
    return f"{kind}-{digest(content)[:40]}"


def study_key(name: str) -> str:
    return _key("study", {"name": name})


def dataset_key(name: str, data_digest: str) -> str:
    return _key("dataset", {"name": name, "data": data_digest})


def model_key(
    recipe_digest: str, head: int, data: int, base_digest: str, train_digest: str, step: int | None
) -> str:
    """A finetuned model: how, from what, on what, with which seeds, after which step."""
    return _key(
        "finetuned",
        {
            "recipe": recipe_digest,
            "head": head,
            "data": data,
            "base": base_digest,
            "train": train_digest,
            "step": step,
        },
    )


def registered_key(weights_digest: str) -> str:
    """A model that was finetuned elsewhere: its weights, whoever has them."""
    return _key("registered", {"weights": weights_digest})


def imported_model_key(name: str, step: int | None) -> str:
    """A model known by its results alone: by its name, after which step."""
    return _key("imported", {"source": "imported", "name": name, "step": step})


def values_digest(dataset: str, what: str) -> str:
    """What stands for the digest of an evaluation set of which only values are known.

    ``what`` keeps apart sets of one name that were taken from different kinds of results.
    """
    return digest({"values": what, "dataset": dataset})


def path_key(key_a: str, key_b: str, precision: str, modules: str = "all") -> str:
    return _key("path", {"a": key_a, "b": key_b, "precision": precision, "modules": modules})


@lru_cache(maxsize=4096)  # a path asks for each of its points many times
def point_key(path: str, alpha: float) -> str:
    return _key("point", {"path": path, "alpha": alpha.hex()})


def plane_key(keys: Sequence[str], precision: str, grid: int, margin: float) -> str:
    """The plane through the models with these ``keys``, in study order, and its grid."""
    return _key(
        "plane", {"models": list(keys), "precision": precision, "grid": grid, "margin": margin}
    )


def clusters_key(
    method: str,
    settings: Mapping[str, Any],
    model_keys: Sequence[str],
    matrices: Sequence[Sequence[Sequence[float]]],
    version: int = 1,
) -> str:
    """A clustering: method, settings, models and gaps (to a millionth of a nat).

    ``version`` is that of the method: another one may say more, or else, of the same gaps. Single
    examples' losses are not in the key: the gaps of both halves are made of them.
    """
    gaps = [[[f"{value:.6f}" for value in row] for row in matrix] for matrix in matrices]
    content = {
        "method": method,
        "settings": dict(settings),
        "models": list(model_keys),
        "gaps": gaps,
    }
    # The first version's keys are on record without it.
    return _key("clusters", content if version == 1 else {**content, "version": version})


def report_key(page_digest: str) -> str:
    return _key("report", {"page": page_digest})
