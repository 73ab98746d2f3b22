"""Lengths of time as text."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from maestro_flow.model.durations import parse_duration

UNITS_S = {"d": 86_400, " hours ": 3_600, "Min": 60, " second": 1, "ms": 0.001}


@given(st.lists(st.tuples(st.integers(0, 10**6), st.sampled_from(sorted(UNITS_S))), min_size=1, max_size=6))
def test_a_duration_is_the_sum_of_its_parts(parts: list[tuple[int, str]]) -> None:
    text = "".join(f"{count}{unit}" for count, unit in parts)
    assert parse_duration(text) == pytest.approx(sum(count * UNITS_S[unit] for count, unit in parts))


@given(st.integers(0, 10**15))
def test_a_number_is_seconds(seconds: int) -> None:
    assert parse_duration(f" {seconds} ") == seconds


@pytest.mark.parametrize("text", ["", " ", "soon", "-1", "1.5", "5s later", "1h 5", "٣s", "5" * 20 + "s"])
def test_anything_else_is_not_a_duration(text: str) -> None:
    with pytest.raises(ValueError, match=r"^is not a valid duration$"):
        parse_duration(text)


def test_an_unknown_unit_is_named() -> None:
    with pytest.raises(ValueError, match=r'^is not a valid duration: unknown unit "parsecs"$'):
        parse_duration("5 parsecs")
