"""How many processes a piece of work is worth."""

from __future__ import annotations

from lmc_track.execution.placement import cores
from lmc_track.models.threads import SMALL

# A worker takes some seconds to start. A small model reads about 5,000 examples a second.
_WORTH_EXAMPLES = 100_000

# A worker holds its own copy of the libraries, some 400 MB.
_MOST_WORKERS = 8


def worth_sharing(weights: int, items: int, examples: int) -> int:
    """The number of processes for ``items`` independent pieces of work.

    ``weights`` are those of the model, ``examples`` counts how often it reads one in all of
    the work (an example learned from counts three times, for forward and backward). A small model
    is computed with one thread, so that other cores would stand idle; larger ones use every
    core by themselves and stay in one process.
    """
    if weights >= SMALL or examples < _WORTH_EXAMPLES:
        return 1
    return max(1, min(cores(), items, _MOST_WORKERS))
