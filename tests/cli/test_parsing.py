"""Option values: what is accepted, and what is said of the rest."""

from __future__ import annotations

import pytest
import typer

from lfdfp.cli.parsing import parse_pair, parse_size, parse_slopes


def test_slopes() -> None:
    assert parse_slopes("-0.6:0.4:11") == (-0.6, 0.4, 11)
    assert parse_slopes("auto") is None
    assert parse_slopes(None) is None


@pytest.mark.parametrize("text", ["1", "1:2", "a:b:c", "1:0:5", "0:1:1", "0:nan:5", "0:1:5:6"])
def test_impossible_slopes_are_refused(text: str) -> None:
    with pytest.raises(typer.BadParameter, match="first"):
        parse_slopes(text)


def test_sizes() -> None:
    assert parse_size("656x800") == (656, 800)
    assert parse_size("656") == (656, 656)
    assert parse_size("full") is None


@pytest.mark.parametrize("text", ["0x0", "656x", "axb", "-656x656", "99999x99999"])
def test_impossible_sizes_are_refused(text: str) -> None:
    with pytest.raises(typer.BadParameter, match="ROWSxCOLUMNS"):
        parse_size(text)


def test_pairs() -> None:
    assert parse_pair("-0.4,2", "--tilt") == (-0.4, 2.0)
    assert parse_pair(None, "--tilt") is None


@pytest.mark.parametrize("text", ["1", "1,2,3", "a,b", "nan,0", ""])
def test_impossible_pairs_are_refused(text: str) -> None:
    with pytest.raises(typer.BadParameter, match=r"is not two numbers, such as 0\.4,0"):
        parse_pair(text, "--tilt")
