"""How and where a study's models are computed: the engine's settings and the pool of processes."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from lmc_track.execution import Here, Placement, Pool, Processes, Tick, carry_out, worth_sharing
from lmc_track.geometry.batching import Batching
from lmc_track.geometry.calibration import calibrate
from lmc_track.geometry.devices import torch_device
from lmc_track.geometry.engine import EngineSettings
from lmc_track.models.checkpoints import weight_count
from lmc_track.models.threads import SMALL, threads_of_process
from lmc_track.progress import Progress
from lmc_track.steps.planning import Plan
from lmc_track.tracking.studies import StudyRecord
from lmc_track.tracking.tags import BATCHING_TAG


@dataclass(frozen=True)
class Computing:
    """The engine's ``settings``, and the ``cluster`` that was asked for (None: none was)."""

    settings: EngineSettings
    placement: Placement
    cluster: Pool | None

    def pool(self, weights: int, items: int, examples: int) -> Pool:
        """What ``items`` pieces of work on models of so many ``weights`` are computed by.

        ``examples`` counts what all of the work reads, as ``execution.worth_sharing`` does.
        """
        if self.cluster is not None:
            return self.cluster
        workers = worth_sharing(weights, items, examples)
        on_cpu = torch_device(self.placement.device).type == "cpu"
        return Processes(workers) if workers > 1 and on_cpu else Here()


@contextmanager
def computing_on(
    plan: Plan, record: StudyRecord, progress: Progress, placement: Placement
) -> Iterator[Computing]:
    """The means to compute ``plan``'s models as ``placement`` asks."""
    with _opened(placement) as cluster:
        if cluster is None:
            torch_device(placement.device)  # a device that is not here is said at once
        batching = _batching(plan, record, progress, placement, cluster)
        settings = EngineSettings(
            plan.precision, batching, placement.device, placement.threads_each
        )
        # Of a cluster's processes each sets its own.
        with threads_of_process(placement.threads_each if cluster is None else None):
            yield Computing(settings, placement, cluster)


def usual_settings(plan: Plan) -> EngineSettings:
    """Settings for a few evaluations on whatever device there is, without a calibration."""
    return EngineSettings(plan.precision, device="auto")


@contextmanager
def _opened(placement: Placement) -> Iterator[Pool | None]:
    if placement.workers is None and placement.scheduler is None:
        yield None
        return
    from lmc_track.execution.cluster import opened_cluster

    with opened_cluster(placement) as cluster:
        yield cluster


def typical_tokens(plan: Plan) -> int:
    """The length of the input that a token of the evaluation sets is in, on average."""
    lengths = np.concatenate([data.lengths for data in plan.encoded.values()]).astype(float)
    return max(1, round(float((lengths**2).sum() / lengths.sum())))


def known_batching(plan: Plan, tags: Mapping[str, str], placement: Placement) -> Batching | None:
    """How models are fed by the ``tags`` of the study's run; None where that is to be measured."""
    stored = tags.get(_tag(plan, placement))
    if stored is not None:
        return Batching(**json.loads(stored))
    if weight_count(plan.base) < SMALL:
        given = plan.study.evaluate.token_budget
        return Batching(token_budget=given) if given else Batching()
    return None


def _batching(
    plan: Plan,
    record: StudyRecord,
    progress: Progress,
    placement: Placement,
    cluster: Pool | None,
) -> Batching:
    """As stored with the study, so that work taken up again is done alike; else measured."""
    known = known_batching(plan, record.run.tags, placement)
    if known is not None:
        return known
    work = _Calibration(
        plan.base,
        plan.precision,
        placement.device,
        typical_tokens(plan),
        plan.study.evaluate.token_budget,
    )
    found: list[Batching] = []
    with progress.track("Calibrating batches", 1, "step") as bar:
        carry_out([0], work, lambda _, one: found.append(one), bar.advance, pool=cluster)
        bar.advance()
    tags = {_tag(plan, placement): json.dumps(asdict(found[0]), sort_keys=True)}
    record.recorder.log(record.run, tags=record.recorder.raised_revision(record.run) | tags)
    return found[0]


def _tag(plan: Plan, placement: Placement) -> str:
    # Where a cluster computes, its devices are not known here.
    device = placement.device.partition(":")[0]
    if device == "auto":
        device = torch_device("auto").type if placement.scheduler is None else "cluster"
    return f"{BATCHING_TAG}{plan.precision}.{device}"


@dataclass(frozen=True)
class _Calibration:
    base: Path
    precision: str
    device: str
    tokens: int
    given: int

    def __call__(self, _: int, tick: Tick) -> Batching:
        return calibrate(
            self.base,
            self.precision,
            self.device,
            self.tokens,
            (self.given,) if self.given else (),
        )
