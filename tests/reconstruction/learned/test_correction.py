"""The correcting network run over a picture."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import torch

from lfdfp.imaging.color import display_matrix
from lfdfp.reconstruction.learned.correction import WEIGHTS, correction, shipped_network
from lfdfp.reconstruction.learned.features import decoded, encoded
from lfdfp.reconstruction.learned.network import (
    Committee,
    CorrectionNetwork,
    load_weights,
    save_weights,
)
from lfdfp.simulation import camera_model
from tests.factories.corrections import some_hints, some_light


def test_the_shipped_weights_are_small_and_load() -> None:
    assert WEIGHTS.stat().st_size <= 1_500_000
    assert all(torch.isfinite(p).all() for p in shipped_network().parameters())


def test_an_untaught_network_corrects_nothing() -> None:
    rng = np.random.default_rng(0)
    light = some_light((16, 16), rng)
    added = correction(Committee([CorrectionNetwork()]), light, light, some_hints((16, 16), rng))
    assert not added.any()


def test_tiles_change_nothing_but_rounding() -> None:
    rng = np.random.default_rng(1)
    shape = (160, 208)
    light, hints = some_light(shape, rng), some_hints(shape, rng)
    loose = light + 0.02 * some_light(shape, rng)
    network = shipped_network()
    whole = correction(network, light, loose, hints, tile_px=512)
    tiled = correction(network, light, loose, hints, tile_px=64)
    assert np.abs(whole).max() > 1e-3
    np.testing.assert_allclose(tiled, whole, atol=2e-5)


def test_the_same_picture_gets_the_same_correction() -> None:
    rng = np.random.default_rng(2)
    light, hints = some_light((64, 64), rng), some_hints((64, 64), rng)
    once, again = (correction(shipped_network(), light, light, hints) for _ in range(2))
    np.testing.assert_array_equal(once, again)


def test_weights_come_back_from_a_file(tmp_path: Path) -> None:
    torch.manual_seed(0)
    members = [CorrectionNetwork(fine=8, coarse=12, blocks=2) for _ in range(2)]
    for member in members:
        torch.nn.init.normal_(member.head.weight)
    network = Committee(members)
    path = tmp_path / "weights.npz"
    save_weights(path, network)
    back = load_weights(path)
    for name, values in network.state_dict().items():
        torch.testing.assert_close(back.state_dict()[name], values, atol=1e-3, rtol=1e-3)


def test_encoding_and_back_is_the_same_light() -> None:
    light = np.linspace(0, 2, 50, dtype=np.float32)
    np.testing.assert_allclose(decoded(encoded(light)), light, atol=1e-5)


def test_hints_are_cut_alike() -> None:
    hints = some_hints((12, 16), np.random.default_rng(3))
    part = hints.cut(slice(2, 6), slice(4, 12))
    for one in dataclasses.fields(hints):
        if one.name != "strength":
            np.testing.assert_array_equal(
                getattr(part, one.name), getattr(hints, one.name)[2:6, 4:12]
            )


def test_display_matrices_can_be_undone() -> None:
    for name in ("f01", "illum"):
        matrix = display_matrix(camera_model(name).color)
        assert np.linalg.cond(matrix) < 20
