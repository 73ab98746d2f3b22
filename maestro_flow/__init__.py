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
    from maestro_flow.views.run import RunView, StepView

__all__ = [
    "Client",
    "Closed",
    "Conflict",
    "DefinitionError",
    "Engine",
    "MaestroFlowError",
    "NotFound",
    "ParamSpec",
    "ParamType",
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
    "Verdict",
    "WaitTimeout",
    "Workflow",
    "load_definition",
    "open_storage",
]

__version__ = "0.1.0"

_HOMES = {
    "Client": "client.client",
    "Closed": "errors",
    "Conflict": "errors",
    "DefinitionError": "errors",
    "Engine": "engine",
    "MaestroFlowError": "errors",
    "NotFound": "errors",
    "ParamSpec": "steps.declared",
    "ParamType": "model.params",
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
