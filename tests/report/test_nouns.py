"""Light fields, stacks and pictures show themselves in notebooks, as plots and as data sets."""

from __future__ import annotations

import base64
import io
import re
import sys
from collections.abc import Iterator

import numpy as np
import pytest
from PIL import Image

from lfdfp.datatypes import (
    Depth,
    FocalStack,
    LightField,
    RayEvidence,
    SharpPicture,
    StackEvidence,
)
from lfdfp.errors import SettingsError

RNG = np.random.default_rng(0)


def _light(*shape: int) -> np.ndarray:
    return RNG.random(shape, np.float32)


FIELD = LightField(
    views=RNG.integers(64, 900, (3, 5, 12, 16, 3)).astype(np.uint16),
    weights=np.full((3, 5, 12, 16), 255, np.uint8),
    scale=0.001,
    offset=64,
    weight_scale=1 / 255,
    history=("<b>read</b>",),
)
STACK = FocalStack(
    slices=_light(4, 12, 16, 3),
    slopes=np.linspace(-0.3, 0.3, 4),
    focus_curves=_light(4, 2, 3),
)
PICTURE = SharpPicture(
    all_in_focus=_light(12, 16, 3),
    super_resolved=_light(24, 32, 3),
    scale=2,
    depth=Depth(disparity=_light(12, 16), fine_disparity=_light(24, 32)),
    evidence=RayEvidence(observability=_light(24, 32), standard_error=None),
)
FUSED = SharpPicture(
    all_in_focus=_light(12, 16, 3),
    super_resolved=_light(12, 16, 3),
    scale=1,
    evidence=StackEvidence(decision_map=np.full((4, 12, 16), 0.25, np.float32)),
)


@pytest.mark.parametrize("noun", [FIELD, STACK, PICTURE, FUSED])
def test_a_notebook_shows_a_thumbnail_and_the_shapes(noun: LightField) -> None:
    shown = noun._repr_html_()
    found = re.search(r"base64,([^']*)", shown)
    assert found is not None
    picture = Image.open(io.BytesIO(base64.b64decode(found[1])))
    assert picture.size in {(16, 12), (32, 24)}
    assert "16 × 3" in shown
    assert "<b>read" not in shown  # text from files stays text
    assert len(shown) < 20_000


def test_a_field_is_indexed_by_view() -> None:
    np.testing.assert_array_equal(FIELD[0, 4], FIELD.view(0, 4))
    np.testing.assert_array_equal(FIELD[-1, -1], FIELD.view(2, 4))
    with pytest.raises(IndexError):
        FIELD[3, 0]
    with pytest.raises(TypeError, match="two numbers"):
        FIELD[0]  # type: ignore[index]


def test_data_sets_have_axes_coordinates_and_linear_light() -> None:
    pytest.importorskip("xarray")
    field = FIELD.to_xarray()
    assert field.views.dims == ("v", "u", "t", "s", "c")
    center = field.views.sel(v=0, u=0)
    np.testing.assert_array_equal(center, FIELD.view(*FIELD.center))
    assert float(field.weights.max()) == pytest.approx(1)
    stack = STACK.to_xarray()
    np.testing.assert_array_equal(stack.n, STACK.slopes)
    np.testing.assert_array_equal(stack.slices.sel(n=0.3, method="nearest"), STACK.slices[-1])
    picture = PICTURE.to_xarray()
    assert picture.super_resolved.dims == ("t_fine", "s_fine", "c")
    assert picture.s_fine.values[:2] == pytest.approx([-0.25, 0.25])
    assert "disparity_confidence" not in picture
    assert FUSED.to_xarray().decision_map.dims == ("n", "t", "s")


@pytest.fixture
def figures() -> Iterator[None]:
    matplotlib = pytest.importorskip("matplotlib")
    matplotlib.use("agg")
    yield
    import matplotlib.pyplot as plt

    plt.close("all")


@pytest.mark.usefixtures("figures")
@pytest.mark.parametrize(("noun", "count"), [(FIELD, 3), (STACK, 4), (PICTURE, 3), (FUSED, 2)])
def test_plots_draw_all_there_is(noun: LightField, count: int) -> None:
    axes = noun.plot()
    drawn = [ax for ax in axes.flat if ax.images]
    assert len(drawn) == count
    drawn[0].figure.canvas.draw()


@pytest.mark.usefixtures("figures")
def test_a_plot_goes_where_it_is_wanted() -> None:
    import matplotlib.pyplot as plt

    _, ax = plt.subplots()
    assert PICTURE.plot(ax) is ax
    np.testing.assert_array_equal(ax.images[0].get_array().shape, (24, 32, 3))


def test_without_the_extras_one_line_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "xarray", None)
    with pytest.raises(SettingsError, match=r"lfdfp\[xarray\]"):
        FIELD.to_xarray()
    monkeypatch.setitem(sys.modules, "matplotlib.pyplot", None)
    with pytest.raises(SettingsError, match=r"lfdfp\[plot\]"):
        STACK.plot()
