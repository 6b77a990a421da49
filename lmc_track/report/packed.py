"""Arrays as the page carries them: half precision, base64.

Knows the form that the page's script unpacks. Half precision keeps three significant digits, which
is what the figures show; the results file has them all.
"""

from __future__ import annotations

from base64 import b64encode
from typing import Any

import numpy as np
from numpy.typing import NDArray

_LARGEST = float(np.finfo(np.float16).max)


def packed(values: NDArray[np.float64]) -> dict[str, Any]:
    """``values`` of any shape as ``{"f16": base64 of little-endian float16, "shape": [...]}``.

    NaN stays NaN; what is beyond half precision's range becomes its largest value.
    """
    halves = np.clip(values, -_LARGEST, _LARGEST).astype("<f2")
    return {"f16": b64encode(halves.tobytes()).decode("ascii"), "shape": list(halves.shape)}
