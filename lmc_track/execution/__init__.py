"""Where work runs: in this process or in others, with one place where results are written.

Refuses to know what the work is.
"""

from lmc_track.execution.board import Tick
from lmc_track.execution.carry import Failure, carry_out
from lmc_track.execution.placement import Placement
from lmc_track.execution.pools import Here, Pool
from lmc_track.execution.processes import Processes
from lmc_track.execution.share import worth_sharing

__all__ = [
    "Failure",
    "Here",
    "Placement",
    "Pool",
    "Processes",
    "Tick",
    "carry_out",
    "worth_sharing",
]
