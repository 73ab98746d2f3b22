"""A workflow definition, as the engine sees it: checked, normalised and immutable.

The forms in which users write one (JSON, YAML, Python) are read in ``maestro_flow.dsl``; the fields that this version
stores without acting on them are kept verbatim in ``stored``.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Any

from attrs import Factory, frozen

from maestro_flow.model.params import Param

__all__ = [
    "Backoff",
    "BackoffKind",
    "RetryPolicy",
    "StepDefinition",
    "WorkflowDefinition",
]


class BackoffKind(StrEnum):
    """How the wait grows from one retry to the next."""

    EXPONENTIAL = "EXPONENTIAL_BACKOFF"
    FIXED = "FIXED_BACKOFF"


@frozen
class Backoff:
    """Wait before a retry for one kind of failure: ``base_s * exponent ** retries``, at most ``limit_s`` seconds."""

    base_s: float = 60
    exponent: float = 2
    limit_s: float = 600


@frozen
class RetryPolicy:
    """How often an attempt that failed is followed by another one, per kind of failure, and after what wait.

    The defaults are Maestro's (RetryPolicy.java): 2 user, 10 platform and 0 timeout retries, exponential from 60 s.
    """

    error_retry_limit: int = 2
    platform_retry_limit: int = 10
    timeout_retry_limit: int = 0
    kind: BackoffKind = BackoffKind.EXPONENTIAL
    error: Backoff = Backoff()
    platform: Backoff = Backoff(limit_s=3600)
    timeout: Backoff = Backoff(limit_s=3600)


@frozen
class StepDefinition:
    """One step. ``successors`` maps the id of a following step to its condition, a constant in this version."""

    id: str
    type: str
    name: str = ""
    description: str = ""
    params: dict[str, Param] = Factory(dict)
    successors: dict[str, bool] = Factory(dict)
    retry_policy: RetryPolicy = RetryPolicy()
    timeout_s: float | None = None
    stored: dict[str, Any] = Factory(dict)


@frozen
class WorkflowDefinition:
    """One version of a workflow: acyclic, every successor exists, ids are legal (checked where it is read)."""

    id: str
    steps: tuple[StepDefinition, ...]
    name: str = ""
    description: str = ""
    owner: str = ""
    params: dict[str, Param] = Factory(dict)
    stored: dict[str, Any] = Factory(dict)
