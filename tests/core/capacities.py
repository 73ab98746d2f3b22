"""What a test's node can take on: with the default settings, but for what the test names."""

from __future__ import annotations

from typing import Any

from maestro_flow.config.settings import Settings
from maestro_flow.core.inputs import Capacity, DecisionLimits


def capacity(*args: Any, **fields: Any) -> Capacity:
    """A capacity from the fields of ``Capacity`` and of ``DecisionLimits``."""
    settings = Settings()
    limits = DecisionLimits(
        fields.pop("expression_visits_max", settings.expression_visits_max),
        fields.pop("crashes_max", settings.crashes_max),
        fields.pop("events_max", settings.commit_events_max),
        fields.pop("bytes_max", settings.commit_bytes_max),
    )
    return Capacity(limits, *args, **fields)
