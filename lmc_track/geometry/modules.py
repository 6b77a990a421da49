"""Parts of a network by name, and which of its tensors each moves along a path.

A module is named as in the state dict, without the prefix of the base model: ``embeddings``,
``encoder.layer.3``, ``encoder.layer.3.attention``, ``pooler``, ``classifier``. Several are
joined by ``+`` and move together. ``all`` is the whole network.
"""

from __future__ import annotations

from collections.abc import Iterable

ALL = "all"


def canonical_modules(given: str, tensors: Iterable[str]) -> str:
    """``given`` in the one spelling that keys and tags use.

    Raises:
        ValueError: a part of it names no module of a network with these ``tensors``; the
            message lists what there is.
    """
    names = list(tensors)
    prefix = _prefix(names)
    parts = {part.strip().removeprefix(prefix) for part in given.split("+")}
    if parts == {ALL}:
        return ALL
    for part in sorted(parts):
        if not _moved(part, prefix, names):
            known = ", ".join(module_names(names))
            raise ValueError(f"there is no module {part!r}; there are {known}, and parts of them")
    return "+".join(sorted(parts))


def moving_tensors(modules: str, tensors: Iterable[str]) -> frozenset[str]:
    """Which of ``tensors`` belong to ``modules``, as spelled by ``canonical_modules``."""
    names = list(tensors)
    if modules == ALL:
        return frozenset(names)
    prefix = _prefix(names)
    return frozenset().union(*(_moved(part, prefix, names) for part in modules.split("+")))


def module_names(tensors: Iterable[str]) -> list[str]:
    """The largest parts that a network is made of, each layer one, in the order of ``tensors``."""
    names = list(tensors)
    prefix = _prefix(names)
    found: dict[str, None] = {}
    for name in names:
        parts = name.removeprefix(prefix).split(".")
        number = next((i for i, part in enumerate(parts) if part.isdigit()), 0)
        found[".".join(parts[: number + 1])] = None
    return list(found)


def _moved(module: str, prefix: str, names: list[str]) -> frozenset[str]:
    return frozenset(
        name
        for name in names
        if module and f"{name.removeprefix(prefix)}.".startswith(f"{module}.")
    )


def _prefix(names: list[str]) -> str:
    """What the base model's tensors start with, such as ``bert.``; empty where nothing is."""
    for name in names:
        first, dot, rest = name.partition(".")
        if dot and rest.startswith("embeddings."):
            return first + dot
    return ""
