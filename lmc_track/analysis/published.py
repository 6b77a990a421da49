"""The clustering of Juneja et al. 2023 as their code makes it, of whatever it is given.

Knows matrices of gaps, in study order. It tests nothing and refuses no division: whether there
are clusters is asked elsewhere.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from lmc_track.analysis.clustering import Clustering, checked_gaps, number_clusters

Floats = NDArray[np.float64]
Labels = NDArray[np.int64]

DELTA = 1.0
"""The scale of the affinity exp(−d²/2δ²), in nats."""
N_CLUSTERS = 2
SEED = 42
# scikit-learn's default when the procedure was published; it is 1 in later versions.
_STARTS = 10


def juneja2023(gaps: Floats) -> Clustering:
    """The published procedure: spectral clustering with δ = 1 nat into k = 2, seed 42.

    ``gaps``: (n, n) in nats. It makes two clusters of whatever there is, and tests nothing;
    fewer than two models, or gaps that are all zero, are one cluster, without an embedding.

    The embedding is scikit-learn's: rows of D^−½ u for the normalized Laplacian, in whose degrees
    D the affinity of a model to itself does not count. The centroids of ``centroid_distances``
    are those of a second k-means on this embedding, which is not the one that gave the labels;
    they are numbered as the labels that they agree with best.

    Raises:
        ValueError: a gap is missing, or ``gaps`` is not a matrix of gaps.
    """
    gaps = checked_gaps(gaps, "gaps")
    n = len(gaps)
    labels = np.zeros(n, dtype=np.int64)
    places = distances = None
    if gaps.any():
        affinities: Floats = np.exp(-np.square(gaps) / (2 * DELTA**2))
        # Matrices this small are decomposed faster by one thread than by several.
        with threadpool_limits(1):
            labels = _labels(affinities)
            places, distances = _embedded(affinities, labels)
    pairs = np.triu_indices(n, 1)
    same = labels[pairs[0]] == labels[pairs[1]]
    n_clusters = int(labels.max()) + 1
    return Clustering(
        labels,
        n_clusters,
        settings={"delta": DELTA, "n_clusters": N_CLUSTERS, "seed": SEED},
        statistics={
            "n_clusters": n_clusters,
            "delta": DELTA,
            "mean_gap_within": _mean(gaps[pairs][same]),
            "mean_gap_between": _mean(gaps[pairs][~same]),
        },
        embedding=places,
        centroid_distances=distances,
    )


def _labels(affinities: Floats) -> Labels:
    from sklearn.cluster import SpectralClustering

    if len(affinities) == N_CLUSTERS:
        return np.arange(N_CLUSTERS)
    model = SpectralClustering(N_CLUSTERS, affinity="precomputed", random_state=SEED)
    return number_clusters(model.fit_predict(affinities))


def _embedded(affinities: Floats, labels: Labels) -> tuple[Floats, Floats]:
    """The embedding (n, 2), and the distances (n, 2) there to both centroids."""
    from scipy.sparse.csgraph import laplacian
    from sklearn.cluster import k_means
    from sklearn.manifold import spectral_embedding

    places: Floats
    if len(affinities) == N_CLUSTERS:
        # Two models have two eigenvectors, more than a search for some of them looks for.
        matrix, roots = laplacian(affinities, normed=True, return_diag=True)
        places = np.linalg.eigh(matrix)[1] / roots[:, None]
    else:
        places = spectral_embedding(
            affinities, n_components=N_CLUSTERS, random_state=SEED, drop_first=False
        )
    centroids, own, _ = k_means(places, N_CLUSTERS, random_state=SEED, n_init=_STARTS)
    distances: Floats = np.linalg.norm(places[:, None, :] - centroids[None], axis=-1)
    return places, distances if _agree(own, labels) else distances[:, ::-1]


def _agree(own: Labels, labels: Labels) -> bool:
    """Whether two numberings 0, 1 of the same models agree as they are, not swapped."""
    same = int((own == labels).sum())
    if 2 * same == len(labels):
        return bool(own[0] == labels[0])
    return 2 * same > len(labels)


def _mean(values: Floats) -> float | None:
    return float(values.mean()) if values.size else None


def numbered_alike(steps: Sequence[tuple[Sequence[str], Clustering]]) -> list[Clustering]:
    """Clusterings of one set of trainings at several steps, with the same side numbered alike.

    ``steps``: the names of the trainings, and the clustering of their models, by rising step.
    Every clustering numbers its two clusters anew, so that a training could seem to change sides
    where nothing moved. From the last step back, each is swapped where more of the trainings that
    it shares with the step after it then have the same number. The last is left as it is.
    """
    alike: list[Clustering] = []
    after: Mapping[str, int] = {}
    for names, found in reversed(steps):
        pairs = [
            (int(label), after[name])
            for name, label in zip(names, found.labels, strict=True)
            if name in after
        ]
        same = sum(a == b for a, b in pairs)
        chosen = (
            swapped(found) if found.n_clusters == N_CLUSTERS and 2 * same < len(pairs) else found
        )
        after = dict(zip(names, (int(label) for label in chosen.labels), strict=True))
        alike.append(chosen)
    return alike[::-1]


def swapped(found: Clustering) -> Clustering:
    """The same division in two with cluster 0 called 1 and 1 called 0."""
    distances = found.centroid_distances
    return replace(
        found,
        labels=1 - found.labels,
        centroid_distances=None if distances is None else distances[:, ::-1],
    )
