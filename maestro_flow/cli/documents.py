"""The JSON documents of ``--json``, which scripts rely on. Times are ISO 8601 in UTC, with milliseconds."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from maestro_flow.model.runs import RunEntry
    from maestro_flow.views.history import Happened, Moment
    from maestro_flow.views.run import RunView, StepView

__all__ = ["event_document", "iso_time", "moment_document", "print_json", "run_document", "run_parts", "run_summary"]


def print_json(document: Any) -> None:
    """Print one document; values that JSON cannot represent are printed as text."""
    import msgspec

    encoded = msgspec.json.encode(document, enc_hook=str)
    click.echo(msgspec.json.format(encoded, indent=2))


def run_summary(run: RunView | RunEntry) -> dict[str, Any]:
    """A run in a list of runs; a time is null until it has come."""
    return {
        "workflow_id": run.workflow_id,
        "version": run.version,
        "instance_id": run.instance_id,
        "run_id": run.run_id,
        "status": run.status,
        "create_time": iso_time(run.created_at),
        "start_time": iso_time(run.started_at),
        "end_time": iso_time(run.ended_at),
    }


def run_parts(flow_id: str) -> dict[str, Any]:
    """Workflow, instance and run of a flow id; null for what it does not name."""
    from maestro_flow.errors import NotFound
    from maestro_flow.model.flow_id import FlowId

    try:
        which = FlowId.parse(flow_id)
    except NotFound:
        return {"workflow_id": flow_id or None, "instance_id": None, "run_id": None}
    return {"workflow_id": which.workflow_id, "instance_id": which.instance_id, "run_id": which.run_id}


def run_document(view: RunView) -> dict[str, Any]:
    """A run with its params and all its steps, by step id in the order of the definition."""
    steps = {step_id: step_document(step) for step_id, step in view.steps.items()}
    return run_summary(view) | {
        "instance_status": view.instance_status,
        "reason": view.reason or None,
        "blocking": view.is_blocking,
        "params": view.params,
        "steps": steps,
    }


def step_document(step: StepView) -> dict[str, Any]:
    """A step in the state of its latest attempt; ``error`` has type, message and traceback, or is null."""
    return {
        "type": step.type,
        "status": step.status,
        "attempt": step.attempt,
        "execution": step.execution,
        "start_time": iso_time(step.started_at),
        "end_time": iso_time(step.ended_at),
        "retry_time": iso_time(step.retry_at),
        "params": step.params,
        "outputs": step.outputs,
        "result": step.result,
        "error": step.error and {name: getattr(step.error, name) for name in ("type", "message", "traceback")},
        "timeout_s": step.timeout_s,
        "breakpoint": step.breakpoint,
        "ending": step.ending,
        "run_id": step.run_id,
        "waiting_for": step.waiting_for or None,
    }


def event_document(happened: Happened) -> dict[str, Any]:
    """An event of the log: ``kind`` and its fields as stored; see the list of events."""
    import msgspec

    head = {"revision": happened.revision, "time": iso_time(happened.at), "owner_id": happened.owner_id}
    fields: dict[str, Any] = msgspec.json.decode(msgspec.json.encode(happened.event))
    return head | fields


def moment_document(moment: Moment) -> dict[str, Any]:
    """An entry in the timeline of a step; ``seconds`` is the time until the next entry, null for the last."""
    return {
        "time": iso_time(moment.at),
        "attempt": moment.attempt,
        "execution": moment.execution,
        "what": moment.what,
        "seconds": moment.lasted_s,
    }


def iso_time(seconds: float | None) -> str | None:
    """Seconds since the epoch as ``2026-11-22T23:59:59.123Z``."""
    if seconds is None:
        return None
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds").removesuffix("+00:00") + "Z"
