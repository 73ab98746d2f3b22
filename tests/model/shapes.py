"""Definitions of several shapes, whose stored bodies of an earlier version are beside this file."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from maestro_flow import Workflow
from maestro_flow.dsl.parse import parse_definition
from maestro_flow.model.definition import WorkflowDefinition

FROZEN = Path(__file__).parent / "definitions"


def smallest() -> WorkflowDefinition:
    return parse_definition(
        {"workflow": {"id": "smallest", "steps": [{"step": {"id": "a", "type": "NoOp"}}]}}
    ).definition


def built() -> WorkflowDefinition:
    """Functions, a step of another type, params of every kind of value."""
    params = {"day": "2026-11-22", "rows": 7, "share": 0.5, "dry": False, "names": ["a", "ü"], "table": {"k": "$day"}}
    wf = Workflow("built", params=params, name="Built", owner="me", timeout_s=3600, run_strategy="sequential")

    @wf.step
    def extract(day: str) -> list[str]:
        return [day]

    @wf.step(after=extract, retries=3, timeout_s=1.5, tags=["io"])
    def load(extract: list[str]) -> int:
        return len(extract)

    wf.add("wait", type="Sleep", params={"sleep_seconds": 5}, after={extract: "extract__rows > 3"})
    return wf.definition


def read() -> WorkflowDefinition:
    """What JSON can say: expressions, policies, references, limits, tags, and fields that are only stored."""
    backoff = {"type": "FIXED_BACKOFF", "error_retry_backoff_in_secs": 7}
    first = {
        "id": "first",
        "type": "Sleep",
        "name": "First",
        "description": "sleeps",
        "params": {"sleep_seconds": {"type": "LONG", "expression": "n + 1"}},
        "transition": {"successors": {"second": "n > 1", "third": "true"}},
        "retry_policy": {"error_retry_limit": "${n}", "platform_retry_limit": 4, "backoff": backoff},
        "failure_mode": "ignore_failure",
        "timeout": "1d 2h",
        "tags": ["plain", {"name": "scarce", "permit": 2, "namespace": "USER_DEFINED", "attributes": {"x": 1}}],
    }
    steps = [first, {"id": "second", "type": "NoOp"}, {"id": "third", "type": "NoOp", "timeout": "${n}"}]
    document = {
        "properties": {"owner": "me", "run_strategy": 7, "step_concurrency": 5, "description": "of all versions"},
        "workflow": {
            "id": "read",
            "name": "Read",
            "steps": [{"step": step} for step in steps],
            "params": {"n": {"type": "LONG", "value": 3, "mode": "MUTABLE"}, "text": "n is $n"},
            "timeout": "$n",
            "instance_step_concurrency": 3,
            "criticality": "HIGH",
            "tags": ["w"],
        },
        "git_info": {"branch": "main"},
    }
    return parse_definition(document).definition


SHAPES: dict[str, Callable[[], WorkflowDefinition]] = {each.__name__: each for each in (smallest, built, read)}
