"""All system flows. This is the only list: placing, loading, running, hiding and verifying them all go by it."""

from __future__ import annotations

from collections.abc import Iterable

from maestro_flow.core.system_flow import AnySystemFlow
from maestro_flow.system.permits import PERMIT_FLOW

__all__ = ["SYSTEM_FLOWS"]


def _by_name(flows: Iterable[AnySystemFlow]) -> dict[str, AnySystemFlow]:
    return {flow.name: flow for flow in flows}


SYSTEM_FLOWS: dict[str, AnySystemFlow] = _by_name((PERMIT_FLOW,))
"""By name."""
