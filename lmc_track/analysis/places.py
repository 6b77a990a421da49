"""Where models are in the plane that shows most of their gaps."""

from __future__ import annotations

import numpy as np

from lmc_track.analysis.clustering import Floats

_DIMENSIONS = 2


def principal_places(gaps: Floats) -> Floats:
    """Principal coordinates (n, 2) of models with ``gaps`` (n, n), taken as squared distances.

    Classical scaling (Torgerson 1952): in the units of the square root of a gap. The sign of an
    axis is arbitrary; the coordinate that is largest in size is positive. A dimension that the
    gaps do not have is 0.
    """
    n = len(gaps)
    centred = gaps - gaps.mean(0) - gaps.mean(1)[:, None] + gaps.mean()
    values, vectors = np.linalg.eigh(-centred / 2)
    places = np.zeros((n, _DIMENSIONS))
    for axis in range(min(_DIMENSIONS, n)):
        value, vector = values[-1 - axis], vectors[:, -1 - axis]
        if value > 1e-12:
            largest = vector[np.abs(vector).argmax()]
            places[:, axis] = np.sign(largest) * vector * np.sqrt(value)
    return places
