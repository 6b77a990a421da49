"""One figure of a paper: its drawing, what to write under it, and the bytes of its files."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from io import BytesIO
from typing import TYPE_CHECKING, Any

from lmc_track.report.curve_views import CurveView
from lmc_track.report.decisions import Decisions
from lmc_track.report.facts import Facts, Source
from lmc_track.report.figures.style import styled
from lmc_track.report.module_views import ModuleViews

if TYPE_CHECKING:
    from matplotlib.figure import Figure

FORMATS = ("pdf", "svg", "png")

# No dates: the same results give the same bytes.
_UNDATED: Mapping[str, Mapping[str, None]] = {
    "pdf": {"CreationDate": None},
    "svg": {"Date": None},
    "png": {},
}


@dataclass(frozen=True)
class Subject:
    """What figures are drawn of, read once; None where the study has none.

    ``clustering`` is the one that the facts were gathered with.
    """

    source: Source
    facts: Facts
    curves: Sequence[CurveView] = ()
    modules: ModuleViews | None = None
    decisions: Decisions | None = None
    clustering: str | None = None

    def query(self, name: str, **params: Any) -> Any:
        """The query ``name`` of this study and clustering."""
        asked = {"study": self.facts.study, "clustering": self.clustering, **params}
        return self.source.query(name, **asked)


@dataclass(frozen=True, repr=False)
class PaperFigure:
    """``name`` is the stem of its files, ``section`` the key of the report's section it belongs to.

    ``caption`` can be pasted under it. ``counts`` are what it rests on: numbers of models and
    pairs, half, metric, and the like. ``queries`` are commands that print the rows behind it.
    """

    name: str
    section: str
    title: str
    caption: str
    drawing: Figure
    counts: Mapping[str, Any] = field(default_factory=dict)
    queries: tuple[str, ...] = ()
    style: Mapping[str, Any] = field(default_factory=dict)

    @property
    def size(self) -> tuple[float, float]:
        """Width and height, inches."""
        width, height = self.drawing.get_size_inches()
        return round(float(width), 3), round(float(height), 3)

    def rendered(self, kind: str) -> bytes:
        """The bytes of its file of ``kind``, one of ``FORMATS``; the same each time."""
        return self._written(kind, 300)

    def _written(self, kind: str, dpi: int) -> bytes:
        stream = BytesIO()
        with styled(self.style):
            self.drawing.savefig(stream, format=kind, dpi=dpi, metadata=dict(_UNDATED[kind]))
        return stream.getvalue()

    def __repr__(self) -> str:
        width, height = self.size
        return f"<PaperFigure {self.name}, {width:g} × {height:g} in>"

    def _repr_png_(self) -> bytes:
        """What a notebook shows."""
        return self._written("png", 150)
