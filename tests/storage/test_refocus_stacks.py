"""Processed Lytro files become focal stacks, in the order of their lambdas, with depth."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from lfdfp.errors import ImageError
from lfdfp.imaging.display import encode_srgb
from lfdfp.lfp import write_container
from lfdfp.lfp.refocus_stack import read_refocus_stack
from lfdfp.storage.hdf5 import load_focal_stack, save_focal_stack
from lfdfp.storage.refocus_stacks import focus_prior, load_refocus_stack
from tests.lfp.processed_files import (
    DEPTH,
    LAMBDAS,
    grays,
    h264,
    jpeg,
    newer_file,
    older_file,
    video_file,
)
from tests.lfp.test_refocus_stack import REAL

ORDER = np.argsort(LAMBDAS)


def _grays_of(slices: np.ndarray) -> np.ndarray:
    return 255 * encode_srgb(slices[:, 12:, 12:]).mean(axis=(1, 2, 3))


@pytest.mark.parametrize("file", [older_file, newer_file])
def test_slices_ascend_in_lambda_and_stand_upright(file, tmp_path: Path) -> None:
    write_container(tmp_path / "a-stk.lfp", file())
    stack = load_refocus_stack(tmp_path / "a-stk.lfp")
    assert stack.slices.shape == (4, 24, 36, 3)
    np.testing.assert_allclose(_grays_of(stack.slices), np.array(grays())[ORDER], atol=1.5)
    assert stack.slices[:, :4, :4].min() > 0.9  # the white corner
    assert stack.slopes is None
    assert "not of a raw capture" in stack.warnings[0]


def test_pictures_beside_the_file_are_read(tmp_path: Path) -> None:
    for number, gray in enumerate(grays()):
        (tmp_path / f"p_{number}.jpg").write_bytes(jpeg(gray))
    write_container(tmp_path / "stack.lfp", newer_file([b""] * 4))
    stack = load_refocus_stack(tmp_path / "stack.lfp")
    np.testing.assert_allclose(_grays_of(stack.slices), np.array(grays())[ORDER], atol=1.5)
    (tmp_path / "p_2.jpg").unlink()
    with pytest.raises(ImageError, match=r"stack\.lfp: .*p_2\.jpg: no such file"):
        load_refocus_stack(tmp_path / "stack.lfp")


def test_frames_of_a_video_are_decoded(tmp_path: Path) -> None:
    lumas = [np.full((32, 48), 16 + 219 * gray // 10) for gray in (1, 5, 9)]
    for luma in lumas:
        luma[:16, :16] = 235
    write_container(tmp_path / "a-stk.lfp", video_file(h264(lumas), count=3))
    stack = load_refocus_stack(tmp_path / "a-stk.lfp")
    assert stack.slices.shape == (3, 32, 48, 3)
    inner = encode_srgb(stack.slices[:, 18:, 18:]).mean(axis=(1, 2, 3))
    np.testing.assert_allclose(inner, [0.1, 0.5, 0.9], atol=0.01)
    np.testing.assert_allclose(encode_srgb(stack.slices[:, 2:14, 2:14]), 1.0, atol=0.01)


@pytest.mark.parametrize(
    ("stream", "message"),
    [
        (h264([np.full((16, 16), 90)] * 2), "of 4 frames, 2 of up to"),
        (b"\0\0\0\1\x67" + bytes(range(200)), r"H\.264 stream.* `lfdfp split` writes the stream"),
        (h264([np.full((16, 16), 90)] * 4)[:300], r"H\.264 stream"),
    ],
)
def test_a_video_that_cannot_be_decoded_is_one_line(
    tmp_path: Path, capfd: pytest.CaptureFixture[str], stream: bytes, message: str
) -> None:
    write_container(tmp_path / "a-stk.lfp", video_file(stream))
    with pytest.raises(ImageError, match=rf"a-stk\.lfp: .*{message}"):
        load_refocus_stack(tmp_path / "a-stk.lfp")
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize(
    ("picture", "message"),
    [(jpeg(90)[:300], "damaged"), (b"no picture", "not a picture"), (jpeg(9, (8, 8)), "one size")],
)
def test_a_picture_that_cannot_be_used_is_one_line(
    tmp_path: Path, picture: bytes, message: str
) -> None:
    pictures = [jpeg(gray) for gray in grays()]
    pictures[2] = picture
    write_container(tmp_path / "a-stk.lfp", older_file(pictures))
    with pytest.raises(ImageError, match=rf"a-stk\.lfp: picture . of 4: .*{message}") as caught:
        load_refocus_stack(tmp_path / "a-stk.lfp")
    assert "/tmp" not in str(caught.value).replace(str(tmp_path), "")


def test_the_depth_table_says_which_slice_to_expect() -> None:
    lambdas = np.array(sorted(LAMBDAS))
    prior = focus_prior(lambdas, DEPTH)
    assert prior is not None
    assert prior.shape == (4, *DEPTH.shape)
    nearest = np.abs(lambdas[:, None, None] - DEPTH).argmin(axis=0)
    np.testing.assert_array_equal(prior.argmax(axis=0), nearest)
    assert prior.max() <= 0
    assert prior.min() >= -1
    assert focus_prior(lambdas, None) is None


def test_a_stack_with_a_prior_survives_its_file(tmp_path: Path) -> None:
    write_container(tmp_path / "a-stk.lfp", older_file())
    stack = load_refocus_stack(tmp_path / "a-stk.lfp")
    save_focal_stack(tmp_path / "a.h5", stack, {})
    again = load_focal_stack(tmp_path / "a.h5")
    np.testing.assert_array_equal(again.focus_prior, stack.focus_prior)
    np.testing.assert_array_equal(again.slices, stack.slices)


@pytest.mark.data
@pytest.mark.parametrize(("name", "count", "shape"), REAL)
def test_tables_of_real_files_stand_upright(
    data_dir: Path, name: str, count: int, shape: tuple[int, int]
) -> None:
    stack = load_refocus_stack(data_dir / "lytro" / name)
    found = read_refocus_stack(data_dir / "lytro" / name)
    assert stack.focus_prior is not None
    detail = np.stack(
        [
            cv2.resize(
                np.abs(cv2.Laplacian(one.mean(axis=2), cv2.CV_32F)),
                shape[::-1],
                interpolation=cv2.INTER_AREA,
            )
            for one in encode_srgb(stack.slices)
        ]
    )
    sharpest, expected = detail.argmax(axis=0), stack.focus_prior.argmax(axis=0)
    turns = [expected, expected[::-1], expected[:, ::-1], expected[::-1, ::-1]]
    if shape[0] == shape[1]:
        turns += [turn.T for turn in turns]
    close = [float((np.abs(turn - sharpest) <= 1).mean()) for turn in turns]
    assert len(found.frames) == count
    assert close[0] == max(close)
    assert close[0] > 0.7
