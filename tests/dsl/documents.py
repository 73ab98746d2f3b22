"""Definitions for tests, as documents; every function returns a new one, to be changed at will."""

from __future__ import annotations

from typing import Any

from maestro_flow.dsl.parse import Loaded, parse_definition
from maestro_flow.model.definition import StepDefinition


def step(step_id: str = "a", *successors: str, **fields: Any) -> dict[str, Any]:
    """A NoOp step in its wrapper."""
    transition = {"transition": {"successors": dict.fromkeys(successors, "true")}} if successors else {}
    return {"step": {"id": step_id, "type": "NoOp", **transition, **fields}}


def request(*steps: Any, properties: dict[str, Any] | None = None, **workflow: Any) -> dict[str, Any]:
    """A create request with these steps, or with one step."""
    document: dict[str, Any] = {"workflow": {"id": "w", "steps": list(steps or [step()]), **workflow}}
    return document | ({} if properties is None else {"properties": properties})


def parse(*steps: Any, **fields: Any) -> Loaded:
    return parse_definition(request(*steps, **fields))


def parse_step(**fields: Any) -> StepDefinition:
    """The only step of a workflow, read from these fields."""
    return parse(step(**fields)).definition.steps[0]
