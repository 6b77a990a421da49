"""The study file: what a study may say, how it is read, which models it plans."""

from lmc_track.study.reading import build_study, read_study, restore_study
from lmc_track.study.sections import Study
from lmc_track.study.seeds import ModelSeeds, parse_seeds

__all__ = ["ModelSeeds", "Study", "build_study", "parse_seeds", "read_study", "restore_study"]
