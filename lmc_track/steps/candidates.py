"""Whether checkpoints fit a study: its tensors, its tokens, and the order of its labels.

Nothing is written here: what does not fit is refused before anything is recorded.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from lmc_track.analysis.label_order import fit_order, in_order, names_labels, order_by_names
from lmc_track.errors import InputError
from lmc_track.geometry.encoding import encode
from lmc_track.geometry.engine import shared_engine
from lmc_track.geometry.evaluation import Predictions
from lmc_track.geometry.weights_cache import Checkpoint
from lmc_track.models.admission import Frame, admit, check_settings, frame_of
from lmc_track.models.base import longest_input, read_base
from lmc_track.models.functions import function_digest
from lmc_track.models.hub import VOCABULARIES
from lmc_track.models.sources import FoundCheckpoint
from lmc_track.progress import Progress
from lmc_track.steps.computing import usual_settings
from lmc_track.steps.planning import Plan

# Texts whose tokens are compared with those of a checkpoint's own tokenizer.
_COMPARED_TEXTS = 64


class Problems:
    """What is wrong with the sources, all of which are looked at before any is refused."""

    def __init__(self) -> None:
        self._errors: dict[str, InputError] = {}

    @contextmanager
    def of(self, source: str) -> Iterator[None]:
        """Inside, an error is kept as that of ``source``."""
        try:
            yield
        except InputError as error:
            self._errors.setdefault(source, error)

    def __contains__(self, source: str) -> bool:
        return source in self._errors

    def __bool__(self) -> bool:
        return bool(self._errors)

    def error(self, sources: int) -> InputError:
        """One error for all of them; ``sources`` is how many were looked at."""
        errors = list(self._errors.values())
        if len(errors) == 1:
            return errors[0]
        lines = "\n".join(f"  {error.message}" for error in errors)
        remedies = list(dict.fromkeys(error.remedy for error in errors if error.remedy))
        return InputError(
            f"{len(errors)} of {sources} sources cannot be registered:\n{lines}",
            "\n".join([*remedies, "--skip-bad registers the others."]),
        )

    def notes(self) -> list[str]:
        """One line for each source that is skipped."""
        return [f"Skipped: {error.message}" for error in self._errors.values()]


@dataclass(frozen=True)
class Candidate:
    """A checkpoint that fits the study.

    ``order`` gives for each label of the study the output that means it; None where nothing says
    it. ``function`` is the digest of what it computes, its outputs in that order. ``answers`` are
    the checkpoint's own on validation, its outputs in its own order.
    """

    name: str
    key: str
    found: FoundCheckpoint
    config_labels: tuple[str, ...]
    order: tuple[int, ...] | None
    order_from: str
    frame: Frame
    function: str
    answers: Predictions | None = None
    balanced_accuracy: float | None = None

    def with_scores(self, answers: Predictions, balanced_accuracy: float | None) -> Candidate:
        return replace(self, answers=answers, balanced_accuracy=balanced_accuracy)

    @property
    def in_study_order(self) -> bool:
        return self.order == tuple(range(self.frame.n_labels))


def checked_candidates(
    plan: Plan,
    new: Mapping[str, FoundCheckpoint],
    names: Mapping[str, str],
    given_labels: Sequence[str] | None,
    progress: Progress,
    problems: Problems,
) -> list[Candidate]:
    """What fits the study, with the order in which it says that its outputs stand.

    What does not is added to ``problems``.

    Raises:
        InputError: ``given_labels`` are not the study's.
    """
    labels = plan.facts.label_names
    given = None
    if given_labels is not None:
        given = order_by_names(given_labels, labels)
        if given is None:
            raise InputError(
                f"--labels: {', '.join(given_labels)} are not the study's labels",
                f"Give {', '.join(labels)} in the order of the models' outputs.",
            )
    if not new:
        return []
    frame = frame_of(plan.base, len(labels))
    limit = longest_input(*read_base(plan.base))
    candidates = []
    with progress.track("Checking checkpoints", len(new), "models") as work:
        for key, one in new.items():
            shown = one.source.text
            with problems.of(shown):
                admitted = admit(one.folder, shown, frame)
                _check_tokenizer(plan, one.folder, shown, limit)
                order = given
                if given is None and names_labels(admitted.label_names):
                    order = order_by_names(admitted.label_names, labels)
                candidates.append(
                    Candidate(
                        name=names[key],
                        key=key,
                        found=one,
                        config_labels=admitted.label_names,
                        order=order,
                        order_from="given" if given is not None else "config",
                        frame=frame,
                        function=function_digest(admitted.model, order, frame.outputs),
                    )
                )
            work.advance()
    return candidates


def check_known(plan: Plan, known: Sequence[FoundCheckpoint], problems: Problems) -> None:
    """Add to ``problems`` where a checkpoint whose weights are on record is another model by its
    configuration or its tokenizer."""
    if not known:
        return
    frame = frame_of(plan.base, len(plan.facts.label_names))
    limit = longest_input(*read_base(plan.base))
    for one in known:
        with problems.of(one.source.text):
            check_settings(one.folder, one.source.text, frame)
            _check_tokenizer(plan, one.folder, one.source.text, limit)


def distinct(
    candidates: Sequence[Candidate], recorded: Mapping[str, str], problems: Problems
) -> list[Candidate]:
    """Those of ``candidates`` that are each another function; others are added to ``problems``.

    ``recorded`` are the models on record, digests of their functions to names.
    """
    owners = dict(recorded)
    found = []
    for one in candidates:
        with problems.of(one.found.source.text):
            if (owner := owners.get(one.function)) is not None:
                raise InputError(
                    f"{one.found.source.text} computes the same as {owner}: as transformers loads "
                    "them, their weights are equal, though their files are not",
                    "Leave it out: a model beside its own copy has a gap of 0 and counts twice.",
                )
            owners[one.function] = one.found.source.text
            found.append(one)
    return found


def _check_tokenizer(plan: Plan, folder: Path, shown: str, limit: int | None) -> None:
    """Refuse a checkpoint that was finetuned to read texts as other tokens.

    One without a tokenizer of its own is taken to read as the study's base model does.
    """
    if not any((folder / name).is_file() for name in VOCABULARIES):
        return
    own = read_base(folder)[1]
    data, ours = plan.datasets["validation"], plan.encoded["validation"].inputs["input_ids"]
    few = replace(data, frame=data.frame.head(_COMPARED_TEXTS))
    theirs = encode(few, own, limit).inputs["input_ids"]
    for row, (mine, other) in enumerate(zip(ours, theirs, strict=False)):
        if not np.array_equal(mine, other):
            text = " ".join(data.frame[column][row] for column in data.text_columns)
            raise InputError(
                f"{shown} has a tokenizer that reads texts as other tokens than the study's base "
                f"model does, such as: {text[:60]}",
                "Name the base model that it was finetuned from as model.base.",
            )


def scored_candidates(
    plan: Plan, candidates: list[Candidate], progress: Progress, problems: Problems
) -> list[Candidate]:
    """The candidates with their answers on validation, after which their label order stands.

    Those whose order does not are added to ``problems``.
    """
    if not candidates:
        return []
    engine = shared_engine(plan.encoded, usual_settings(plan), plan.origin)
    scored = []
    with progress.track("Scoring on validation", len(candidates), "models") as work:
        for one in candidates:
            with problems.of(one.found.source.text):
                answers = engine.model_predictions(Checkpoint(one.found.folder), ["validation"])[
                    "validation"
                ]
                scored.append(_with_order(plan, one, answers, progress))
            work.advance()
    return scored


def _with_order(plan: Plan, one: Candidate, answers: Predictions, progress: Progress) -> Candidate:
    labels, shown = plan.facts.label_names, one.found.source.text
    outputs = answers.logits.argmax(axis=1)
    fit = fit_order(answers.labels, outputs, len(labels), one.order)
    best = ",".join(in_order(labels, fit.best))
    remedy = f"Register it with --labels {best}, if that is how its outputs stand."
    if one.order is None:
        named = ", ".join(one.config_labels)
        raise InputError(
            f"{shown} does not say which output means which label: its configuration calls them "
            f"{named}, the study {', '.join(labels)}. On validation the order {best} fits best "
            f"(balanced accuracy {fit.best_balanced_accuracy:.2f})",
            remedy,
        )
    if fit.refuted:
        source = "its configuration" if one.order_from == "config" else "--labels"
        raise InputError(
            f"{shown} does not answer in the label order {','.join(in_order(labels, one.order))} "
            f"of {source}: balanced accuracy on validation is {fit.balanced_accuracy:.2f}, in the "
            f"order {best} {fit.best_balanced_accuracy:.2f} (99% interval of the difference "
            f"{fit.difference:.2f} ± {fit.margin:.2f})",
            remedy,
        )
    counts = Counter(outputs.tolist())
    if len(counts) == 1:
        answer = in_order(labels, one.order)[next(iter(counts))]
        progress.note(f"Warning: {shown} answers {answer!r} to every validation example.")
    return one.with_scores(answers, fit.balanced_accuracy)
