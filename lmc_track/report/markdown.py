"""The report of a study as GitHub-flavoured Markdown, with the paper's figures as pictures.

Sections, sentences and tables are those of the HTML page; figures and captions are the paper's.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from urllib.parse import quote

from lmc_track.report import wording
from lmc_track.report.facts import Facts, Source
from lmc_track.report.figures.figure import PaperFigure
from lmc_track.report.findings import sentences
from lmc_track.report.markdown_text import code_block, image, inline, paragraph, table
from lmc_track.report.section import Section
from lmc_track.report.sections import read_exhibits, sections
from lmc_track.report.tables import Cell, Column, Table


def render_markdown(
    results: Source,
    facts: Facts,
    *,
    figures: Sequence[PaperFigure],
    images: str,
    provenance: Mapping[str, str],
    commands: Sequence[tuple[str, str]],
    clustering: str | None = None,
) -> str:
    """The report as text; ``figures`` are looked for as ``NAME.png`` in the folder ``images``,
    which is named from the file's own folder. For the rest see ``render_report``.
    """
    shown = sections(results, facts, read_exhibits(results, facts, clustering), clustering)
    known = {section.key for section in shown}
    parts = [
        *_head(facts),
        *(part for section in shown for part in _section(section, figures, images)),
        *_further([figure for figure in figures if figure.section not in known], images),
        *_provenance(facts, provenance, commands),
    ]
    return "\n\n".join(parts) + "\n"


def _head(facts: Facts) -> Iterator[str]:
    yield f"# {inline(facts.study)}"
    if facts.summary["description"]:
        yield paragraph(facts.summary["description"])
    precision = f" · evaluated in {facts.summary['precision']}" if facts.has_examples else ""
    yield paragraph(
        f"Linear mode connectivity · task {facts.summary['task']} · base "
        f"{wording.base_name(facts.summary['base'])}{precision} · recorded "
        f"{facts.summary['created']:%Y-%m-%d}"
    )
    yield "## Findings"
    yield "\n".join(f"{n}. {paragraph(text)}" for n, text in enumerate(sentences(facts), start=1))


def _section(section: Section, figures: Sequence[PaperFigure], images: str) -> Iterator[str]:
    yield f"## {inline(section.title)}"
    if section.lede:
        yield paragraph(section.lede)
    for figure in figures:
        if figure.section == section.key:
            yield from _picture(figure, images)
    for content in (*section.tables, *section.folded):
        yield table(content)
    if section.queries:
        yield f"The {'query' if len(section.queries) == 1 else 'queries'} behind this:"
        yield code_block(section.queries)


def _picture(figure: PaperFigure, images: str) -> Iterator[str]:
    yield image(figure.title, quote(f"{images}/{figure.name}.png"))
    yield paragraph(figure.caption)


def _further(figures: Sequence[PaperFigure], images: str) -> Iterator[str]:
    """Figures that no section speaks of, with the queries behind them."""
    if figures:
        yield "## Further figures"
    for figure in figures:
        yield f"### {inline(figure.title)}"
        yield from _picture(figure, images)
        yield code_block(figure.queries)


def _provenance(
    facts: Facts, provenance: Mapping[str, str], commands: Sequence[tuple[str, str]]
) -> Iterator[str]:
    yield "## Provenance"
    yield paragraph(
        f"Every number above is computed from the recorded runs of {facts.study}, through the "
        "named queries; these commands repeat it."
    )
    for purpose, command in commands:
        yield paragraph(f"{purpose}:")
        yield code_block([command])
    if provenance:
        columns = (Column("what", numeric=False), Column("value", numeric=False))
        rows = tuple((Cell(name), Cell(value)) for name, value in provenance.items())
        yield table(Table("What the numbers rest on", columns, rows))
