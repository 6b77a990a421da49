"""The demo: a study that needs nothing but the program."""

from __future__ import annotations

import tomllib
from importlib.resources import files

from lmc_track.study import Study, build_study
from lmc_track.tracking.location import Location, locate


def demo_study() -> Study:
    """The study that ``lmc-track demo`` runs."""
    text = files("lmc_track.study").joinpath("demo.toml").read_text(encoding="utf-8")
    return build_study(tomllib.loads(text), source="the demo's study file")


def demo_location(home: str | None) -> Location:
    """A local home, whatever tracking server the environment names."""
    place = locate(home)
    return locate(str(place.home), f"sqlite:///{place.home}/mlflow.db")
