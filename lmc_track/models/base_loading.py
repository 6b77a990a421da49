"""Whether a base model loads whole.

Everything that finetuning takes from a base model must come from its files: an encoder that is
partly random would be another one for every seed, without a sign of it in any result.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch

from lmc_track.errors import InputError
from lmc_track.models.admission import frame_of
from lmc_track.models.checkpoints import stored_tensors
from lmc_track.models.loading import LoadReport, load_reported


def check_base(
    folder: Path, n_labels: int, shown: str, keep_head: bool = False
) -> tuple[Any, tuple[str, ...]]:
    """The classifier of ``n_labels`` on the base model in ``folder``, and the names of the head
    that its files hold already, of any number of labels.

    What of the head is new is random. Random numbers are its own: the global generators are put
    back.

    Raises:
        InputError: tensors of the encoder are missing, left over or of another shape, or a head
            that is to be kept is not there whole.
    """
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        try:
            model, report = load_reported(folder, num_labels=n_labels)
        except Exception as error:
            reason = str(error).strip().partition("\n")[0]
            raise InputError(
                f"{shown} cannot be loaded by transformers: {reason}",
                "Copy or download it again, or take another encoder.",
            ) from None
    problems = encoder_problems(model, report)
    if not problems.is_whole:
        raise InputError(
            f"{shown} does not load whole: {problems.problems()}",
            f"Its files must hold every tensor of the encoder under the name that transformers "
            f"has for it.{_renamed(model, report)}",
        )
    if keep_head and not report.is_whole:
        raise InputError(
            f"finetune.keep_head: {shown} has no whole head of {n_labels} labels: "
            f"{report.problems()}",
            "Leave finetune.keep_head out: every model then gets a new head from its head seed.",
        )
    return model, stored_head(folder, n_labels)


def encoder_problems(model: Any, report: LoadReport) -> LoadReport:
    """What of ``report`` is about the encoder of ``model``, which has to come from the files.

    The head may be new, and so may a pooler, which some architectures make and others leave out.
    Heads of pretraining are left over.
    """
    prefix = f"{model.base_model_prefix}."
    # Saved without its head, an encoder has no prefix.
    parts = {name for name, _ in model.base_model.named_children()}
    parts |= {name for name, _ in model.base_model.named_parameters(recurse=False)}
    bare = model.base_model is not model

    def is_encoder(name: str) -> bool:
        if "pooler" in name.split("."):
            return False
        return name.startswith(prefix) or (bare and name.partition(".")[0] in parts)

    return LoadReport(
        tuple(filter(is_encoder, report.missing)),
        tuple(filter(is_encoder, report.unexpected)),
        {name: shapes for name, shapes in report.mismatched.items() if is_encoder(name)},
    )


def _renamed(model: Any, report: LoadReport) -> str:
    """How the names would fit, where all that is left over has one prefix too many."""
    first = {name.partition(".")[0] for name in report.unexpected}
    expected = set(model.state_dict())
    expected |= {name.removeprefix(f"{model.base_model_prefix}.") for name in expected}
    if len(first) != 1 or not report.missing:
        return ""
    wrapper = f"{first.pop()}."
    if not any(name.removeprefix(wrapper) in expected for name in report.unexpected):
        return ""
    return (
        f" Names that begin with {wrapper!r} are those of a wrapper such as "
        "DistributedDataParallel: save the model inside it (model.module.save_pretrained(…))."
    )


def head_names(model: Any) -> frozenset[str]:
    """Tensors of the classifier ``model`` that are no part of its encoder."""
    prefix = f"{model.base_model_prefix}."
    return frozenset(name for name in model.state_dict() if not name.startswith(prefix))


def stored_head(folder: Path, n_labels: int) -> tuple[str, ...]:
    """Tensors of a classification head, of any number of labels, that ``folder`` holds."""
    outputs = frame_of(folder, n_labels).outputs
    return tuple(sorted(t.name for t in stored_tensors(folder) if t.name in outputs))


@torch.no_grad()
def renew_head(model: Any, seed: int) -> None:
    """Make everything outside the encoder of ``model`` anew, as transformers initializes it.

    Torch's global random numbers are drawn from, after they were set to ``seed``.
    """
    names = head_names(model)
    for name, tensor in model.state_dict(keep_vars=True).items():
        tensor._is_hf_initialized = name not in names
    # Some architectures initialize a head's layers from the module that holds them.
    encoder = {id(module) for module in model.base_model.modules()}
    for module in model.modules():
        module._is_hf_initialized = id(module) in encoder
    torch.manual_seed(seed)
    model.initialize_weights()
