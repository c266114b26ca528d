"""The chain's own choices: rays or stack, and that it says which."""

from __future__ import annotations

import numpy as np

from lfdfp.datatypes import RayEvidence, StackEvidence
from lfdfp.fusion import fuse
from lfdfp.pipeline.stages import sharp_picture
from lfdfp.reconstruction.reconstruct import reconstruct
from lfdfp.refocusing import focal_stack
from lfdfp.settings import FusionSettings, RefocusSettings
from tests.factories import ray_field, textured_plane, tiny_capture


def test_a_field_without_rays_is_fused_and_the_picture_says_so() -> None:
    field, _ = textured_plane(0.3)
    stack = focal_stack(field, RefocusSettings(slopes=(-0.3, 0.5, 5)))
    settings = FusionSettings(preset="fast", data="rays")
    asked_rays = sharp_picture(field, stack, settings)
    assert isinstance(asked_rays.evidence, StackEvidence)
    assert asked_rays.provenance.data_term == "stack"
    assert [w for w in asked_rays.provenance.warnings if "holds no rays" in w]
    plain = fuse(stack, settings)
    assert not plain.provenance.warnings
    np.testing.assert_array_equal(asked_rays.super_resolved, plain.super_resolved)
    asked_stack = sharp_picture(None, stack, FusionSettings(preset="fast", data="stack"))
    assert not asked_stack.provenance.warnings


def test_rays_are_reconstructed_within_the_stacks_range() -> None:
    field = ray_field(tiny_capture("f01", scene="plane", size=200, disparities=(0.2,)))
    stack = focal_stack(textured_plane(0.3)[0], RefocusSettings(slopes=(-0.3, 0.5, 3)))
    settings = FusionSettings(scale=1)
    made = sharp_picture(field, stack, settings)
    assert isinstance(made.evidence, RayEvidence)
    expected = reconstruct(field, settings, disparity_range=(-0.3, 0.5))
    np.testing.assert_array_equal(made.super_resolved, expected.super_resolved)
