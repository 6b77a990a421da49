"""The report of a study: one HTML page that needs no network and no other file."""

from __future__ import annotations

import json
import shlex
from base64 import b64encode
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from importlib.resources import files
from itertools import groupby
from typing import Any

from lmc_track.plain_text import json_safe, printable
from lmc_track.report import wording
from lmc_track.report.facts import Facts, Source
from lmc_track.report.findings import sentences
from lmc_track.report.glossary import Glossary, dataset_entries
from lmc_track.report.palette import CLUSTER_COLOURS
from lmc_track.report.sections import read_exhibits, sections
from lmc_track.warehouse.library import queries

_TEMPLATES = ("page.html", "table.html")
_SCRIPTS = ("figures.js", "matrix.js", "paths.js", "page.js")
_LONGEST_PART = 18
_PROGRAM = """
"use strict";
(() => {
%s
})();
"""


@dataclass(frozen=True)
class Headline:
    """One of the numbers at the top of the page."""

    value: str
    label: str


def render_report(
    results: Source,
    facts: Facts,
    *,
    provenance: Mapping[str, str],
    commands: Sequence[tuple[str, str]],
    clustering: str | None = None,
    runs_url: str = "",
    runs_command: str = "",
) -> str:
    """The page of a study as HTML text: its ``facts``, as gathered from ``results``, and more.

    ``provenance`` are (what, value) lines and ``commands`` (what for, command) lines for the last
    section. ``clustering`` is the one that the facts were gathered with. A run of MLflow is at
    ``runs_url`` with its id in the place of ``{run}``. Where that is empty no link leads to a run,
    since it would be dead for whoever gets only the page: its id is shown, and ``runs_command``,
    which opens the MLflow UI. The same results give the same page.
    """
    from plotly.offline import get_plotlyjs

    shown = sections(results, facts, read_exhibits(results, facts, clustering), clustering)
    drawn = {section.figure: section.plot for section in shown if section.plot is not None}
    if "matrix" in drawn:
        reached = {"runs_url": runs_url, "runs_command": runs_command}
        drawn["matrix"] = {**drawn["matrix"], **reached}
    script = _PROGRAM % "\n".join(_read(name) for name in _SCRIPTS)
    plotly = get_plotlyjs() if drawn else ""
    glossary = Glossary(dataset_entries(facts))
    template = _environment(glossary).get_template("page.html")
    page: str = template.render(
        study=facts.study,
        facts=facts,
        base=wording.base_name(facts.summary["base"]),
        findings=sentences(facts),
        headlines=headlines(facts),
        sections=shown,
        parts=[(part, list(of)) for part, of in groupby(shown, key=lambda s: s.part)],
        runs_url=runs_url,
        runs_command=runs_command,
        glossary=glossary,
        provenance=provenance,
        commands=commands,
        created=facts.summary["created"].strftime("%Y-%m-%d"),
        n_colours=CLUSTER_COLOURS,
        figures=embedded_json(drawn),
        style=_read("page.css"),
        script=script,
        plotly=plotly,
        policy=content_policy([plotly, script]),
    )
    return page


def headlines(facts: Facts) -> list[Headline]:
    """The numbers that the study comes down to."""
    shown = [
        Headline(f"{facts.models.height:,}", "model" if facts.models.height == 1 else "models")
    ]
    if facts.pairs.height and (facts.has_paths or facts.summary["grid_points"] > 2):
        possible, complete = facts.pairs.height, facts.measured.height
        value = f"{complete:,}" if complete == possible else f"{complete:,} / {possible:,}"
        shown.append(Headline(value, "pairs measured"))
        shown.append(Headline(f"{facts.summary['n_points']:,}", "interpolated models"))
    if facts.found is not None and facts.models.height > 1:
        n = facts.found.n_clusters
        shown.append(Headline(f"{n}", "cluster" if n == 1 else "clusters"))
    several = facts.found is not None and facts.found.n_clusters > 1
    for kind, label in (
        (("within", "mean gap within, nats"), ("between", "mean gap between, nats"))
        if several
        else (("all", "mean gap, nats"),)
    ):
        row = facts.gaps.get(kind)
        if row is not None and row["mean"] is not None:
            shown.append(Headline(wording.gap(row["mean"]).replace("less than ", "< "), label))
    p = facts.found.statistics.get("p_value") if facts.found else None
    if p is not None and facts.models.height > 1:
        text = wording.p_value(p).removeprefix("p ").removeprefix("= ")
        shown.append(Headline(text, "p of the best division"))
    return shown


def _query_name(command: str) -> str:
    """The query of ``lmc-track query NAME …``."""
    return shlex.split(command)[2]


def embedded_json(value: Any) -> str:
    """``value`` as JSON that can stand inside a script element whatever text is in it."""
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    for character in "<>&":
        text = text.replace(character, f"\\u{ord(character):04x}")
    return json_safe(text)


def content_policy(scripts: Sequence[str]) -> str:
    """What a browser may do with the page: run these ``scripts`` and no other, and load nothing.

    The plotting library sets styles of its own, and makes a picture of a figure as a blob.
    """
    hashes = (b64encode(sha256(text.encode()).digest()).decode() for text in scripts if text)
    allowed = " ".join(f"'sha256-{digest}'" for digest in hashes)
    return (
        f"default-src 'none'; script-src {allowed}; style-src 'unsafe-inline'; "
        "img-src data: blob:; base-uri 'none'; form-action 'none'"
    )


def _environment(glossary: Glossary) -> Any:
    from jinja2 import DictLoader, Environment, StrictUndefined

    environment = Environment(
        loader=DictLoader({name: _read(name) for name in _TEMPLATES}),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=_finished,
    )
    environment.filters["unbroken"] = wording.unbroken
    environment.tests["unwieldy"] = _is_unwieldy
    environment.filters["words"] = glossary.mark
    environment.filters["query_name"] = _query_name
    environment.filters["sql"] = lambda command: queries()[_query_name(command)].sql
    return environment


def _is_unwieldy(text: str) -> bool:
    """Whether a part of ``text`` is too long to stand in one line of a printed table."""
    return any(len(part) > _LONGEST_PART for part in text.split())


def _finished(value: Any) -> Any:
    """Marks that turn the direction of writing reach beyond the text that they stand in."""
    return printable(value) if type(value) is str else value


def _read(name: str) -> str:
    return (files("lmc_track.report") / name).read_text(encoding="utf-8")
