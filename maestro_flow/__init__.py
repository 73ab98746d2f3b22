"""Durable workflows with millisecond steps: Netflix Maestro's engine of stateful actors, as a Python library.

>>> from maestro_flow import Engine, Workflow

``Workflow`` and ``step`` say what runs, ``Engine`` runs it, ``Run`` is one run. Names are imported when they are first
used, so that ``import maestro_flow`` stays quick.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from maestro_flow.client.client import Client
    from maestro_flow.client.run import Run
    from maestro_flow.dsl.builder import Workflow
    from maestro_flow.dsl.load import load_definition
    from maestro_flow.engine import Engine
    from maestro_flow.errors import (
        Closed,
        Conflict,
        DefinitionError,
        MaestroFlowError,
        NotFound,
        RunFailed,
        StorageError,
        WaitTimeout,
    )
    from maestro_flow.model.params import ParamType
    from maestro_flow.model.status import RunStatus, StepStatus, Verdict
    from maestro_flow.steps.context import StepContext
    from maestro_flow.steps.contract import StepResult, StepType
    from maestro_flow.steps.declared import ParamSpec
    from maestro_flow.storage.open import open_storage
    from maestro_flow.views.attempts import AttemptView
    from maestro_flow.views.dead_letters import DeadLetter
    from maestro_flow.views.explanation import Explanation
    from maestro_flow.views.history import RecordedEvent
    from maestro_flow.views.run import RunView, StepView
    from maestro_flow.views.tag_permits import TagPermit
    from maestro_flow.views.timeline import TimelineEntry

__all__ = [
    "AttemptView",
    "Client",
    "Closed",
    "Conflict",
    "DeadLetter",
    "DefinitionError",
    "Engine",
    "Explanation",
    "MaestroFlowError",
    "NotFound",
    "ParamSpec",
    "ParamType",
    "RecordedEvent",
    "Run",
    "RunFailed",
    "RunStatus",
    "RunView",
    "StepContext",
    "StepResult",
    "StepStatus",
    "StepType",
    "StepView",
    "StorageError",
    "TagPermit",
    "TimelineEntry",
    "Verdict",
    "WaitTimeout",
    "Workflow",
    "load_definition",
    "open_storage",
]

__version__ = "0.1.0"

_HOMES = {
    "AttemptView": "views.attempts",
    "Client": "client.client",
    "Closed": "errors",
    "Conflict": "errors",
    "DeadLetter": "views.dead_letters",
    "DefinitionError": "errors",
    "Engine": "engine",
    "Explanation": "views.explanation",
    "MaestroFlowError": "errors",
    "NotFound": "errors",
    "ParamSpec": "steps.declared",
    "ParamType": "model.params",
    "RecordedEvent": "views.history",
    "Run": "client.run",
    "RunFailed": "errors",
    "RunStatus": "model.status",
    "RunView": "views.run",
    "StepContext": "steps.context",
    "StepResult": "steps.contract",
    "StepStatus": "model.status",
    "StepType": "steps.contract",
    "StepView": "views.run",
    "StorageError": "errors",
    "TagPermit": "views.tag_permits",
    "TimelineEntry": "views.timeline",
    "Verdict": "model.status",
    "WaitTimeout": "errors",
    "Workflow": "dsl.builder",
    "load_definition": "dsl.load",
    "open_storage": "storage.open",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = globals()[name] = getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
