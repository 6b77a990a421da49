"""How close the evaluation engine comes to what the machine can do.

    python benchmarks/engine.py --base FOLDER

finetunes a few models of the encoder in FOLDER for one step on CoLA (whose files LMC_DATA_DIR
names), and measures paths between them on CoLA's two development sets, through the program's own
steps:

- tokens x 2 x weights outside the embeddings per second, as a share of the machine's square
  matrix product (2048) in the same precision, timed in turn with it;
- a path against the published procedure re-enacted here: everything padded to 512 tokens, both
  checkpoints and the architecture loaded for every pair, both ends evaluated for every pair;
- what of a path's time is not the networks' reading, for this model and for the demo's tiny one;
- two workers of one thread against one of one thread;
- the most memory that a path takes, in checkpoints.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
import torch
from transformers import AutoConfig, AutoModelForSequenceClassification
from transformers.utils import logging as transformers_logging

from lmc_track.execution import Here, Placement, carry_out
from lmc_track.geometry import engine as engine_module
from lmc_track.geometry.engine import Engine, EngineSettings
from lmc_track.geometry.token_cache import read_encoded
from lmc_track.geometry.weights_cache import Checkpoint
from lmc_track.models.checkpoints import stored_tensors
from lmc_track.progress import Silent
from lmc_track.steps.computing import computing_on
from lmc_track.steps.demo import demo_study
from lmc_track.steps.interpolate import interpolate_paths
from lmc_track.steps.path_works import checkpoint
from lmc_track.steps.planning import plan_study
from lmc_track.steps.recording import working_on
from lmc_track.steps.run import finetune_step
from lmc_track.study import Study, build_study
from lmc_track.tracking.location import Location, locate

ALPHAS = [k / 10 for k in range(1, 10)]


@dataclass(frozen=True)
class Site:
    """A home with a study whose models are finetuned and whose paths are not measured yet."""

    study: Study
    location: Location


def main() -> None:
    options = _options()
    transformers_logging.disable_progress_bar()
    print(f"torch {torch.__version__}, {torch.get_num_threads()} threads, {_processor()}")
    with tempfile.TemporaryDirectory(prefix="lmc-bench-") as folder:
        place = Path(folder)
        site = _prepared(Path(options.base), place / "home", options.models)
        shares(site)
        fp32 = overhead(site, place / "overhead", "MiniLM-sized model, fp32")
        published(site, fp32, options.sentences)
        memory(site)
        overhead(_tiny(place / "tiny"), place / "tiny-copy", "demo's tiny model")
        workers(site, place)


def shares(site: Site) -> None:
    """Floating-point rates of the sweep and of the matrix product, the better of several each."""
    for precision, dtype in (("fp32", torch.float32), ("bf16", torch.bfloat16)):
        study = _with(site.study, evaluate={"precision": precision})
        with (
            working_on(study, site.location, Silent()) as (plan, record),
            computing_on(plan, record, Silent(), Placement("cpu")) as computing,
        ):
            engine = Engine(plan.encoded, computing.settings)
            a, b = _checkpoints(plan, record)[:2]
            names = list(plan.encoded)
            tokens = engine.tokens(names)
            weights = sum(
                int(np.prod(tensor.shape))
                for tensor in stored_tensors(a.folder)
                if "embeddings" not in tensor.name
            )
            points, products = [], []
            for _ in range(4):
                started = time.perf_counter()
                for _ in engine.path_predictions(a, b, {0.5: names}):
                    points.append(time.perf_counter() - started)
                products.append(_product(dtype))
        rate = 2 * tokens * weights / min(points) / 1e9
        product = max(products)
        print(
            f"{precision}: {tokens:,} tokens x 2 x {weights / 1e6:.1f} M weights in "
            f"{min(points):.2f} s = {rate:.0f} GFLOP/s, {rate / product:.2f} of the product's "
            f"{product:.0f}; {computing.settings.batching}"
        )


def overhead(site: Site, copy: Path, what: str) -> float:
    """The share of a path's time that is not reading; returns seconds a path."""
    here = _copy(site, copy)
    with (
        working_on(here.study, here.location, Silent()) as (plan, record),
        computing_on(plan, record, Silent(), Placement("cpu")) as computing,
        _timed_reading() as reading,
    ):
        started = time.perf_counter()
        # In this process, where reading can be timed.
        paths = interpolate_paths(plan, record, Silent(), replace(computing, cluster=Here()))
        whole = time.perf_counter() - started
    print(
        f"{what}: {paths} paths in {whole:.1f} s, {1000 * whole / paths:.0f} ms each; "
        f"{1 - reading[0] / whole:.1%} of it is not the networks' reading"
    )
    return whole / paths


