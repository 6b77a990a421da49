"""Small BERT classifiers of one shape trained and evaluated side by side, for scans of many seeds.

The recipe of the Trainer in a plain loop: each weight has a leading axis of models, so that eight
models of 100,000 weights take little longer than one. Batches are cut from one random order of the
training set after another; a Trainer's last batch of an epoch is smaller.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F  # noqa: N812

Weights = dict[str, Tensor]


def stack(states: Sequence[Weights]) -> Weights:
    """Floating-point weights of n models, each (n, …)."""
    return {
        name: torch.stack([state[name] for state in states])
        for name, value in states[0].items()
        if value.is_floating_point()
    }


def logits(weights: Weights, tokens: Tensor, config: Any) -> Tensor:
    """(n, batch, labels) of ``tokens`` (n, batch, length) without padding, one row per model."""
    n, batch, length = tokens.shape
    width, heads = config.hidden_size, config.num_attention_heads
    layers = config.num_hidden_layers

    def norm(x: Tensor, name: str) -> Tensor:
        x = F.layer_norm(x, (width,), eps=config.layer_norm_eps)
        return x * weights[f"{name}.weight"][:, None] + weights[f"{name}.bias"][:, None]

    def linear(x: Tensor, name: str) -> Tensor:
        bias = weights[f"{name}.bias"][:, None]
        return torch.baddbmm(bias, x, weights[f"{name}.weight"].transpose(1, 2))

    embeddings = "bert.embeddings"
    models = torch.arange(n)[:, None, None]
    x = weights[f"{embeddings}.word_embeddings.weight"][models, tokens]
    x = x + weights[f"{embeddings}.position_embeddings.weight"][:, None, :length]
    x = x + weights[f"{embeddings}.token_type_embeddings.weight"][:, None, :1]
    x = norm(x.reshape(n, batch * length, width), f"{embeddings}.LayerNorm")
    for k in range(layers):
        layer = f"bert.encoder.layer.{k}"

        def split(name: str, x: Tensor = x, layer: str = layer) -> Tensor:
            part = linear(x, f"{layer}.attention.self.{name}")
            return part.view(n * batch, length, heads, width // heads).transpose(1, 2)

        seen = F.scaled_dot_product_attention(split("query"), split("key"), split("value"))
        seen = seen.transpose(1, 2).reshape(n, batch * length, width)
        attended = linear(seen, f"{layer}.attention.output.dense")
        x = norm(x + attended, f"{layer}.attention.output.LayerNorm")
        inner = F.gelu(linear(x, f"{layer}.intermediate.dense"))
        x = norm(x + linear(inner, f"{layer}.output.dense"), f"{layer}.output.LayerNorm")
    first = x.view(n, batch, length, width)[:, :, 0]
    return linear(torch.tanh(linear(first, "bert.pooler.dense")), "classifier")


def finetune(
    weights: Weights,
    config: Any,
    tokens: Sequence[Tensor],
    labels: Sequence[Tensor],
    seeds: Sequence[int],
    *,
    steps: int,
    learning_rate: float,
    batch_size: int,
    warmup: int,
    weight_decay: float,
) -> Weights:
    """AdamW with linear warm-up and decay, gradients clipped at 1 for each model by itself.

    ``tokens`` and ``labels`` are the models' training sets, of one size.
    """
    weights = {name: value.clone().requires_grad_() for name, value in weights.items()}
    plain = [v for name, v in weights.items() if not (name.endswith("bias") or "Norm" in name)]
    kept = {id(value) for value in plain}
    rest = [value for value in weights.values() if id(value) not in kept]
    groups = [{"params": plain, "weight_decay": weight_decay}, {"params": rest, "weight_decay": 0}]
    optimizer = torch.optim.AdamW(groups, lr=learning_rate)
    orders = [_order(len(tokens[0]), steps * batch_size, seed) for seed in seeds]
    for step in range(steps):
        factor = (step / warmup) if step < warmup else (steps - step) / (steps - warmup)
        for group in optimizer.param_groups:
            group["lr"] = learning_rate * factor
        rows = [order[step * batch_size : (step + 1) * batch_size] for order in orders]
        batch = torch.stack([t[r] for t, r in zip(tokens, rows, strict=True)])
        target = torch.stack([t[r] for t, r in zip(labels, rows, strict=True)])
        loss = F.cross_entropy(logits(weights, batch, config).flatten(0, 1), target.flatten())
        optimizer.zero_grad()
        (loss * len(seeds)).backward()
        _clip(list(weights.values()))
        optimizer.step()
    return {name: value.detach() for name, value in weights.items()}


def _order(n: int, length: int, seed: int) -> Tensor:
    generator = torch.Generator().manual_seed(seed)
    orders = [torch.randperm(n, generator=generator) for _ in range(math.ceil(length / n))]
    return torch.cat(orders)[:length]


def _clip(weights: list[Tensor]) -> None:
    gradients = [value.grad for value in weights if value.grad is not None]
    squares = torch.stack([g.flatten(1).square().sum(1) for g in gradients]).sum(0)
    factor = (1.0 / (squares.sqrt() + 1e-6)).clamp(max=1.0)
    for g in gradients:
        g.mul_(factor.view(-1, *[1] * (g.dim() - 1)))
