"""What tests of workflows need: a clock that stands still until it is told to move, and a runtime that moves it."""

from __future__ import annotations

from maestro_flow.actors.inline import InlineRuntime
from maestro_flow.clock import ManualClock

__all__ = ["InlineRuntime", "ManualClock"]
