from __future__ import annotations

from pathlib import Path

import numpy as np

from lfdfp.benchmarks import decode_speed, lattice
from lfdfp.datatypes import LightField
from lfdfp.lfp import read_capture
from lfdfp.simulation import make_scene, simulate_capture


def test_the_lattice_benchmark_counts_every_center() -> None:
    camera = lattice.random_camera("f01", 1, size=400, realistic=False)
    scene = make_scene("layers", camera.field_pitch, seed=1)
    white = simulate_capture(scene, camera, seed=1, rays_per_pixel=16).white_capture()
    error = lattice.lattice_error(white, camera.grid, "white image")
    assert 0 < error.rms_px <= error.largest_px < 0.05
    assert "| f01 | 1 |" in lattice.table({"f01": [error]})


def test_the_decoding_benchmark_prepares_what_its_rows_need(tmp_path: Path) -> None:
    decode_speed.prepare(tmp_path, "illum", 300)
    assert isinstance(decode_speed.ours(tmp_path), LightField)
    peer = read_capture(tmp_path / "peer" / "Images" / "capture.lfr")
    own = read_capture(tmp_path / "Images" / "capture.lfr")
    np.testing.assert_array_equal(peer.mosaic, own.mosaic)


def test_a_row_that_could_not_be_measured_says_why() -> None:
    rows = [
        decode_speed.Row(name="floor", cpu_s=0.5, wall_s=1, peak_mib=10),
        decode_speed.Row(name="peer", remark="not measured: no such module"),
        decode_speed.Row(name="ours", cpu_s=2.0, wall_s=4, peak_mib=20),
    ]
    lines = decode_speed.table(rows).splitlines()
    assert lines[3] == "| peer | not measured: no such module | | | |"
    assert lines[4] == "| ours | 2.00 | 4.0 | 4.0 | 20 |"
