"""How many clusters there are, who is in them, and what speaks for it."""

from __future__ import annotations

from lmc_track.analysis.verdict.published_power import power_clause
from lmc_track.report import wording
from lmc_track.report.facts import Facts, Found

PUBLISHED = "published"
_MOST_NAMED = 8
# The verdict, and what earlier versions recorded in its place.
_JUDGED = ("verdict", "spectral")


def cluster_sentence(facts: Facts) -> str:
    """How many clusters there are, and who is with whom, in one plain line."""
    found = facts.found
    if facts.models.height == 1:
        return "A single model cannot be divided into clusters."
    if found is None:
        pairs = facts.pairs.height
        return (
            f"No clustering has been made yet, so the {wording.count(pairs, 'pair')} "
            f"{'is' if pairs == 1 else 'are'} described together."
        )
    divided = _divided(found)
    if found.method == "juneja2023":
        return f"The published procedure, which always makes two clusters, gives {divided}."
    if found.method == "threshold":
        return _threshold(found, divided)
    if found.method == "planted":
        return f"The training data plant {divided}; these were not found, but known."
    if found.method == PUBLISHED:
        return f"Published memberships, which were not found here, make {divided}."
    if found.n_clusters > 1:
        return _who(facts)
    return f"No division of the models counts: there is {divided}."


def evidence_sentences(facts: Facts) -> list[str]:
    """The verdict as it was recorded, with what so many models can show; none of other methods."""
    found = facts.found
    decision = found.statistics.get("decision") if found else None
    if found is None or found.method not in _JUDGED or not decision:
        return []
    n = found.statistics.get("n_models")
    if found.method == "verdict" and found.n_clusters == 1 and isinstance(n, int):
        return [f"{decision} {wording.capital(power_clause(n))}."]
    return [str(decision)]


def method_name(method: str) -> str:
    """A clustering method as sentences name it."""
    names = {
        "juneja2023": "the published procedure",
        "threshold": "threshold components",
        PUBLISHED: "published memberships",
    }
    return names.get(method, f"{method} clustering")


def _divided(found: Found) -> str:
    sizes = list(found.sizes.values())
    if len(sizes) == 1:
        return f"one cluster of {wording.count(sizes[0], 'model')}"
    parts = wording.listing([str(size) for size in sizes], limit=6)
    return f"{wording.word(len(sizes))} clusters, of {parts} models"


def _threshold(found: Found, divided: str) -> str:
    tau, largest = found.settings.get("tau"), found.statistics.get("largest_internal_gap")
    metric = found.settings.get("metric", "loss")
    amount = wording.points if metric == "error" else wording.nats
    text = f"Joining models by chains of {metric} gaps of at most {amount(tau)} gives {divided}"
    if largest is None:
        return f"{text}."
    return f"{text}; the largest gap inside one of them is {amount(largest)}."


def _who(facts: Facts) -> str:
    """Who is with whom, in one plain sentence: names of small clusters, numbers of large ones."""
    members: dict[int, list[str]] = {}
    for name, cluster in facts.cluster_of.items():
        if cluster is not None:
            members.setdefault(cluster, []).append(name)
    groups = [members[cluster] for cluster in sorted(members)]
    named = [
        wording.listing(group, limit=_MOST_NAMED)
        if len(group) <= _MOST_NAMED
        else wording.count(len(group), "model")
        for group in groups
    ]
    if len(groups) == 2 and len(groups[0]) > _MOST_NAMED:
        verb = "is" if len(groups[1]) == 1 else "are"
        return f"{named[1]} {verb} linearly disconnected from the other {named[0]}."
    return f"Linearly disconnected from each other are {'; '.join(named)}."
