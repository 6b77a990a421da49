"""Measures candidates for the demo's base model on pilot seeds that the demo does not use.

    python benchmarks/choose_demo.py CACHE TABLE [--bases 310-321] [--rates 0 0.15]

For every base seed, rate q of violations and learning rate it finetunes the pilot models with the
demo's recipe in a plain loop, all side by side, measures the loss on 7 points of every path and
appends one line of JSON to TABLE. What is done already is not repeated. The rule by which one
candidate is taken, and what it gave: docs/results/demo-choice.md.
"""

from __future__ import annotations

import argparse
import itertools
import json
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from lmc_track.progress import Silent
from lmc_track.steps.demo import demo_study
from lmc_track.study.seeds import ModelSeeds, parse_seeds
from lmc_track.study.task_sections import AgreementTask
from lmc_track.tasks.dataset import Dataset

ALPHAS = [k / 6 for k in range(7)]
SETS = ("validation", "main_only", "embedded_only")


def measure(
    base_seed: int,
    rate: float,
    learning_rate: float,
    seeds: str,
    cache: Path,
    settings: dict[str, Any],
) -> Any:
    """Held-out accuracies of the pilot models and gaps of their paths."""
    import torch
    from stacked_bert import finetune, logits, stack
    from transformers import AutoModelForSequenceClassification, AutoTokenizer, set_seed

    from lmc_track.geometry.curves import convexity_gap
    from lmc_track.models.pretraining import pretrained_base
    from lmc_track.models.silence import silent_transformers
    from lmc_track.tasks.agreement import Agreement

    torch.set_num_threads(1)
    section = AgreementTask(name="agreement", base_seed=base_seed, violation_rate=rate, **settings)
    recipe = demo_study().finetune
    task, numbers = Agreement(section), parse_seeds(seeds)
    with silent_transformers():
        base = pretrained_base(section, cache, Silent())
        tokenizer: Any = AutoTokenizer.from_pretrained(base)

        def read(data: Dataset, rows: Any = None) -> tuple[torch.Tensor, torch.Tensor]:
            frame = data.frame if rows is None else data.frame.filter(rows)
            tokens = torch.tensor(tokenizer(frame["sentence"].to_list())["input_ids"])
            return tokens, torch.tensor(frame["label"].to_list())

        states = []
        for seed in numbers:
            set_seed(seed)
            model: Any = AutoModelForSequenceClassification.from_pretrained(base)
            states.append({name: value.clone() for name, value in model.state_dict().items()})
    training = [read(task.train_for(ModelSeeds(seed, seed))) for seed in numbers]
    weights = finetune(
        stack(states),
        model.config,
        [tokens for tokens, _ in training],
        [labels for _, labels in training],
        numbers,
        steps=recipe.max_steps or 600,
        learning_rate=learning_rate,
        batch_size=recipe.batch_size,
        warmup=recipe.trainer["warmup_steps"],
        weight_decay=recipe.trainer["weight_decay"],
    )
    accuracy: list[dict[str, float]] = [{} for _ in numbers]
    with torch.no_grad():
        for name in SETS:
            tokens, labels = read(task.evaluation(name), pl.col("half") == "held-out")
            found = logits(weights, tokens.expand(len(numbers), -1, -1), model.config).argmax(2)
            for row, right in zip(accuracy, (found == labels).double().mean(1), strict=True):
                row[name] = round(float(right), 4)
        gaps = np.zeros((len(numbers), len(numbers)))
        tokens, labels = read(task.evaluation("validation"), pl.col("half") == "held-out")
        for a, b in itertools.combinations(range(len(numbers)), 2):
            alpha = torch.tensor(ALPHAS)
            path = {
                name: torch.lerp(
                    value[a][None], value[b][None], alpha.view(-1, *[1] * (value.dim() - 1))
                )
                for name, value in weights.items()
            }
            found = logits(path, tokens.expand(len(ALPHAS), -1, -1), model.config)
            losses = [float(torch.nn.functional.cross_entropy(one, labels)) for one in found]
            gaps[a, b] = gaps[b, a] = convexity_gap(ALPHAS, losses)
    return {
        "base_seed": base_seed,
        "violation_rate": rate,
        "learning_rate": learning_rate,
        "seeds": seeds,
        "accuracy": accuracy,
        "gaps": gaps.round(6).tolist(),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("cache", type=Path)
    parser.add_argument("table", type=Path)
    parser.add_argument("--bases", default="310-321")
    parser.add_argument("--rates", type=float, nargs="+", default=[0.0, 0.15])
    parser.add_argument("--learning-rates", type=float, nargs="+", default=[1e-3, 5e-4])
    parser.add_argument("--seeds", default="200-207")
    parser.add_argument("--task", type=json.loads, default={}, help="further keys, as JSON")
    parser.add_argument("--workers", type=int, default=2)
    options = parser.parse_args()
    keys = ("base_seed", "violation_rate", "learning_rate")
    lines = options.table.read_text().splitlines() if options.table.exists() else []
    done = {tuple(row[key] for key in keys) for row in map(json.loads, lines)}
    todo = [
        one
        for one in itertools.product(
            parse_seeds(options.bases), options.rates, options.learning_rates
        )
        if one not in done
    ]
    with ProcessPoolExecutor(options.workers, get_context("spawn")) as pool:
        works = [
            pool.submit(measure, *one, options.seeds, options.cache, options.task) for one in todo
        ]
        for work in works:
            with options.table.open("a") as file:
                file.write(json.dumps(work.result()) + "\n")


if __name__ == "__main__":
    main()
