"""Where the samples of the views lie among the lenslets.

One rule, shared by decoding and simulation.
"""

from __future__ import annotations

import numpy as np

from lfdfp.datatypes import ROW_STEP_PITCHES, BoolArray, LensletGrid, ViewSampling


def default_view_sampling(grid: LensletGrid) -> ViewSampling:
    """Sampling of the views that fits a sensor: the rule shared by decoding and simulation.

    One sample coincides with lenslet (0, 0). The samples fill an upright rectangle of the lens
    plane, as large as fits: the image of every sample lies at least half a pitch inside the
    sensor. Lines that reach out of the sensor are taken off one by one, worst first.

    Raises
    ------
    ValueError
        When the sensor is too small for a single lenslet.
    """
    inside, first = _samples_inside_sensor(grid)
    rows, columns = slice(0, inside.shape[0]), slice(0, inside.shape[1])
    while not (left := inside[rows, columns]).all():
        outside = ~left
        edges = (outside[0], outside[-1], outside[:, 0], outside[:, -1])
        worst = int(np.argmax([edge.mean() for edge in edges]))
        if worst < 2:
            rows = slice(rows.start + (worst == 0), rows.stop - (worst == 1))
        else:
            columns = slice(columns.start + (worst == 2), columns.stop - (worst == 3))
    if not left.size:
        raise ValueError(
            f"a sensor of {grid.sensor_shape} holds no lenslet of {grid.pitch_px:.4g} px"
        )
    top_left = (first[0] + rows.start, first[1] + columns.start)
    return ViewSampling(
        origin_pitch=(ROW_STEP_PITCHES * top_left[0], ROW_STEP_PITCHES * top_left[1]),
        shape=(rows.stop - rows.start, columns.stop - columns.start),
    )


def _samples_inside_sensor(grid: LensletGrid) -> tuple[BoolArray, tuple[int, int]]:
    """Which samples have their image well inside the sensor, and the index of the first one."""
    height, width = grid.sensor_shape
    corners = grid.lattice_coordinates(
        np.array([0.0, 0.0, height - 1.0, height - 1.0]),
        np.array([0.0, width - 1.0, 0.0, width - 1.0]),
    )
    rows = corners[1]
    columns = (corners[0] + corners[1] / 2) / ROW_STEP_PITCHES
    t = np.arange(np.floor(rows.min()), np.ceil(rows.max()) + 1)[:, None]
    s = np.arange(np.floor(columns.min()), np.ceil(columns.max()) + 1)[None, :]
    center = grid.centers(s * ROW_STEP_PITCHES - t / 2, t + 0 * s)
    margin = grid.pitch_px / 2 - 0.5
    inside = (center[0] >= margin) & (center[0] <= height - 1 - margin)
    inside &= (center[1] >= margin) & (center[1] <= width - 1 - margin)
    return inside, (int(t[0, 0]), int(s[0, 0]))