def published(site: Site, ours: float, sentences: int) -> None:
    """A path as published, from one point on some sentences, against one of ours."""
    plan = plan_study(site.study, site.location, Silent())
    with working_on(site.study, site.location, Silent()) as (_, record):
        a, b = _checkpoints(plan, record)[:2]
    started = time.perf_counter()
    models = [
        AutoModelForSequenceClassification.from_pretrained(str(one.folder)).eval()
        for one in (a, b, a)
    ]
    loading = time.perf_counter() - started
    started = time.perf_counter()
    target = models[2].state_dict()
    ends = [model.state_dict() for model in models[:2]]
    models[2].load_state_dict({n: 0.5 * ends[0][n] + 0.5 * ends[1][n] for n in target})
    mixing = time.perf_counter() - started
    total = sum(len(data) for data in plan.encoded.values())
    sample = min(sentences, total)
    data = plan.encoded["validation"]
    rows = np.linspace(0, len(data) - 1, sample).astype(int)
    ids = torch.full((sample, 512), data.padding.token_id, dtype=torch.long)
    mask = torch.zeros((sample, 512), dtype=torch.long)
    for line, row in enumerate(rows):
        found = torch.tensor(np.array(data.inputs["input_ids"][row], dtype=np.int64))
        ids[line, : len(found)], mask[line, : len(found)] = found, 1
    with torch.no_grad():
        models[2](input_ids=ids[:8], attention_mask=mask[:8])
        started = time.perf_counter()
        for at in range(0, sample, 32):
            models[2](input_ids=ids[at : at + 32], attention_mask=mask[at : at + 32])
        point = (time.perf_counter() - started) / sample * total
    path = loading + (len(ALPHAS) + 2) * (mixing + point)
    print(
        f"as published: {point:.0f} s a point of {total:,} sentences padded to 512 tokens "
        f"({sample} of them timed), {path:.0f} s a path of {len(ALPHAS) + 2} points; "
        f"ours {ours:.2f} s a path, {path / ours:.0f} times faster"
    )


def memory(site: Site) -> None:
    """Peak memory of a path in a process of its own, beyond what it had before any weights."""
    with working_on(site.study, site.location, Silent()) as (plan, record):
        a, b = _checkpoints(plan, record)[:2]
        tokens = plan.encoded["validation"].file
    size = sum(tensor.end - tensor.begin for tensor in stored_tensors(a.folder))
    for precision in ("fp32", "bf16"):
        given = (precision, str(a.folder), str(b.folder), str(plan.base), str(tokens))
        done = subprocess.run(
            [sys.executable, __file__, "--peak", *given], capture_output=True, text=True, check=True
        )
        whole, activations = (int(number) for number in done.stdout.split())
        print(
            f"memory, {precision}: {whole / 1e6:.0f} MB beyond the libraries, of which activations "
            f"{activations / 1e6:.0f} MB; the rest is {(whole - activations) / size:.2f} "
            f"checkpoints of {size / 1e6:.0f} MB"
        )


def peak(precision: str, a: str, b: str, base: str, tokens: str) -> None:
    """In a process of its own: print how far memory rose above what the libraries take, and how
    far it rises by reading alone."""
    data = {"validation": read_encoded(Path(tokens), "validation")}
    with tempfile.TemporaryDirectory() as folder:
        # A tiny model of the same kind loads and touches all that the libraries need.
        config = AutoConfig.from_pretrained(a)
        config.update({"hidden_size": 8, "num_attention_heads": 2, "intermediate_size": 8})
        AutoModelForSequenceClassification.from_config(config).save_pretrained(folder)
        _one_point(precision, data, folder, folder, folder)
    before = _from_here()
    activations = _one_point(precision, data, a, b, base)
    print(_status("VmHWM") - before, activations)


def _one_point(precision: str, data: dict[str, Any], a: str, b: str, base: str) -> int:
    """Evaluate a point and measure how far its ends are apart; returns bytes of activations."""
    engine = Engine(data, EngineSettings(precision), Path(base))
    ends = Checkpoint(Path(a)), Checkpoint(Path(b))
    for wanted in ([], list(data)):  # nothing to evaluate: weights alone
        before = _status("VmRSS")
        for _ in engine.path_predictions(*ends, {0.5: wanted}):
            activations = max(0, _status("VmRSS") - before)
    engine.l2_distance(*ends)
    engine.update_cosine(*ends)
    return activations


def _from_here() -> int:
    """Let the peak of memory count from here; returns what is in use."""
    Path("/proc/self/clear_refs").write_text("5")
    return _status("VmRSS")


