from __future__ import annotations

import pytest

from lmc_track.geometry.grid import common_grid, metric_step


def test_alphas_are_made_by_division() -> None:
    assert common_grid(11)[3] == 3 / 10
    assert common_grid(11)[0] == 0
    assert common_grid(11)[-1] == 1


def test_a_finer_grid_holds_the_coarser_one_exactly() -> None:
    assert set(common_grid(11)) <= set(common_grid(21))


def test_one_point_is_no_grid() -> None:
    with pytest.raises(ValueError, match="at least 2"):
        common_grid(1)


def test_a_step_shows_alpha_in_ten_thousandths() -> None:
    assert [metric_step(alpha) for alpha in (0.0, 1 / 3, 1.0)] == [0, 3333, 10000]
