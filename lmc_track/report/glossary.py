"""The words of the page: what each means, and a link to that where it stands first.

A word links to its entry, so the explanation can be reached by touch and keyboard and is there in
print; a mouse shows it at the word. Knows nothing of sections: texts are marked in the order in
which the page shows them.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from markupsafe import Markup, escape

from lmc_track.plain_text import printable
from lmc_track.report import wording
from lmc_track.report.facts import Facts, Row

_MOST_SUBSETS = 6


@dataclass(frozen=True)
class Entry:
    """``names`` are the forms by which texts mention it; the first letter of one that begins with
    a small letter may be a capital. ``key`` is unique on the page and fit for an id."""

    key: str
    title: str
    meaning: str
    names: tuple[str, ...]


def _word(title: str, meaning: str, *names: str) -> Entry:
    key = re.sub(r"[^a-z0-9]+", "-", title.replace("τ", "tau").replace("α", "alpha").lower())
    return Entry(f"word-{key.strip('-')}", title, meaning, names or (title,))


WORDS = (
    _word(
        "AUC",
        "How often a model of the cluster scores more than one outside, ties counted half: 0.5 is "
        "no difference, 0 and 1 a complete one. A model in the wrong cluster can leave it at 1.",
    ),
    _word(
        "α",
        "The place on a path: 0 at its first model, 1 at its second. The weights there are "
        "(1 − α) times the first model's plus α times the second's.",
    ),
    _word(
        "barrier height",
        "How far the loss rises above the straight line between the two models' own losses, at "
        "the highest over the whole path.",
        "barrier height", "barriers", "barrier",
    ),
    _word(
        "base model",
        "The pretrained model that every model of the study was finetuned from, with weights θ₀.",
        "base model", "base", "θ₀",
    ),
    _word(
        "calibrated loss",
        "The loss after the logits of each model were divided by one number, its temperature, "
        "which makes its confidence fit its accuracy.",
    ),
    _word(
        "centroid",
        "The mean place of a cluster's models in the embedding of their gaps.",
        "centroids", "centroid",
    ),
    _word(
        "chord",
        "The straight line between the losses at the two ends of a convexity gap.",
    ),
    _word(
        "cluster",
        "Models that low paths join to each other and not to the rest. Clusters are found from "
        "the gaps alone, without what models score.",
        "clusters", "cluster",
    ),
    _word(
        "complete linkage",
        "Models are joined only where every two of them have a gap of at most τ.",
    ),
    _word(
        "components",
        "Groups of models that are left when all pairs with a gap of at most τ are joined.",
        "components", "component",
    ),
    _word(
        "convexity gap",
        "The greatest barrier over all parts of a path: how far the loss rises above the straight "
        "line between two points of the path at its worst. 0 means that the loss along the path "
        "is convex.",
        "convexity gaps", "convexity gap", "mean gap", "gaps", "gap",
    ),
    _word(
        "corrected p",
        "A p value multiplied for the number of comparisons made, so that chance alone makes any "
        "of them small no more often than p says.",
    ),
    _word(
        "diagnostic",
        "A data set on which models that score alike on validation can differ. The primary "
        "diagnostic was named before anything was measured.",
        "primary diagnostic", "diagnostics", "diagnostic",
    ),
    _word(
        "discovery, held-out",
        "Two fixed halves of every evaluation set. Clusters are found on the discovery examples "
        "and reported on the held-out ones.",
        "discovery", "held-out", "held out",
    ),
    _word(
        "embedding",
        "Places for the models, such that those with a large gap between them lie far apart.",
    ),
    _word(
        "excess",
        "The loss of an example at the point of the gap, less the chord there.",
    ),
    _word(
        "interval, 95%",
        "A range made so that it holds the true mean in 95 of 100 studies like this one.",
        "95% interval", "95 % interval", "95% intervals",
    ),
    _word(
        "linearly disconnected",
        "No chain of low straight paths joins the models. Curved paths were not tried.",
    ),
    _word(
        "logit ensemble",
        "The classifier that averages the logits of a pair's two models, in the shares in which a "
        "point of the path averages their weights.",
    ),
    _word(
        "logits",
        "The scores that a model gives to the labels, before they are made probabilities.",
    ),
    _word(
        "loss",
        "The mean over examples of −log of the probability that a model gives to the true label.",
        "losses", "loss",
    ),
    _word(
        "Mantel test",
        "Whether two tables of distances between the same models agree more than they do when the "
        "models of one are permuted.",
    ),
    _word(
        "nats",
        "The unit of the loss, by natural logarithms. Guessing between two labels costs 0.69 nats, "
        "between three 1.10.",
    ),
    _word(
        "p value",
        "How often chance alone would show at least as much, if there were nothing to find.",
        "p value", "p values", "p of the best division", "p",
    ),
    _word(
        "path",
        "The straight line between the weights of two models. Its points are models too, called "
        "interpolated.",
        "paths", "path", "interpolated models", "interpolated model", "interpolated ones",
        "interpolated one",
    ),
    _word(
        "published procedure",
        "The clustering of Juneja et al. 2023, which always makes two clusters.",
        "published procedure", "juneja2023",
    ),
    _word(
        "r (correlation)",
        "Pearson's correlation: 1 or −1 where points lie on a line, 0 where neither rises with the "
        "other.",
        "r",
    ),
    _word(
        "saved by averaging",
        "The chord less the loss of the classifier that averages the logits of the two ends "
        "instead of their weights. It is never below 0 and never more than the chord itself.",
    ),
    _word(
        "separated, connected, undecided",
        "What the examples allow to say of a pair at a tolerance τ: its gap is larger than τ, at "
        "most τ, or neither is sure. Statements are about these models, on examples like these.",
        "separated", "connected", "undecided",
    ),
    _word(
        "silhouette",
        "How much nearer models are to those of their own cluster than to those of the next: 1 is "
        "best, 0 is on the border, below 0 is in the wrong cluster.",
    ),
    _word(
        "single linkage",
        "Models are joined by chains of pairs whose gaps are at most τ, however large the gap "
        "between the ends of a chain is.",
    ),
    _word(
        "τ (tau)",
        "A tolerance, in nats or in points of error: gaps of at most τ count as none.",
        "τ",
    ),
    _word(
        "verdict",
        "The clustering that is reported: the models are one cluster unless neither chance, nor "
        "noise of measurement, nor single models explain their gaps.",
    ),
    _word(
        "within, between",
        "Pairs of models of one cluster, and of two clusters.",
        "within clusters", "between clusters", "mean gap within", "mean gap between",
    ),
)  # fmt: skip
"""All words that a page may explain, by title."""

_ROLES = {
    "validation": "The set that the gaps are measured on",
    "diagnostic": "A set on which models that score alike on validation can differ",
}


def dataset_entries(facts: Facts) -> list[Entry]:
    """What each evaluation set of the study is, as far as that is on record."""
    entries = []
    for number, row in enumerate(facts.datasets.iter_rows(named=True)):
        name = row["dataset"]
        entries.append(Entry(f"data-{number}", name, _of_dataset(facts, row), (name,)))
    return entries


def _of_dataset(facts: Facts, row: Row) -> str:
    role = row["role"].replace("_", " ")
    said = [_ROLES.get(role, f"A set for {role}")]
    if row["dataset"] == facts.primary.dataset:
        said[0] = f"{said[0]}; the study's primary diagnostic"
    if row["n_examples"] is not None:
        held_out = f", {row['n_held_out']:,} of them held out" if row["n_held_out"] else ""
        said.append(f"{wording.count(row['n_examples'], 'example')}{held_out}")
    if row["subsets"]:
        said.append(f"Subsets: {wording.listing(row['subsets'], limit=_MOST_SUBSETS)}")
    if row["source"]:
        said.append(f"Source: {row['source']}")
    return f"{'. '.join(said)}."


class Glossary:
    """Marks words in the texts of one page, each where it comes first.

    It is asked in the order of the page; ``entries`` at its end.
    """

    def __init__(self, datasets: Sequence[Entry] = (), words: Sequence[Entry] = WORDS) -> None:
        self._datasets, self._words = list(datasets), list(words)
        self._of: dict[str, Entry] = {}
        # Where a data set is called by a word of the page, texts mean the word.
        for entry in (*self._words, *self._datasets):
            for name in entry.names:
                self._of.setdefault(name, entry)
                if name[:1].islower() and entry in self._words:
                    self._of.setdefault(wording.capital(name), entry)
        self._linked: set[str] = set()
        self._pattern = _pattern(self._of)

    def mark(self, text: str) -> Markup:
        """``text`` as HTML in which words that the page has not explained yet are links."""
        parts, end = [], 0
        for match, entry in self._mentions(text):
            if entry.key in self._linked:
                continue
            self._linked.add(entry.key)
            parts.append(_shown(text[end : match.start()]))
            parts.append(
                Markup('<a class="word" href="#{}" title="{}">{}</a>').format(
                    entry.key, printable(entry.meaning), printable(match[0])
                )
            )
            end = match.end()
        return Markup().join([*parts, _shown(text[end:])])

    def entries(self) -> list[Entry]:
        """The words that the page uses, with those that their explanations use, by title."""
        used = {entry.key: entry for entry in self._words if entry.key in self._linked}
        waiting = [*used.values(), *self._datasets]
        while waiting:
            for _, entry in self._mentions(waiting.pop().meaning):
                if entry.key not in used and entry in self._words:
                    used[entry.key] = entry
                    waiting.append(entry)
        return sorted(used.values(), key=lambda entry: entry.title.lower())

    def datasets(self) -> list[Entry]:
        """All data sets of the study, in its order."""
        return self._datasets

    def _mentions(self, text: str) -> Iterator[tuple[re.Match[str], Entry]]:
        if self._pattern is None:
            return
        for match in self._pattern.finditer(text):
            # Spaces that no line may break at are spaces of the name.
            yield match, self._of[match[0].replace("\u00a0", " ")]


def _pattern(names: dict[str, Entry]) -> re.Pattern[str] | None:
    """Any of the names as a word of its own, the longest where several fit.

    A lone letter is only a name before a sign, as in ``p = .03``, or as the whole of a text.
    """
    forms = []
    for name in sorted(names, key=len, reverse=True):
        form = re.escape(name).replace(r"\ ", "[ \u00a0]")
        if len(name) == 1 and name.isascii():
            form = f"(?:{form}(?=[ \u00a0][=<])|^{form}$)"
        forms.append(form)
    # Letters, digits and signs that stand inside names are no ends of a word.
    return re.compile(rf"(?<![\w·./-])(?:{'|'.join(forms)})(?![\w-])") if forms else None


def _shown(text: str) -> Markup:
    return escape(printable(text))
