"""Where work runs: in this process or in several, with one place where results are written.

Refuses to know what the work is.
"""

from lmc_track.execution.board import Tick
from lmc_track.execution.carry import carry_out
from lmc_track.execution.share import worth_sharing

__all__ = ["Tick", "carry_out", "worth_sharing"]
