"""Others' slopes convert to ours and back, and name the planes that they should."""

from __future__ import annotations

from typing import get_args

import pytest

from lfdfp.interchange.slopes import SlopeConvention, slope_from, slope_to


@pytest.mark.parametrize("convention", get_args(SlopeConvention))
@pytest.mark.parametrize("slope", [-1.5, -0.2, 0.0, 0.7])
def test_there_and_back(convention: SlopeConvention, slope: float) -> None:
    number = slope_to(convention, slope, views=15)
    assert slope_from(convention, number, views=15) == pytest.approx(slope, abs=1e-12)


@pytest.mark.parametrize(
    ("convention", "number", "slope"),
    [
        ("hci", 1.2, -1.2),
        ("alpha", 1.0, 0.0),
        ("alpha", 0.2, -4.0),
        ("alpha", 2.0, 0.5),
        ("lf-toolbox", 0.7, 0.75),
        ("plenpy", 0.7, -0.75),
        ("plenopticam", 2, -2.0),
    ],
)
def test_known_planes(convention: SlopeConvention, number: float, slope: float) -> None:
    assert slope_from(convention, number, views=15) == pytest.approx(slope)


@pytest.mark.parametrize("views", [5, 9])
def test_the_toolbox_shifts_its_outer_views_as_far(views: int) -> None:
    """LFFiltShiftSum shifts view k by linspace(-0.5, 0.5, N)[k] N m: the outermost by N m / 2."""
    m = 0.4
    assert slope_from("lf-toolbox", m, views=views) * (views - 1) / 2 == pytest.approx(
        views * m / 2
    )
