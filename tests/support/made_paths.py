"""A study with made predictions, recorded as a real one is: through the steps' own functions.

No model is computed: what a path would have measured is drawn.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from hashlib import sha256
from itertools import combinations
from pathlib import Path

import numpy as np

from lmc_track.geometry.encoding import EncodedDataset
from lmc_track.geometry.evaluation import Predictions
from lmc_track.geometry.grid import common_grid, interior
from lmc_track.geometry.weights_cache import Checkpoint
from lmc_track.models.padding import Padding
from lmc_track.steps.path_records import PathResult, PointResult, record_path
from lmc_track.steps.path_works import PathWork
from lmc_track.steps.planning import Plan
from lmc_track.steps.recording import record_datasets, record_predictions
from lmc_track.study import Study, build_study
from lmc_track.tasks.agreement import Agreement
from lmc_track.tasks.dataset import Dataset, Role, build_dataset
from lmc_track.tracking.keys import model_key, path_key
from lmc_track.tracking.recorder import now
from lmc_track.tracking.runs import RunEntry
from lmc_track.tracking.store import Store
from lmc_track.tracking.studies import (
    RecordedDataset,
    RecordedModel,
    StudyFacts,
    StudyRecord,
    write_study,
)

DATASETS = ("validation", "main_only")


@dataclass(frozen=True)
class MadeStudy:
    """A study whose models are on record, with their predictions, and no path yet."""

    plan: Plan
    record: StudyRecord

    def works(self) -> Iterator[PathWork]:
        """Every pair of models, with all that a path lacks that is not on record."""
        models = self.plan.facts.models
        alphas = interior(self.plan.facts.alphas)
        names = list(self.plan.datasets)
        for a, b in combinations(models, 2):
            run_a, run_b = (self._run(model) for model in (a, b))
            here = Checkpoint(Path("nowhere"), "")
            key = path_key(a.key, b.key, self.plan.precision)
            needed = dict.fromkeys(alphas, names)
            yield PathWork(a, b, run_a, run_b, here, here, "all", key, needed, None, None)

    def result(self, work: PathWork) -> PathResult:
        """What measuring ``work`` gives, the same every time."""
        rng = np.random.default_rng([work.model_a.position, work.model_b.position])
        begun = now()
        points = {
            alpha: PointResult(_predictions(self.plan, rng), begun, begun + 1)
            for alpha in work.needed
        }
        return PathResult(begun, points, l2_distance=1.0, cosine=0.5)

    def put_on_record(self, measured: Sequence[tuple[PathWork, PathResult]]) -> None:
        """Record paths together, in one transaction where the store is a database."""
        with self.record.recorder.together():
            for work, result in measured:
                record_path(self.plan, self.record, work, result)

    def _run(self, model: RecordedModel) -> RunEntry:
        run = self.record.index.find("model", model.key)
        assert run is not None
        return run


def made_study(
    store: Store,
    name: str,
    *,
    models: int,
    points: int = 9,
    examples: int = 512,
    datasets: Sequence[str] = DATASETS,
) -> MadeStudy:
    """Record the study ``name`` and its models; a path has ``points`` points inside."""
    plan = _plan(store, name, models, points, examples, datasets)
    record = write_study(store, plan.facts)
    record_datasets(plan, record)
    rng = np.random.default_rng(0)
    with record.recorder.together():
        for model in plan.facts.models:
            run = record.recorder.start("model", model.key, model.name, "A made model.")
            digest = sha256(model.key.encode()).hexdigest()
            params = {"weights_digest": digest, "model": model.name, "source": "finetuned"}
            found = _predictions(plan, rng)
            record_predictions(plan, record, run, found, plan.precision, params=params)
            record.recorder.finish(run)
            record.index.add(run)
    return MadeStudy(plan, record)


def _plan(
    store: Store, name: str, models: int, points: int, examples: int, names: Sequence[str]
) -> Plan:
    study: Study = build_study(
        {
            "study": {"name": name},
            "task": {"name": "agreement"},
            "finetune": {"seeds": f"0-{models - 1}"},
            "evaluate": {"datasets": list(names)},
        }
    )
    datasets = {one: _dataset(one, examples) for one in names}
    encoded = {
        one: EncodedDataset(
            one,
            np.arange(examples),
            data.frame["label"].to_numpy(),
            {},
            Padding(0),
            sha256(f"{data.digest} made".encode()).hexdigest(),
        )
        for one, data in datasets.items()
    }
    task = Agreement(study.task)
    facts = StudyFacts(
        name=name,
        file=study.model_dump(mode="json"),
        identity={
            "task": {"name": "agreement"},
            "base_digest": "made",
            "training_data_digest": None,
            "finetune": None,
        },
        metric=task.metric,
        label_names=task.label_names,
        text_columns=task.text_columns,
        base="made",
        base_folder="",
        precision=study.evaluate.precision,
        primary_diagnostic=task.primary_diagnostic,
        primary_method=study.cluster.methods[0],
        alphas=common_grid(points + 2),
        models=_models(name, models),
        datasets=tuple(
            RecordedDataset(one, data.role, data.digest, encoded[one].digest)
            for one, data in datasets.items()
        ),
    )
    return Plan(study, store.location, task, Path(), None, datasets, encoded, facts, {})


def _models(name: str, models: int) -> Sequence[RecordedModel]:
    return tuple(
        RecordedModel(
            f"seed-{seed}", seed, seed, seed, model_key("made", seed, seed, name, "made", None)
        )
        for seed in range(models)
    )


def _dataset(name: str, examples: int) -> Dataset:
    labels = [n % 2 for n in range(examples)]
    texts = {"sentence": [f"{name} sentence {n}" for n in range(examples)]}
    roles: dict[str, Role] = {"validation": "validation", "train_sample": "train_sample"}
    role = roles.get(name, "diagnostic")
    return build_dataset(name, role, texts=texts, labels=labels, source="made")


def _predictions(plan: Plan, rng: np.random.Generator) -> dict[str, Predictions]:
    found = {}
    for name, data in plan.encoded.items():
        logits = rng.standard_normal((len(data.labels), 2), dtype=np.float32)
        own = logits[np.arange(len(logits)), data.labels]
        loss = np.logaddexp(logits[:, 0], logits[:, 1]) - own
        found[name] = Predictions(name, data.example_ids, data.labels, loss, logits)
    return found
