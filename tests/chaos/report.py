"""The report of the long command: the faults, the results, and whether the promises were kept."""

from __future__ import annotations

from typing import Any

from attrs import asdict

from tests.chaos.storm import Plan, Tally
from tests.chaos.verdict import Verdict, percentile

__all__ = ["broken", "figures", "text"]

DRAIN_MAX_S = 10.0
HANDOVER_MAX_S = 1.0


def figures(plan: Plan, tally: Tally, verdict: Verdict) -> dict[str, Any]:
    """As numbers by name, for ``--json``. Times are in seconds."""
    return {
        **{name: value for name, value in asdict(plan).items() if name in ("store", "seed", "seconds", "nodes")},
        "weather": "calm" if plan.calm_s else "storm",
        **asdict(tally),
        "flows": verdict.flows,
        "executions": verdict.executions,
        "repeated": verdict.repeated,
        "stale_rejected": verdict.stale_rejected,
        "lost": verdict.lost,
        "doubled": verdict.doubled,
        "regressions": verdict.regressions,
        "violations": [asdict(violation) for violation in verdict.violations],
        "drain_s": round(verdict.drain_s, 3),
        **_spread("recovery", verdict.recoveries),
        **_spread("handover", verdict.handovers),
    }


def broken(plan: Plan, verdict: Verdict) -> list[str]:
    """The promises that were not kept. Times to recover are promised for one fault at a time."""
    recovery_max_s = plan.lease_s + 2 * min(1.0, plan.lease_s / 4) + 0.5
    said = [
        (verdict.lost == 0, f"{verdict.lost} runs are lost"),
        (verdict.doubled == 0, f"{verdict.doubled} steps were completed twice"),
        (not verdict.violations, f"the checker has found {len(verdict.violations)} violations"),
        (verdict.drain_s <= DRAIN_MAX_S, f"drained after {verdict.drain_s:.1f} s, not {DRAIN_MAX_S:g}"),
    ]
    if plan.calm_s:
        recovery_s, handover_s = percentile(verdict.recoveries, 0.99), percentile(verdict.handovers, 0.99)
        said += [
            (recovery_s <= recovery_max_s, f"recovery p99 {recovery_s:.2f} s, not {recovery_max_s:g}"),
            (handover_s <= HANDOVER_MAX_S, f"hand-over p99 {handover_s:.2f} s, not {HANDOVER_MAX_S:g}"),
        ]
    return [problem for is_kept, problem in said if not is_kept]


def text(given: dict[str, Any]) -> str:
    """The same, a line each."""
    return "\n".join(f"{name:16} {value}" for name, value in given.items())


def _spread(name: str, values: list[float]) -> dict[str, float | int]:
    shares = {"p50": 0.5, "p99": 0.99, "max": 1.0}
    spread = {f"{name}_{word}_s": round(percentile(values, share), 3) for word, share in shares.items()}
    return {f"{name}_count": len(values), **spread} if values else {}
