"""One rule for every method: what is judged, and what is not."""

from __future__ import annotations

import numpy as np
import pytest

from lfdfp.evaluation.protocol import BORDER_VIEW_PX, encoded, score
from tests.factories import textured_picture


@pytest.mark.parametrize("scale", [1, 2])
def test_the_border_does_not_count(scale: int) -> None:
    truth = textured_picture((60, 72))
    picture = (truth + 0.01).astype(np.float32)
    spoiled = picture.copy()
    border = BORDER_VIEW_PX * scale
    inside = np.zeros(truth.shape[:2], bool)
    inside[border:-border, border:-border] = True
    spoiled[~inside] = 0
    assert score("a", truth, spoiled, scale=scale) == score("a", truth, picture, scale=scale)


def test_the_truth_itself_is_best() -> None:
    truth = textured_picture((40, 40))
    perfect, worse = score("same", truth, truth), score("worse", truth, 0.9 * truth)
    assert perfect.ssim == pytest.approx(1)
    assert perfect.psnr_db > worse.psnr_db
    assert perfect.ssim > worse.ssim


def test_light_beyond_the_range_is_clipped_as_a_file_would() -> None:
    np.testing.assert_array_equal(encoded(np.array([-1.0, 0.0, 1.0, 7.0])), [0, 0, 1, 1])
    assert encoded(np.array([0.5]))[0] == pytest.approx(0.5 ** (1 / 2.2))


def test_pictures_of_another_size_are_refused() -> None:
    with pytest.raises(ValueError, match=r"x2: \(20, 20, 3\) where the truth has \(40, 40, 3\)"):
        score("x2", np.zeros((40, 40, 3), np.float32), np.zeros((20, 20, 3), np.float32))