def workers(site: Site, place: Path) -> None:
    """Rates of one and of two workers of one thread each."""
    seconds = {}
    # Few points a path, and an even number of paths, so that neither waits for the other long.
    few = replace(site, study=_with(site.study, interpolate={"points": 4}))
    for count in (1, 2):
        here = _copy(few, place / f"workers-{count}")
        placement = Placement("cpu", threads=1, workers=count)
        with (
            working_on(here.study, here.location, Silent()) as (plan, record),
            computing_on(plan, record, Silent(), placement) as computing,
        ):
            # Workers that have loaded the libraries: a study takes longer than that.
            carry_out(range(count), _ready, _forget, _forget, pool=computing.cluster)
            started = time.perf_counter()
            paths = interpolate_paths(plan, record, Silent(), computing)
            seconds[count] = time.perf_counter() - started
    print(
        f"{paths} paths: one worker {seconds[1]:.1f} s, two {seconds[2]:.1f} s, "
        f"{seconds[1] / seconds[2]:.2f} times faster (one thread each)"
    )


def _ready(_: int, tick: object) -> None:
    import_module("lmc_track.geometry.engine")
    import_module("transformers.models.bert.modeling_bert")
    time.sleep(1)  # long enough that no worker takes the item of another


def _forget(*_: object) -> None:
    pass


def _prepared(base: Path, home: Path, models: int) -> Site:
    content: dict[str, Any] = {
        "study": {"name": "bench"},
        "task": {"name": "cola"},
        "model": {"base": str(base)},
        "finetune": {"seeds": f"0-{models - 1}", "max_steps": 1, "batch_size": 8},
        "evaluate": {"datasets": ["validation", "out_of_domain"]},
        "interpolate": {"points": len(ALPHAS) + 2},
    }
    site = Site(build_study(content), locate(str(home), f"sqlite:///{home}/mlflow.db"))
    finetune_step(site.study, site.location, Silent(), Placement("cpu"))
    return site


def _tiny(home: Path) -> Site:
    """The models of the demo, finetuned for one step."""
    content = demo_study().model_dump(mode="json", exclude_defaults=True)
    content["finetune"] = {"seeds": "0-15", "max_steps": 1}
    site = Site(build_study(content), locate(str(home), f"sqlite:///{home}/mlflow.db"))
    finetune_step(site.study, site.location, Silent(), Placement("cpu"))
    return site


def _with(study: Study, **sections: dict[str, Any]) -> Study:
    content = study.model_dump(mode="json", exclude_defaults=True)
    for name, keys in sections.items():
        content[name] = {**content.get(name, {}), **keys}
    return build_study(content)


def _copy(site: Site, to: Path) -> Site:
    """The same models and no paths: finetuned again, which costs a step each."""
    shutil.copytree(site.location.cache, to / "cache")
    location = locate(str(to), f"sqlite:///{to}/mlflow.db")
    finetune_step(site.study, location, Silent(), Placement("cpu"))
    return replace(site, location=location)


def _checkpoints(plan: Any, record: Any) -> list[Checkpoint]:
    runs = [record.index.find("model", model.key) for model in plan.facts.models]
    return [checkpoint(record, run) for run in runs]


@contextmanager
def _timed_reading() -> Iterator[list[float]]:
    """Seconds spent in forward passes while it is open."""
    spent = [0.0]
    plain: Callable[..., Any] = engine_module.read

    def timed(*arguments: Any) -> Any:
        started = time.perf_counter()
        try:
            return plain(*arguments)
        finally:
            spent[0] += time.perf_counter() - started

    engine_module.read = timed
    try:
        yield spent
    finally:
        engine_module.read = plain


def _product(dtype: torch.dtype, size: int = 2048, seconds: float = 1.0) -> float:
    """GFLOP/s of square matrix products, kept up for about as long as a point takes."""
    a, b = (torch.randn(size, size).to(dtype) for _ in range(2))
    count, started = 0, time.perf_counter()
    while (passed := time.perf_counter() - started) < seconds:
        a @ b
        count += 1
    return 2 * size**3 * count / passed / 1e9


def _status(name: str) -> int:
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith(name):
            return int(line.split()[1]) * 1024
    raise RuntimeError(f"/proc/self/status has no {name}")


def _processor() -> str:
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return f"{line.partition(':')[2].strip()}, {len(os.sched_getaffinity(0))} cores"
    return "unknown processor"


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--base", help="folder of a pretrained encoder")
    parser.add_argument(
        "--models", type=int, default=4, help="models, all pairs of which are paths"
    )
    parser.add_argument("--sentences", type=int, default=64, help="timed for the published way")
    parser.add_argument("--peak", nargs=5, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.peak:
        peak(*options.peak)
        sys.exit(0)
    if not options.base:
        parser.error("--base is needed")
    return options


if __name__ == "__main__":
    main()
