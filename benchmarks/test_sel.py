"""Expressions: the cost of evaluating a cached one, and of compiling a new one."""

from __future__ import annotations

import pytest

from benchmarks.conftest import Meter
from benchmarks.report import Bound, Figure, Target
from maestro_flow.sel import evaluate
from maestro_flow.sel.parse import parse
from maestro_flow.sel.statements import compile_program

ROUNDS, REPEATS = 10, 500
US = 1e6

TYPICAL: dict[str, tuple[str, dict[str, object]]] = {
    "arithmetic": ("x + 1", {"x": 10}),
    "a condition": ("params.count > 3 && name == 'a'", {"count": 10, "name": "a"}),
    "a text": ("'day ' + Util.incrementDateInt(day, 7) + '/' + n * 2", {"day": 20190226, "n": 4}),
    "a range of dates": ("return Util.dateIntsBetween(day, day + 15, 7);", {"day": 20210101}),
    "a date in a zone": (
        "DateTime utc = new DateTime(ts); utc.withZone(DateTimeZone.forID(zone)).toString('yyyyMMdd');",
        {"ts": 1_700_000_000_000, "zone": "America/Los_Angeles"},
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", TYPICAL)
def test_a_cached_expression(name: str, meter: Meter) -> None:
    source, params = TYPICAL[name]

    def many() -> None:
        for _ in range(REPEATS):
            evaluate(source, params)

    best = meter.measure(many, rounds=ROUNDS)
    meter.report(Figure(f"SEL, cached: {name}", best.wall_s / REPEATS * US, "us", target=Target(Bound.AT_MOST, 20)))


@pytest.mark.parametrize("name", TYPICAL)
def test_a_new_expression(name: str, meter: Meter) -> None:
    source, _ = TYPICAL[name]

    def many() -> None:
        for _ in range(20):
            compile_program(parse(source), 100)

    best = meter.measure(many, rounds=ROUNDS)
    meter.report(Figure(f"SEL, parsed and compiled: {name}", best.wall_s / 20 * US, "us"))


def test_a_turn_of_a_loop(meter: Meter) -> None:
    turns = 1000

    def loop() -> None:
        evaluate("x = 0; for (i = 0; i < 1000; i += 1) x += i; x")

    best = meter.measure(loop, rounds=ROUNDS)
    meter.report(Figure("SEL, a turn of a loop", best.wall_s / turns * US, "us"))
