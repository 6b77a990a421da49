"""How a large model is best fed on this machine: found by a few timed batches.

Small models are not calibrated: they are fed alike everywhere, so that what they say is the same
to the last bit wherever it is computed with one thread.
"""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import torch

from lmc_track.geometry.batching import Attention, Batching
from lmc_track.geometry.devices import torch_device
from lmc_track.geometry.interpolation import ResidentModel
from lmc_track.models.threads import threads_for

_CPU_BUDGETS = (256, 512, 1_024, 2_048, 4_096)
_CUDA_BUDGETS = (4_096, 8_192, 16_384, 32_768, 65_536, 131_072)
# How often a batch is timed; the fastest counts.
_TIMES = 3
# Of budgets whose rates differ by less than this the smaller is taken: it pads less.
_ALIKE = 0.03
# Seconds after which what was found so far is taken, on a machine that is busy or slow.
_PATIENCE = 20
# A budget whose rate is this far below the best one ends the search for larger ones.
_WORSE = 0.85


def calibrate(
    folder: Path,
    precision: str,
    device: str,
    threads: int | None,
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
    budgets = budgets or (_CUDA_BUDGETS if where.type == "cuda" else _CPU_BUDGETS)
    best: tuple[float, Batching] | None = None
    until = time.monotonic() + _PATIENCE
    with threads_for(resident.model, threads):
        for attention in _attentions(resident.model):
            if best is not None and time.monotonic() > until:
                break
            resident.model.set_attn_implementation(attention)
            found = _best_budget(resident.model, where, budgets, tokens, attention, until)
            if best is None or found[0] > best[0] * (1 + _ALIKE):
                best = found
    assert best is not None
    return best[1]


def measured_rate(
    folder: Path, precision: str, device: str, threads: int | None, batching: Batching, tokens: int
) -> float:
    """Tokens a second that a model like that in ``folder`` reads in full batches."""
    where = torch_device(device)
    resident = ResidentModel(folder, precision, where, batching.attention)
    with threads_for(resident.model, threads):
        count = max(1, batching.token_budget // tokens)
        return count * tokens / _seconds(resident.model, count, tokens, where)


def _attentions(model: Any) -> tuple[Attention, ...]:
    return ("sdpa", "eager") if model._supports_sdpa else ("eager",)


def _best_budget(
    model: Any,
    device: torch.device,
    budgets: tuple[int, ...],
    tokens: int,
    attention: Attention,
    until: float,
) -> tuple[float, Batching]:
    """The rate, in tokens a second, and the batching with the best budget."""
    rates: dict[int, float] = {}
    for budget in budgets:
        count = max(1, budget // tokens)
        rates[budget] = count * tokens / _seconds(model, count, tokens, device)
        if rates[budget] < _WORSE * max(rates.values()) or time.monotonic() > until:
            break
    best = max(rates.values())
    budget = min(b for b, rate in rates.items() if rate >= best * (1 - _ALIKE))
    # What one input costs beyond its tokens at the full rate is what any batch costs.
    overhead = _seconds(model, 1, tokens, device) * rates[budget] - tokens
    return rates[budget], Batching(budget, min(max(round(overhead), 1), budget), attention)


@torch.inference_mode()
def _seconds(model: Any, count: int, tokens: int, device: torch.device) -> float:
    """Wall time of a batch of ``count`` inputs of ``tokens`` tokens."""
    highest = min(1_000, model.config.vocab_size)
    ids = (torch.arange(count * tokens, device=device) % highest).reshape(count, tokens)
    best = float("inf")
    for _ in range(_TIMES + 1):
        started = time.perf_counter()
        model(input_ids=ids).logits.cpu()  # also waits for a GPU
        best = min(best, time.perf_counter() - started)
    return best
