"""Measures candidates for the demo's base model on pilot seeds that the demo does not use.

    python benchmarks/choose_demo.py CACHE TABLE [--bases 310-321] [--seeds 200-207]

For every base seed, rate q of violations and learning rate it finetunes the pilot models with the
demo's recipe, measures the loss on 7 points of every path and appends one line of JSON to TABLE.
What is done already is not repeated. The rule by which one candidate is taken, and what it gave:
docs/results/demo-choice.md.
"""

from __future__ import annotations

import argparse
import itertools
import json
import tempfile
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import numpy as np

from lmc_track.progress import Silent
from lmc_track.steps.demo import demo_study
from lmc_track.study import build_study
from lmc_track.study.seeds import ModelSeeds, parse_seeds

ALPHAS = [k / 6 for k in range(7)]
SETS = ("validation", "main_only", "embedded_only")


def measure(base_seed: int, rate: float, learning_rate: float, seeds: str, cache: Path) -> Any:
    """Accuracies of the pilot models and held-out gaps of their paths."""
    import torch

    torch.set_num_threads(1)
    from transformers import AutoModelForSequenceClassification, AutoTokenizer

    from lmc_track.geometry.curves import convexity_gap
    from lmc_track.models.finetuning import finetune
    from lmc_track.models.pretraining import pretrained_base
    from lmc_track.tasks.agreement import Agreement

    content = demo_study().model_dump(mode="json", exclude_none=True)
    content["task"] |= {"base_seed": base_seed, "violation_rate": rate}
    content["finetune"] |= {"seeds": seeds, "learning_rate": learning_rate}
    study = build_study(content)
    task: Any = Agreement(study.task)  # type: ignore[arg-type]
    base = pretrained_base(study.task, cache, Silent())  # type: ignore[arg-type]
    tokenizer: Any = AutoTokenizer.from_pretrained(base)
    tokens, labels, held_out = {}, {}, {}
    for name in SETS:
        frame = task.evaluation(name).frame
        tokens[name] = torch.tensor(tokenizer(frame["sentence"].to_list())["input_ids"])
        labels[name] = torch.tensor(frame["label"].to_list())
        held_out[name] = torch.tensor((frame["half"] == "held-out").to_list())
    weights, accuracy = [], []
    with tempfile.TemporaryDirectory() as folder:
        for seed in parse_seeds(seeds):
            out = Path(folder) / str(seed)
            one = ModelSeeds(seed, seed)
            finetune(base, task.label_names, task.train_for(one), one, study.finetune, out)
            model: Any = AutoModelForSequenceClassification.from_pretrained(out).eval()
            weights.append({name: value.clone() for name, value in model.state_dict().items()})
            row = {}
            for name in SETS:
                with torch.no_grad():
                    right = model(tokens[name]).logits.argmax(1) == labels[name]
                row[name] = float(right[held_out[name]].double().mean())
            accuracy.append(row)
    n = len(weights)
    gaps = np.zeros((n, n))
    inputs = tokens["validation"][held_out["validation"]]
    targets = labels["validation"][held_out["validation"]]
    for a, b in itertools.combinations(range(n), 2):
        losses = []
        for alpha in ALPHAS:
            model.load_state_dict(
                {
                    name: torch.lerp(value, weights[b][name], alpha)
                    if value.is_floating_point()
                    else value
                    for name, value in weights[a].items()
                }
            )
            with torch.no_grad():
                loss = torch.nn.functional.cross_entropy(model(inputs).logits, targets)
            losses.append(float(loss))
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
        works = [pool.submit(measure, *one, options.seeds, options.cache) for one in todo]
        for work in works:
            with options.table.open("a") as file:
                file.write(json.dumps(work.result()) + "\n")


if __name__ == "__main__":
    main()
