"""Which models and evaluation sets of a study count: the one place that decides it.

What does not count is on record like everything else, and is in no table, matrix, cluster, test,
plan or status, except where it is listed as left out. A model is left out because it was dropped,
because the study file no longer has it, or because it failed (``analysis.failed``). Checkpoints on
the way go with the model that their training ended with.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace

from lmc_track.tracking.runs import RunEntry
from lmc_track.tracking.studies import FAILED, LeftOut, StudyFacts, StudyRecord
from lmc_track.tracking.tags import FAILED_TAG

NOT_FAILED = "no"


def failure_of(run: RunEntry | None) -> str | None:
    """How the model of ``run`` failed; None where it did not, or was not judged."""
    told = None if run is None else run.tags.get(FAILED_TAG)
    return told if told and told != NOT_FAILED else None


def has_no_weights(run: RunEntry) -> bool:
    """Whether ``run`` is of a model whose training ended before there was a model."""
    return run.params.get("source") == "finetuned" and "weights_digest" not in run.params


def failures(record: StudyRecord) -> dict[str, str]:
    """How models failed that do not count for it, by name of the model.

    With ``evaluate.include_failed`` that is only those that have no weights.
    """
    included = bool(record.facts.file.get("evaluate", {}).get("include_failed"))
    found = {}
    for model in record.facts.models:
        run = record.index.find("model", model.key)
        how = failure_of(run)
        if run is not None and how is not None and not (included and not has_no_weights(run)):
            found[model.name] = how
    return found


def left_out(record: StudyRecord) -> list[LeftOut]:
    """All that does not count, in study order; models that failed are told by their runs."""
    return left_out_of(record.facts, failures(record))


def left_out_of(facts: StudyFacts, failed: Mapping[str, str]) -> list[LeftOut]:
    """All that does not count of ``facts``, when models ``failed`` (name → how)."""
    said = {(one.kind, one.name): one for one in facts.left_out}
    found = []
    for model in facts.models:
        for name in filter(None, (model.name, model.checkpoint_of)):
            one = said.get(("model", name))
            if one is None and name in failed:
                one = LeftOut("model", name, FAILED, failed[name])
            if one is not None:
                found.append(replace(one, name=model.name))
                break
    return found + [one for one in facts.left_out if one.kind == "dataset"]


def counting_facts(facts: StudyFacts, out: Iterable[LeftOut]) -> StudyFacts:
    """``facts`` with only the models and evaluation sets that are not among ``out``."""
    names = {(one.kind, one.name) for one in out}
    return replace(
        facts,
        models=tuple(model for model in facts.models if ("model", model.name) not in names),
        datasets=tuple(data for data in facts.datasets if ("dataset", data.name) not in names),
    )


def counting(record: StudyRecord) -> StudyRecord:
    """``record`` with only the models and evaluation sets that count among its facts.

    For reading: what is written must go by all facts.
    """
    return replace(record, facts=counting_facts(record.facts, left_out(record)))


def described(one: LeftOut) -> str:
    """Why something is left out, in a few words, such as ``failed: accuracy 0.50, …``."""
    return f"{one.reason}: {one.why}" if one.why else one.reason
