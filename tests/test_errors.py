"""One tree of errors; what nobody expected becomes one line that says what to report."""

from __future__ import annotations

import inspect

import pytest

from lfdfp import errors
from lfdfp.errors import LfdfpError, LfpFormatError, defect, of_the_system
from lfdfp.version import __version__


def test_all_errors_are_caught_as_one() -> None:
    kinds = [
        kind
        for _, kind in inspect.getmembers(errors, inspect.isclass)
        if kind.__module__ == errors.__name__
    ]
    assert len(kinds) >= 10
    assert all(issubclass(kind, LfdfpError) for kind in kinds)
    assert errors.__doc__ is not None
    assert all(kind.__name__ in errors.__doc__ for kind in kinds)


def test_a_place_in_a_file_is_said() -> None:
    assert str(LfpFormatError("no magic", offset=12)) == "no magic (at byte 12)"
    assert str(LfpFormatError("no magic")) == "no magic"


def test_what_the_system_refuses_names_its_files() -> None:
    assert of_the_system(OSError(13, "Permission denied", "a")) == "a: Permission denied"
    assert of_the_system(OSError(18, "Cross-device link", "a", None, "b")) == (
        "a and b: Cross-device link"
    )
    assert of_the_system(OSError("odd")) == "odd"
    assert of_the_system(TimeoutError()) == "TimeoutError"


def test_a_defect_is_one_line_with_its_place() -> None:
    with pytest.raises(AttributeError) as caught:
        of_the_system("no error")  # type: ignore[arg-type]
    line = defect(caught.value)
    assert "\n" not in line
    assert line.startswith("unexpected AttributeError: ")
    assert "(errors.py:" in line
    assert f"lfdfp {__version__})" in line


def test_a_defect_elsewhere_has_no_place_and_is_cut_short() -> None:
    line = defect(ValueError("two\nlines " + "x" * 1000))
    assert line.startswith("unexpected ValueError: two lines xxx")
    assert f"(lfdfp {__version__})" in line
    assert len(line) < 500
