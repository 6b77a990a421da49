"""How the clusters were found, or why there is one, in one sentence."""

from __future__ import annotations

from lmc_track.report import wording
from lmc_track.report.facts import Facts, Found

PUBLISHED = "published"


def cluster_sentence(facts: Facts) -> str:
    """How many clusters, by which rule, and what speaks for the division."""
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
    if found.n_clusters == 1:
        return _one(found, divided)
    return _several(found, divided)


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


def _several(found: Found, divided: str) -> str:
    evidence, p_noise = _evidence(found), found.statistics.get("p_noise")
    if evidence and p_noise is not None:
        evidence += f", {wording.p_value(p_noise)} against noise of measurement"
    name = wording.capital(method_name(found.method))
    return f"{name} of the {found.half} gaps finds {divided}{': ' if evidence else ''}{evidence}."


def _evidence(found: Found) -> str:
    """Silhouette and p; the gaps that they are of are the held-out ones."""
    statistics = found.statistics
    silhouette, p = statistics.get("silhouette"), statistics.get("p_value")
    parts = []
    if silhouette is not None:
        parts.append(f"held-out silhouette {wording.share(silhouette)}")
    if p is not None:
        permuted = statistics.get("permutations") or found.settings.get("permutations")
        against = f" against {permuted:,} permuted gap matrices" if permuted else ""
        parts.append(f"{wording.p_value(p)}{against}")
    return ", ".join(parts)


def _one(found: Found, divided: str) -> str:
    text = f"{wording.capital(method_name(found.method))} leaves {divided}"
    reason = _reason(found) or _recorded(found)
    return f"{text}: {reason}." if reason else f"{text}."


def _reason(found: Found) -> str:
    """Why one cluster, from the rule's two conditions; empty where neither is known."""
    p, level = found.statistics.get("p_value"), found.settings.get("significance")
    relative = found.statistics.get("relative_gap_between")
    least = found.settings.get("least_relative_gap")
    if p is not None and (level is None or p > level):
        evidence = _evidence(found)
        return f"its best division could well be chance ({evidence})"
    if relative is not None and least is not None and relative < least:
        return (
            f"the gaps between the parts of the best division are {wording.percent(relative)} of "
            f"the way to chance, and less than {wording.percent(least)} does not count"
        )
    return ""


def _recorded(found: Found) -> str:
    """The reason as the clustering's own record gives it."""
    decision = str(found.statistics.get("decision") or "").strip().removesuffix(".")
    reason = decision.split(":", 1)[-1].strip()
    return reason[:1].lower() + reason[1:]
