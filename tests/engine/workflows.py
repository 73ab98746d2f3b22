"""Workflows that many tests of the engine run."""

from __future__ import annotations

from maestro_flow import Workflow


def sleeper(seconds: float = 600.0) -> Workflow:
    """``sleeper``, whose step ``pause`` sleeps, before its step ``end``."""
    wf = Workflow("sleeper")
    wf.add("pause", type="Sleep", params={"sleep_seconds": seconds})
    wf.add("end", type="NoOp", after="pause")
    return wf
