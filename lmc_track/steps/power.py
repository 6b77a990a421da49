"""How many models a study needs: the power of the verdict, and what so many models take."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import polars as pl

from lmc_track.analysis.verdict.division import FEWEST_MODELS
from lmc_track.analysis.verdict.minority import PUBLISHED, Minority
from lmc_track.analysis.verdict.power import SIZES, TARGET, Power, needed, power, two_there
from lmc_track.analysis.verdict.published_power import (
    PUBLISHED_DRAWS,
    PUBLISHED_FOUND,
    published_need,
)
from lmc_track.errors import InputError
from lmc_track.execution import Placement
from lmc_track.progress import Progress, Silent
from lmc_track.steps.dry_run import StudyCosts, study_costs
from lmc_track.study import Study
from lmc_track.study.imported_section import ImportedTask
from lmc_track.tracking.location import Location
from lmc_track.warehouse.results import open_results

MODELS = (8, 16, 24, 32, 48)
"""The numbers of models that are looked at where none is named."""
_DRAWS_FOR_NEED = 40


def minority_of(
    study: Study | None,
    location: Location,
    progress: Progress,
    *,
    share: float | None = None,
    within: Sequence[float] = (),
    between: float | None = None,
) -> Minority:
    """The minority that is planned for: what is named, else what the study has, else as published.

    ``within``: one gap for both kinds of models, or that of the majority and of the minority.
    A study has gaps within and between where its clusters have been recorded and ingested;
    they are means of held-out gaps in the study's metric.

    Raises:
        InputError: a number is out of its range.
    """
    if len(within) > 2:
        raise InputError(
            f"--within gives {len(within)} gaps",
            "Give one, or two: that of the majority and that of the minority.",
        )
    chosen = PUBLISHED
    if study is not None and not (within and between is not None):
        chosen = _measured(study, location, progress) or chosen
    inside = (within[0], within[-1]) if within else chosen.within
    try:
        return replace(
            chosen,
            share=chosen.share if share is None else share,
            within=inside,
            between=chosen.between if between is None else between,
        )
    except ValueError as error:
        raise InputError(
            f"Nothing can be planned for this: {error}", "Correct --share, --within or --between."
        ) from None


def check_models(models: Sequence[int]) -> None:
    """Raise InputError where a number of ``models`` is too small to be divided."""
    if min(models) < FEWEST_MODELS:
        raise InputError(
            f"--models: {min(models)} models are never divided",
            f"Plan at least {FEWEST_MODELS} models.",
        )


def planned_power(
    minority: Minority,
    models: Sequence[int],
    draws: int,
    progress: Progress,
    costs: StudyCosts | None = None,
) -> pl.DataFrame:
    """One row for each number of ``models``, in rising order.

    ``two_of_minority`` is the probability that the minority has two models, ``power`` the share of
    ``draws`` simulated studies in which it is found, with its 95 % interval; ``hours`` and
    ``gigabytes`` (10^9) are there where ``costs`` are.

    Raises:
        InputError: as ``check_models``.
    """
    check_models(models)
    numbers = sorted(set(models))
    ready = {n: kept for n in numbers if (kept := _kept(n, minority, draws))}
    rows, to_do = [], (len(numbers) - len(ready)) * draws
    with (progress if to_do else Silent()).track("Simulating studies", to_do, "studies") as work:
        for n in numbers:
            found = ready.get(n) or power(n, minority, draws=draws, each=work.advance)
            rows.append((n, found.two, found.power, *found.interval))
    columns = ["models", "two_of_minority", "power", "power_low", "power_high"]
    frame = pl.DataFrame(rows, schema=columns, orient="row")
    if costs is None:
        return frame
    return frame.with_columns(
        hours=pl.Series([costs.seconds(n) / 3600 for n in numbers], dtype=pl.Float64),
        gigabytes=pl.Series([costs.bytes(n) / 1e9 for n in numbers], dtype=pl.Float64),
    )


def need_sentence(minority: Minority, progress: Progress) -> str:
    """The number of models that find ``minority`` with a power of ``TARGET``, in a sentence."""
    if minority == PUBLISHED:
        number, most = published_need(TARGET), max(PUBLISHED_FOUND)
    else:
        most = max(SIZES)
        # A bisection; how many sizes it looks at, and how soon it is sure, is not known before.
        tries = len(SIZES).bit_length()
        with progress.track("Finding the number", tries * _DRAWS_FOR_NEED, "studies") as work:
            number = needed(minority, draws=_DRAWS_FOR_NEED, each=work.advance)
    majority, few = minority.within
    kind = (
        f"a minority of {minority.share:.0%} with mean gaps of {majority:g} (majority) and {few:g} "
        f"(minority) within and {minority.between:g} between"
    )
    if number is None:
        return f"More than {most} models are needed to find {kind} in {TARGET:.0%} of studies."
    return f"About {number} models are needed to find {kind} in {TARGET:.0%} of studies."


def costs_of(study: Study, location: Location, progress: Progress) -> StudyCosts | None:
    """What models and paths of ``study`` take on this machine; None where nothing is computed."""
    if isinstance(study.task, ImportedTask):
        progress.note("Results made elsewhere: what a model takes is unknown.")
        return None
    return study_costs(study, location, progress, Placement())


def _kept(n_models: int, minority: Minority, draws: int) -> Power | None:
    """The same simulation as made before, where it is kept."""
    if minority != PUBLISHED or draws != PUBLISHED_DRAWS or n_models not in PUBLISHED_FOUND:
        return None
    return Power(n_models, two_there(n_models, minority.share), PUBLISHED_FOUND[n_models], draws)


def _measured(study: Study, location: Location, progress: Progress) -> Minority | None:
    """What ``study`` has so far; None where it has no clusters that differ."""
    try:
        summary = open_results(location.results_path, location.tracking_uri).query(
            "gap_summary", study=study.name, half="held-out", metric=study.cluster.metric
        )
    except InputError:
        return None  # nothing is ingested, or no clusters are recorded
    means = dict(summary.select("pairs", "mean").iter_rows())
    within, between = means.get("within"), means.get("between")
    if within is None or between is None or not 0 <= within < between:
        return None
    progress.note(f"Gaps of the study so far: {within:.3g} within clusters, {between:.3g} between.")
    return replace(PUBLISHED, within=(within, within), between=between)
