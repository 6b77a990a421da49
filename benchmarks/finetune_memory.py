"""Memory of finetuning many models of one encoder in one process, model by model.

Prints the most anonymous and the most mapped memory (Linux) during each training, its
evaluation and recording.
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from lmc_track.progress import Work
from lmc_track.steps.run import finetune_step
from lmc_track.study import build_study
from lmc_track.tracking.location import Location, locate

_STEPS = 4


def resident() -> tuple[int, int]:
    """Megabytes (10^6) of this process in memory: anonymous, and mapped from files."""
    fields = dict(line.split(":", 1) for line in Path("/proc/self/status").read_text().splitlines())
    anonymous, mapped = (
        round(int(fields[name].split()[0]) * 1024 / 1e6) for name in ("RssAnon", "RssFile")
    )
    return anonymous, mapped


class Watched:
    """Notes the memory after every step; a model's is the most since its first step."""

    def __init__(self) -> None:
        self.seen: list[tuple[int, int]] = []

    def advance(self, steps: int = 1) -> None:
        self.seen.extend([resident()] * steps)

    def tell(self, text: str) -> None:
        pass

    begin = finished = tell

    def note(self, text: str) -> None:
        print(text)

    @contextmanager
    def track(self, title: str, total: int, unit: str, done: int = 0) -> Iterator[Work]:
        self.seen.clear()
        yield self


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("base", help="folder of the encoder")
    parser.add_argument("--seeds", type=int, default=8)
    options = parser.parse_args()
    study = build_study(
        {
            "study": {"name": "memory"},
            "task": {"name": "cola"},
            "model": {"base": options.base},
            "finetune": {"seeds": f"0-{options.seeds - 1}", "max_steps": _STEPS},
            "evaluate": {"datasets": ["validation"]},
        }
    )
    watched = Watched()
    with tempfile.TemporaryDirectory() as folder:
        finetune_step(study, _home(Path(folder)), watched)
    print("model  anonymous MB  mapped MB")
    for number in range(options.seeds):
        steps = watched.seen[number * _STEPS : (number + 1) * _STEPS]
        print(f"{number + 1:5}  {max(s[0] for s in steps):12,}  {max(s[1] for s in steps):9,}")


def _home(folder: Path) -> Location:
    return locate(folder / "home", None, {})


if __name__ == "__main__":
    main()
