"""Measuring one path: what can be done in any process, since it writes nothing."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from lmc_track.execution import Tick
from lmc_track.geometry.encoding import EncodedDataset
from lmc_track.geometry.engine import Engine, EngineSettings, shared_engine
from lmc_track.geometry.evaluation import Predictions
from lmc_track.steps.path_records import PathResult, PointResult
from lmc_track.steps.path_works import PathWork
from lmc_track.tracking.recorder import now


@dataclass(frozen=True)
class Measuring:
    """Measures paths with one engine, as long as others are not asked for."""

    encoded: dict[str, EncodedDataset]
    settings: EngineSettings
    base: Path | None

    def __call__(self, work: PathWork, tick: Tick) -> PathResult:
        engine = shared_engine(self.encoded, self.settings, self.base)
        ends = (work.checkpoint_a, work.checkpoint_b)
        started = now()
        result = PathResult(started)
        for alpha, predictions in self._points(engine, work):
            ended = now()
            result.points[alpha] = PointResult(predictions, started, ended)
            started = ended
            tick()
        for _ in range(work.most_points - len(result.points)):
            tick()
        if work.distances:
            result.l2_distance = engine.l2_distance(*ends, work.modules)
            result.cosine = engine.update_cosine(*ends, work.modules)
        return result

    def _points(
        self, engine: Engine, work: PathWork
    ) -> Iterator[tuple[float, dict[str, Predictions]]]:
        """What is needed, then where the gap is uncertain, one point after the other."""
        ends = (work.checkpoint_a, work.checkpoint_b)
        found: dict[float, float] = {}
        for alpha, predictions in engine.path_predictions(*ends, work.needed, work.modules):
            if "validation" in predictions:
                found[alpha] = predictions["validation"].mean_loss
            yield alpha, predictions
        added = 0
        while work.refinement is not None:
            further = work.refinement.next(found, added)
            if further is None:
                return
            wanted = {further: work.refinement.datasets}
            for alpha, predictions in engine.path_predictions(*ends, wanted, work.modules):
                found[alpha] = predictions["validation"].mean_loss
                yield alpha, predictions
            added += 1
