"""What tests of workflows need: a clock that stands still until it is told to move."""

from __future__ import annotations

from maestro_flow.clock import ManualClock

__all__ = ["ManualClock"]
