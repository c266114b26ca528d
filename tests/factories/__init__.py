"""Small synthetic planes, pictures and captures for everybody's tests.

`lattices` (lenslet lattices of known geometry) and `rays` (rays of random light) are modules of
their own, for the tests of calibration and reconstruction.
"""

from tests.factories.captures import ray_field, tiny_capture, true_field
from tests.factories.pictures import defocused_pair, multi_focus, textured_picture
from tests.factories.planes import inner, smooth_texture, textured_plane, two_planes

__all__ = [
    "defocused_pair",
    "inner",
    "multi_focus",
    "ray_field",
    "smooth_texture",
    "textured_picture",
    "textured_plane",
    "tiny_capture",
    "true_field",
    "two_planes",
]
