"""The file beside the figures: captions to paste, and what every figure rests on."""

from __future__ import annotations

import json
from collections.abc import Sequence

from lmc_track.report.facts import Facts
from lmc_track.report.figures.figure import FORMATS, PaperFigure

NAME = "figures.json"


def figures_index(facts: Facts, figures: Sequence[PaperFigure]) -> str:
    """JSON: of the study its half, grid and clustering; of each figure files, caption, numbers.

    The same results give the same text.
    """
    found = facts.found
    content = {
        "study": facts.study,
        "half": facts.half,
        "alphas": list(facts.summary["alphas"]),
        "precision": facts.summary["precision"],
        "clustering": None
        if found is None
        else {"method": found.method, "sizes": list(found.sizes.values())},
        "figures": [
            {
                "name": figure.name,
                "files": [f"{figure.name}.{kind}" for kind in FORMATS],
                "size_inches": list(figure.size),
                "title": figure.title,
                "caption": figure.caption,
                **figure.counts,
                "queries": list(figure.queries),
            }
            for figure in figures
        ],
    }
    return json.dumps(content, ensure_ascii=False, indent=2, allow_nan=False) + "\n"
