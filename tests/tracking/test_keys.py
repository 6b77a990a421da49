from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from lmc_track.tracking.keys import clusters_key, digest, model_key, path_key, point_key

parts = st.tuples(
    st.text(max_size=5), st.integers(0, 9), st.integers(0, 9), st.text(max_size=5),
    st.text(max_size=5), st.none() | st.integers(0, 9),
)  # fmt: skip


@given(parts, parts)
def test_models_share_a_key_only_when_everything_is_equal(a: tuple, b: tuple) -> None:  # type: ignore[type-arg]
    assert (model_key(*a) == model_key(*b)) == (a == b)


@given(st.floats(0, 1, exclude_min=True, exclude_max=True))
def test_the_next_float_is_another_point(alpha: float) -> None:
    path = path_key("a", "b", "fp32")
    assert point_key(path, alpha) != point_key(path, float(np.nextafter(alpha, 2)))


def test_a_path_is_directed_and_knows_its_precision() -> None:
    assert path_key("a", "b", "fp32") != path_key("b", "a", "fp32")
    assert path_key("a", "b", "fp32") != path_key("a", "b", "bf16")


def test_the_order_of_settings_does_not_matter() -> None:
    assert digest({"a": 1, "b": [0.1]}) == digest({"b": [0.1], "a": 1})


def test_a_clusterings_key_forgives_the_last_bits_of_a_sum() -> None:
    gaps = [[0.0, 0.25], [0.25, 0.0]]
    nearly = [[0.0, 0.25 + 1e-15], [0.25 + 1e-15, 0.0]]
    other = [[0.0, 0.26], [0.26, 0.0]]
    key = clusters_key("spectral", {}, ["a", "b"], [gaps])
    assert key == clusters_key("spectral", {}, ["a", "b"], [nearly])
    assert key != clusters_key("spectral", {}, ["a", "b"], [other])
    assert key != clusters_key("spectral", {"seed": 1}, ["a", "b"], [gaps])


def test_another_version_of_a_method_is_another_clustering() -> None:
    known = ("spectral", {}, ["a", "b"], [[[0.0, 0.25], [0.25, 0.0]]])
    assert clusters_key(*known) == clusters_key(*known, version=1)
    assert clusters_key(*known) != clusters_key(*known, version=2)
