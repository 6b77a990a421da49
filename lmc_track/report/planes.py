"""Planes through three models in the report: what is said of them."""

from __future__ import annotations

from collections.abc import Iterator

from lmc_track.report import wording
from lmc_track.report.facts import Facts, Row, Source
from lmc_track.report.plane_plots import planes_figure
from lmc_track.report.plane_views import Plane, read_planes
from lmc_track.report.section import Section, command
from lmc_track.report.tables import Cell, Column, Table, gap_text


def planes_section(source: Source, facts: Facts, clustering: str | None) -> Iterator[Section]:
    """What the planes of the study show; nothing where it has none."""
    planes = read_planes(source, facts, clustering)
    if not planes:
        return
    dataset = next(iter(planes[0].routes))
    routes = [route for plane in planes for route in plane.routes.get(dataset, [])]
    yield Section(
        "planes",
        "Planes",
        planes_lede(planes, routes, dataset),
        figure="planes",
        plot=planes_figure(planes),
        caption=(
            "Every point is a model whose weights lie on the plane through those of three models, "
            "evaluated on all examples of the set, discovery and held-out; axes are distances of "
            "weights. Marks are the three models, dashed lines the straight lines between them, "
            "solid lines the best routes over the points of the grid. One colour scale for all "
            "planes of a view: it spans what is found between the models, and its last colours "
            "stand for anything beyond. A plane shows nothing of the space around it."
        ),
        tables=(routes_table(planes, dataset),) if routes else (),
        queries=(
            command(facts, "planes", clustering),
            command(facts, "plane_routes", clustering),
            *(command(facts, "plane", plane=plane.row["plane_id"]) for plane in planes),
        ),
        part="Geometry",
    )


def planes_lede(planes: list[Plane], routes: list[Row], dataset: str) -> str:
    """Where the straight line costs most, and how much of it a way round in the plane saves."""
    if len(planes) == 1:
        named = f"On the plane through {wording.listing(planes[0].names)}"
    else:
        named = f"On {wording.word(len(planes))} planes through three models each"
    if not routes:
        return f"{named} the loss was measured at {_points(planes)} points."
    pairs = _pairs(routes)
    top = max(pairs, key=lambda pair: (_straight(pair), pair["route_barrier"]))
    pair = f"between {top['model_a']} and {top['model_b']}"
    route = "the best route over the grid" if len(planes) == 1 else "the best route over any grid"
    best = f"{route} rises {wording.nats(_rise(top['route_barrier']))}"
    higher = f"above the higher of the two models' losses on {dataset}"
    if top["straight_barrier"] is None:
        most = ", the most of any two" if len(pairs) > 1 else ""
        said = f"{named} {best} {higher} {pair}{most}."
    else:
        said = (
            f"{named} the straight line {pair} rises {'most, ' if len(pairs) > 1 else ''}"
            f"{wording.nats(_rise(top['straight_barrier']))} {higher}; {best}."
        )
    within = [_best(pair) for pair in pairs if pair["same_cluster"]]
    between = [_best(pair) for pair in pairs if pair["same_cluster"] is False]
    if within and between:
        said += (
            " By the lower of straight line and best route the loss rises at most "
            f"{wording.nats(_rise(max(within)))} between models of one cluster and at least "
            f"{wording.nats(_rise(min(between)))} between models of two."
        )
    return said


def _pairs(routes: list[Row]) -> list[Row]:
    """The lowest route of every two models: they may be on several planes."""
    lowest: dict[tuple[str, str], Row] = {}
    for route in sorted(routes, key=lambda route: float(route["route_barrier"])):
        lowest.setdefault((route["model_a"], route["model_b"]), route)
    return list(lowest.values())


def _points(planes: list[Plane]) -> str:
    return f"{sum(len(plane.xs) * len(plane.ys) for plane in planes):,}"


def _straight(route: Row) -> float:
    found = route["straight_barrier"]
    return -1.0 if found is None else float(found)


def _best(route: Row) -> float:
    known = (route["straight_barrier"], route["route_barrier"])
    return min(float(rise) for rise in known if rise is not None)


def _rise(value: float) -> float:
    """What is below a ten-thousandth of a nat is none."""
    return value if value >= 5e-5 else 0.0


def routes_table(planes: list[Plane], dataset: str) -> Table:
    """A row for every pair of models on every plane."""
    columns = (
        Column("plane", numeric=False), Column("from", numeric=False), Column("to", numeric=False),
        Column("weight distance"), Column("straight line rises"), Column("best route rises"),
        Column("route's length"),
    )  # fmt: skip
    rows = []
    for plane in planes:
        cluster = dict(zip(plane.names, (plane.row[f"cluster_{s}"] for s in "abc"), strict=True))
        for route in plane.routes.get(dataset, []):
            rows.append(
                (
                    Cell(", ".join(plane.names)),
                    *(Cell(route[m], cluster=cluster[route[m]]) for m in ("model_a", "model_b")),
                    Cell(wording.number(route["l2_distance"])),
                    Cell(gap_text(route["straight_barrier"])),
                    Cell(gap_text(route["route_barrier"])),
                    Cell(wording.number(route["route_length"])),
                )
            )
    return Table(
        f"How far the loss on {dataset} rises above the higher of the two models' own, in nats: on "
        "their straight line, where its path is on record, and on the best route over the grid",
        columns,
        tuple(rows),
    )
