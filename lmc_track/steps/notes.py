"""What runs of models, paths and points say of themselves on their pages in MLflow, in Markdown."""

from __future__ import annotations

from lmc_track.geometry.modules import ALL
from lmc_track.plain_text import markdown_escaped
from lmc_track.tracking.pages import run_link
from lmc_track.tracking.runs import RunEntry


def model_note(origin: str) -> str:
    """The note of a model that was evaluated here; ``origin`` says where it comes from."""
    return (
        f"{markdown_escaped(origin)}\n\n"
        "Metrics are over all examples of a data set; train/… is the training. Artifact model: "
        "the weights, or a reference to them; predictions: every example's loss and logits."
    )


def path_note(experiment_id: str, a: RunEntry, b: RunEntry, modules: str, source: str = "") -> str:
    """The note of the path from the model of run ``a`` to that of ``b``.

    ``source`` is who measured it where that was not this program.
    """
    from_a, to_b = (run_link(experiment_id, run.run_id, run.name) for run in (a, b))
    if modules == ALL:
        what = f"The straight line of weights from {from_a} (step 0) to {to_b} (step 10000)"
    else:
        what = f"{modules} of {from_a} (step 0) moves in a straight line to that of {to_b}"
    what += f", from {markdown_escaped(source)}" if source else ""
    return (
        f"{what}; steps are alpha times 10,000.\n\n"
        "Model metrics draws loss and accuracy along the path; convexity_gap and barrier_height "
        "are of the loss on the common grid, in nats. Child runs are the points. Artifact "
        "curve.json: the curves with exact alphas."
    )


def point_note(a: str, b: str, alpha: float, modules: str, source: str = "") -> str:
    """The note of the point ``alpha`` of the path from the model ``a`` to ``b``."""
    a, b, source = (markdown_escaped(text) for text in (a, b, source))
    mixture = f"{1 - alpha:.4g} of {a} and {alpha:.4g} of {b}"
    what = mixture if modules == ALL else f"{a}, whose {modules} is {mixture}"
    return f"{what}, from {source}." if source else f"{what}."
