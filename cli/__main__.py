"""``python -m lmc_track.cli``."""

from .main import main

main()
