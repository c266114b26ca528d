"""The solution of the rays with what was learned, as far as held-out rays support it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from lfdfp.datatypes import FloatArray
from lfdfp.imaging.color import LUMINANCE_WEIGHTS
from lfdfp.reconstruction.learned.correction import (
    corrected,
    correction,
    inner_light,
    shipped_network,
)
from lfdfp.reconstruction.learned.features import HINTED_SCALE, encoded, hints_of, loose_picture
from lfdfp.reconstruction.learned.judge import Judgment, judged
from lfdfp.reconstruction.learned.network import Committee
from lfdfp.reconstruction.solution import LearnedPart, RaySolution
from lfdfp.reconstruction.state import RaySetup, SolvedRays

_LEAST_SHARE = 0.02

_REFUSED = "the learned prior was not used: the capture's held-out rays do not support it"


def with_correction(
    setup: RaySetup,
    solved: SolvedRays,
    solution: RaySolution,
    network: Committee | None = None,
) -> RaySolution:
    """The solution with as much of the learned correction as held-out rays support.

    Parameters
    ----------
    network
        None for the one that comes with the package.
    """
    network = shipped_network() if network is None else network
    known = (solution.observability, solution.standard_error)
    hints = hints_of(
        setup, solved.state, solved.strength, known if setup.scale == HINTED_SCALE else None
    )
    judgment = judged(setup, solved, hints, network)
    used = max(float(judgment.coarse_share.mean()), float(judgment.fine_share.mean()))
    if used < _LEAST_SHARE:
        nothing = np.zeros_like(solution.observability)
        return replace(
            solution,
            learned=_told(judgment, nothing, used=0.0),
            warnings=(*solution.warnings, _REFUSED),
        )
    state = solved.state
    loose = loose_picture(
        setup, state.observation, state.picture, solved.strength, state.disagreement
    )
    before = inner_light(setup, state.picture)
    added = correction(network, before, inner_light(setup, loose), hints, device=setup.device)
    del loose
    picture = corrected(setup, state.picture, judgment.applied(added))
    moved = np.zeros_like(solution.observability)
    setup.grid.inner(moved)[...] = np.abs(_luma(inner_light(setup, picture)) - _luma(before))
    return replace(solution, picture=picture, learned=_told(judgment, moved, used=1.0))


def _luma(light: FloatArray) -> FloatArray:
    """Encoded luma (Y, X) of display light (3, Y, X)."""
    return encoded(np.tensordot(LUMINANCE_WEIGHTS.astype(np.float32), light, 1))


def _told(judgment: Judgment, moved: FloatArray, *, used: float) -> LearnedPart:
    return LearnedPart(
        coarse_share=used * float(judgment.coarse_share.mean()),
        fine_share=used * float(judgment.fine_share.mean()),
        measured=judgment.measured,
        from_prior=moved,
    )
