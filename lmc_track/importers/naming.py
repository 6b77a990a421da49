"""Which models a file speaks of, and what they are called here.

Knows patterns and names. It does not know files, nor which models are on record.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from lmc_track.errors import InputError
from lmc_track.names import fitting_name

ANYTHING = r".*\S.*"
_STEP = re.compile(r"@(\d{1,15})steps")


@dataclass(frozen=True)
class ModelNames:
    """``match`` says which texts are models; what its first group finds goes into ``template``.

    Without a group the whole text does. ``{}`` in the template is where it goes.
    """

    match: re.Pattern[str]
    template: str = "{}"

    def name(self, text: str) -> str | None:
        """The name of the model that ``text`` means; None where it means none."""
        found = self.match.fullmatch(text.strip())
        if found is None:
            return None
        inner = found[1] if self.match.groups else found[0]
        return fitting_name(self.template.replace("{}", (inner or "").strip()))


@dataclass(frozen=True)
class NamedModel:
    """A model as it is called here, ``original`` as the file calls it; ``where`` the file does."""

    name: str
    original: str
    where: str
    step: int | None = None


def model_names(match: str | None, template: str | None) -> ModelNames:
    """The names that ``--match`` and ``--name`` ask for.

    Raises:
        InputError: ``match`` is no regular expression, or ``template`` has no ``{}``.
    """
    try:
        pattern = re.compile(match or ANYTHING)
    except (re.error, OverflowError, RecursionError) as error:
        raise InputError(
            f"--match {match!r} is no regular expression: {error}", "For example: 'Run (\\d+)'"
        ) from None
    if template is not None and "{}" not in template:
        raise InputError(
            f"--name {template!r} has no {{}}: every model would have one name",
            "For example: 'feather_berts_{}'",
        )
    return ModelNames(pattern, template or "{}")


def check_distinct(models: Iterable[NamedModel]) -> None:
    """Refuse different texts that get the same name.

    Raises:
        InputError: two do; names both and where they stand.
    """
    seen: dict[tuple[str, int | None], NamedModel] = {}
    for model in models:
        other = seen.setdefault((model.name, model.step), model)
        if other.original != model.original:
            raise InputError(
                f"{model.where}: {model.original!r} and {other.original!r} ({other.where}) would "
                f"both be called {model.name!r}",
                "Tell them apart with --match and --name.",
            )


def step_in(path: Path) -> int | None:
    """The training step that a path tells, as in ``mnli_interpol@36813steps``; the last one."""
    found = _STEP.findall(str(path))
    return int(found[-1]) if found else None
