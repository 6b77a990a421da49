"""Whether models can be joined by lines, found out from their files before anything is computed."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from lmc_track.errors import InputError, WorkError
from lmc_track.geometry.loading import damaged_checkpoint, load_classifier
from lmc_track.geometry.weights import check_shapes
from lmc_track.geometry.weights_cache import Checkpoint
from lmc_track.models.checkpoints import stored_tensors
from lmc_track.models.configuration import differing_setting


def check_one_architecture(models: Iterable[tuple[str, Checkpoint]]) -> None:
    """Raise WorkError, naming the tensor or setting, where one of the named ``models`` differs.

    The first is loaded, of the others only headers of files are read: what has its tensors and
    its settings loads whole where it does.
    """
    first: tuple[str, Checkpoint] | None = None
    shapes: dict[str, tuple[int, ...]] = {}
    for name, one in models:
        try:
            found = _shapes(one.folder)
            if first is None:
                load_classifier(one.folder)
                first, shapes = (name, one), found
                continue
            differing = differing_setting(first[1].folder, one.folder)
        except (InputError, OSError, ValueError) as error:
            raise damaged_checkpoint(one.folder, error) from error
        check_shapes(shapes, found, first[0], name)
        if differing is not None:
            setting, ours, theirs = differing
            raise WorkError(
                f"{setting} is {ours!r} in {first[0]} and {theirs!r} in {name}",
                "Only models of one architecture can be joined by a line.",
            )


def _shapes(folder: Path) -> dict[str, tuple[int, ...]]:
    """Shapes by name, in today's spelling and without the buffers that were once saved too."""
    return {
        tensor.name.replace("LayerNorm.gamma", "LayerNorm.weight").replace(
            "LayerNorm.beta", "LayerNorm.bias"
        ): tensor.shape
        for tensor in stored_tensors(folder)
        if not tensor.name.endswith(("position_ids", "token_type_ids"))
    }
