"""How a large model is best fed on this machine: found by a few timed batches.

Small models are not calibrated: they are fed alike everywhere, so that what they say is the same
to the last bit wherever it is computed with one thread.
"""

from __future__ import annotations

import math
import time
from collections.abc import Iterator
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import torch

from lmc_track.geometry.batching import Attention, Batching
from lmc_track.geometry.devices import torch_device
from lmc_track.geometry.interpolation import ResidentModel
from lmc_track.models.padding import name_padding
from lmc_track.models.threads import is_small, one_thread

_CPU_BUDGETS = (256, 512, 1_024, 2_048, 4_096)
_CUDA_BUDGETS = (4_096, 8_192, 16_384, 32_768, 65_536, 131_072)
# How often each choice is timed, in turn with the others, so that a moment in which the machine
# is busy with something else is no choice's alone; the fastest time counts.
_ROUNDS = 5
# Of budgets whose rates differ by less than this the smaller is taken: it pads less.
_ALIKE = 0.03
# Seconds after which no further round is begun, on a machine that is busy or slow.
_PATIENCE = 20


def calibrate(
    folder: Path,
    precision: str,
    device: str,
    tokens: int,
    budgets: tuple[int, ...] = (),
) -> Batching:
    """The batching that reads inputs of about ``tokens`` tokens fastest with a model like that
    in ``folder``.

    ``budgets`` are those to try, without them what suits the device. Attention is eager or fused,
    whichever is faster at that length.
    """
    where = torch_device(device)
    resident = ResidentModel(folder, precision, where)
    model = resident.model
    name_padding(model, 0)  # all inputs are of one length: nothing is padded
    budgets = budgets or (_CUDA_BUDGETS if where.type == "cuda" else _CPU_BUDGETS)
    until = time.monotonic() + _PATIENCE
    # Each batch is computed by one thread, beside others.
    with one_thread() if where.type == "cpu" else nullcontext():
        count = max(1, budgets[len(budgets) // 2] // tokens)
        attentions = _attentions(model)
        times = dict.fromkeys(attentions, math.inf)
        for _ in _rounds(until):
            for attention in attentions:
                model.set_attn_implementation(attention)
                times[attention] = min(times[attention], _seconds(model, count, tokens, where))
        attention = min(attentions, key=lambda one: times[one])
        model.set_attn_implementation(attention)
        # The single input says what a batch costs beside its tokens.
        counts = dict.fromkeys([1, *(max(1, budget // tokens) for budget in budgets)], math.inf)
        for _ in _rounds(until):
            for count in counts:
                counts[count] = min(counts[count], _seconds(model, count, tokens, where))
    rates = {b: max(1, b // tokens) * tokens / counts[max(1, b // tokens)] for b in budgets}
    budget = min(b for b, rate in rates.items() if rate >= max(rates.values()) * (1 - _ALIKE))
    overhead = round(counts[1] * rates[budget] - tokens)
    return Batching(budget, min(max(overhead, 1), budget), attention)


def measured_rate(
    folder: Path, precision: str, device: str, threads: int | None, batching: Batching, tokens: int
) -> float:
    """Tokens a second that a model like that in ``folder`` reads in full batches."""
    where = torch_device(device)
    resident = ResidentModel(folder, precision, where, batching.attention)
    name_padding(resident.model, 0)
    count = max(1, batching.token_budget // tokens)
    at_once = 1
    if where.type == "cpu" and not is_small(resident.model):
        at_once = threads or torch.get_num_threads()
    with one_thread() if where.type == "cpu" else nullcontext():
        times = [_seconds(resident.model, count, tokens, where) for _ in range(_ROUNDS)]
    return at_once * count * tokens / min(times)


def _rounds(until: float) -> Iterator[int]:
    """As many rounds as there is time for, and at least one."""
    for number in range(_ROUNDS):
        if number and time.monotonic() > until:
            return
        yield number


def _attentions(model: Any) -> tuple[Attention, ...]:
    return ("sdpa", "eager") if model._supports_sdpa else ("eager",)


@torch.inference_mode()
def _seconds(model: Any, count: int, tokens: int, device: torch.device) -> float:
    """Wall time of a batch of ``count`` inputs of ``tokens`` tokens."""
    highest = min(1_000, model.config.vocab_size)
    ids = (torch.arange(count * tokens, device=device) % highest).reshape(count, tokens)
    started = time.perf_counter()
    model(input_ids=ids).logits.cpu()  # also waits for a GPU
    return time.perf_counter() - started
