from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
from typer.testing import CliRunner

from lfdfp.cli.main import app
from lfdfp.simulation import load_truth


def _picture(path, level: int, size=(60, 60)):
    cv2.imwrite(str(path), np.full((*size, 3), level, np.uint8))
    return path


def test_own_pictures_stand_at_the_depths_given(tmp_path) -> None:
    near = np.zeros((60, 60, 4), np.uint8)
    near[20:40, 20:40] = 255
    cv2.imwrite(str(tmp_path / "near.png"), near)
    far = _picture(tmp_path / "far.png", 128)
    target = tmp_path / "mine.lfp"
    result = CliRunner().invoke(
        app,
        [
            *("simulate", "--size", "200x200", "--depth", "-0.3,0.2", "-o", str(target)),
            *("--pictures", str(tmp_path / "near.png"), str(far)),
        ],
    )
    assert result.exit_code == 0, result.output
    truth = load_truth(tmp_path / "mine_truth.h5")
    t, s = (n // 2 for n in truth.disparity.shape)
    assert truth.disparity[t, s] < 0 < truth.disparity[1, 1]


def test_a_depth_map_and_a_number_of_values_have_to_fit(tmp_path) -> None:
    one = _picture(tmp_path / "one.png", 90)
    small = _picture(tmp_path / "depth.png", 200, size=(30, 60))
    for depth, message in ((str(small), "its size"), ("-0.3,0.2", "1 pictures but 2 values")):
        result = CliRunner().invoke(
            app,
            [
                *("simulate", "--size", "200x200", "--pictures", str(one), "--depth", depth),
                *("-o", str(tmp_path / "x.lfp")),
            ],
        )
        assert result.exit_code == 1
        assert message in result.output
        assert not (tmp_path / "x.lfp").exists()


def test_simulate_writes_the_same_bytes_again(tmp_path: Path) -> None:
    for name in ("a.lfp", "b.lfp"):
        result = CliRunner().invoke(
            app, ["simulate", "--size", "200x200", "--seed", "5", "-o", str(tmp_path / name)]
        )
        assert result.exit_code == 0, result.output
    assert (tmp_path / "a.lfp").read_bytes() == (tmp_path / "b.lfp").read_bytes()
