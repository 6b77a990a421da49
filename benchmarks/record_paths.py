"""Recording paths with all their points: one transaction a path against one call after another.

    python benchmarks/record_paths.py --paths 4950 --client-paths 50

Both write runs of one kind, with four metrics a point, to a new SQLite store in WAL mode, without
their artifacts. Prints seconds, runs per second and the ratio of the rates.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from contextlib import nullcontext
from pathlib import Path

from lmc_track.tracking.location import locate
from lmc_track.tracking.recorder import MetricValue, Recorder
from lmc_track.tracking.store import Store


def record(recorder: Recorder, paths: int, points: int, *, together: bool) -> float:
    """Seconds that it takes to record ``paths`` paths of ``points`` points each."""
    begun = time.perf_counter()
    for number in range(paths):
        with recorder.together() if together else nullcontext():
            path = recorder.start("path", f"path-{number}", f"path {number}", "A path.")
            recorder.log(path, params={"model_a": "a", "model_b": "b", "precision": "fp32"})
            for k in range(1, points + 1):
                point = recorder.start(
                    "point", f"point-{number}-{k}", f"alpha {k}", "A point.", parent=path.run_id
                )
                recorder.log(
                    point,
                    params={"alpha": repr(k / (points + 1)), "model_a": "a", "model_b": "b"},
                    metrics=[MetricValue(f"m{m}/validation", k / 7 + m) for m in range(4)],
                    tags={"lmc.eval.validation": "d" * 64},
                )
                recorder.finish(point)
            curve = [MetricValue("loss/validation", k / 7, step=k) for k in range(points + 2)]
            recorder.log(path, metrics=curve, tags={"lmc.eval.validation": "d" * 64})
            recorder.finish(path)
    return time.perf_counter() - begun


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--paths", type=int, default=100)
    parser.add_argument("--client-paths", type=int, help="fewer for the client, which is slow")
    parser.add_argument("--points", type=int, default=9, help="interior points of a path")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        store = Store(locate(folder, f"sqlite:///{folder}/mlflow.db"))
        rates = {}
        for together in (True, False):
            name = "together" if together else "one by one"
            paths = given.paths if together else given.client_paths or given.paths
            root = (Path(folder) / "artifacts" / str(together)).as_uri()
            experiment = store.client.create_experiment(name, artifact_location=root)
            recorder = Recorder(store, name, experiment)
            record(recorder, 1, 1, together=together)  # what is loaded on first use is not timed
            seconds = record(recorder, paths, given.points, together=together)
            runs = paths * (given.points + 1)
            rates[name] = runs / seconds
            print(f"{name:10}  {runs:7,} runs  {seconds:7.2f} s  {rates[name]:7.0f} runs/s")
        print(f"ratio {rates['together'] / rates['one by one']:.1f}")


if __name__ == "__main__":
    main()
