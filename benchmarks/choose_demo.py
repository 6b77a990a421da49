"""Measures candidates for the demo's base model on pilot seeds that the demo does not use.

    python benchmarks/choose_demo.py CACHE TABLE 107:0:1e-3 310:0.15:5e-4

For every candidate (base seed, rate q of violations, learning rate) it finetunes the pilot models
with the demo's recipe in a plain loop, all side by side, measures the loss on 7 points of every
path and appends one line of JSON to TABLE. What is done already is not repeated. The rule by which
one candidate is taken, and what it gave: docs/results/demo-choice.md.
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


def _candidate(text: str) -> tuple[int, float, float]:
    base_seed, rate, learning_rate = text.split(":")
    return int(base_seed), float(rate), float(learning_rate)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("cache", type=Path)
    parser.add_argument("table", type=Path)
    parser.add_argument("candidates", nargs="*", type=_candidate, metavar="BASE:Q:RATE")
    parser.add_argument("--seeds", default="200-207")
    parser.add_argument("--task", type=json.loads, default={}, help="further keys, as JSON")
    parser.add_argument("--workers", type=int, default=2)
    options = parser.parse_args()
    keys = ("base_seed", "violation_rate", "learning_rate")
    lines = options.table.read_text().splitlines() if options.table.exists() else []
    done = {tuple(row[key] for key in keys) for row in map(json.loads, lines)}
    todo = [one for one in options.candidates if one not in done]
    with ProcessPoolExecutor(options.workers, get_context("spawn")) as pool:
        works = [
            pool.submit(measure, *one, options.seeds, options.cache, options.task) for one in todo
        ]
        for work in works:
            with options.table.open("a") as file:
                file.write(json.dumps(work.result()) + "\n")
    _show([json.loads(line) for line in options.table.read_text().splitlines()])


def strategy(accuracy: dict[str, float]) -> str:
    difference = accuracy["main_only"] - accuracy["embedded_only"]
    return "mixed" if abs(difference) < 0.5 else "long-distance" if difference > 0 else "local"


def _show(rows: list[dict[str, Any]]) -> None:
    """The table of all candidates in Markdown; ratio: smallest gap between / largest within."""
    print(
        "| base seed | q | learning rate | long-distance / local / mixed | least validation "
        "accuracy | gap within strategies: mean, largest | between: mean, smallest | ratio |"
    )
    print("|---|---|---|---|---|---|---|---|")
    for row in rows:
        strategies = [strategy(one) for one in row["accuracy"]]
        gaps = np.array(row["gaps"])
        within, between = (
            [
                gaps[a, b]
                for a, b in itertools.combinations(range(len(strategies)), 2)
                if (strategies[a] == strategies[b]) is same
            ]
            for same in (True, False)
        )
        counts = " / ".join(
            str(strategies.count(one)) for one in ("long-distance", "local", "mixed")
        )
        shown = [
            f"{np.mean(values):.3f}, {extreme(values):.3f}" if values else "–"
            for values, extreme in ((within, max), (between, min))
        ]
        ratio = f"{min(between) / max(within):.2f}" if within and between else "–"
        least = min(one["validation"] for one in row["accuracy"])
        print(
            f"| {row['base_seed']} | {row['violation_rate']:g} | {row['learning_rate']:g} | "
            f"{counts} | {least:.3f} | {shown[0]} | {shown[1]} | {ratio} |"
        )


if __name__ == "__main__":
    main()
