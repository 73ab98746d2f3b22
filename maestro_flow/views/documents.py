"""JSON documents: what scripts get from ``--json`` and what a server sends. Times are ISO 8601 in UTC.

Fields are only ever added. A value in a document may be one that JSON has no form for (a result that is a ``Decimal``,
for example): the encoder has to convert it to text.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import msgspec

from maestro_flow.errors import NotFound
from maestro_flow.model.events import StepError
from maestro_flow.model.flow_id import FlowId
from maestro_flow.model.runs import RunEntry
from maestro_flow.verify.history import Violation
from maestro_flow.verify.store import Verification
from maestro_flow.views.attempts import AttemptView
from maestro_flow.views.dead_letters import DeadLetter
from maestro_flow.views.explanation import Explanation
from maestro_flow.views.history import RecordedEvent
from maestro_flow.views.run import RunView, StepView
from maestro_flow.views.tag_permits import TagPermit
from maestro_flow.views.timeline import TimelineEntry
from maestro_flow.views.times import iso_time

__all__ = [
    "attempt_document",
    "dead_letter_document",
    "event_document",
    "explanation_document",
    "run_document",
    "run_summary",
    "step_history_document",
    "tag_permit_document",
    "timeline_document",
    "verification_document",
]

# -- runs and steps ---------------------------------------------------------------------------------------------


def run_summary(run: RunView | RunEntry) -> dict[str, Any]:
    """A run in a list of runs; a time is null until it is known."""
    return {
        "workflow_id": run.workflow_id,
        "version": run.version,
        "instance_id": run.instance_id,
        "run_id": run.run_id,
        "status": run.status,
        "create_time": _time(run.created_at),
        "start_time": _time(run.started_at),
        "end_time": _time(run.ended_at),
    }


def run_document(view: RunView) -> dict[str, Any]:
    """A run with its params and all its steps, by step id in the order of the definition."""
    steps = {step_id: _step_document(step) for step_id, step in view.steps.items()}
    return run_summary(view) | {
        "instance_status": view.instance_status,
        "reason": view.reason or None,
        "blocking": view.is_blocking,
        "params": view.params,
        "steps": steps,
    }


def _step_document(step: StepView) -> dict[str, Any]:
    """A step in the state of its latest attempt; ``error`` has type, message and traceback, or is null."""
    return {
        "type": step.type,
        "status": step.status,
        "attempt": step.attempt,
        "execution": step.execution,
        "start_time": _time(step.started_at),
        "end_time": _time(step.ended_at),
        "retry_time": _time(step.retry_at),
        "params": step.params,
        "outputs": step.outputs,
        "result": step.result,
        "error": _error_document(step.error),
        "timeout_s": step.timeout_s,
        "breakpoint": step.breakpoint,
        "ending": step.ending,
        "run_id": step.run_id,
        "waiting_for": step.waiting_for or None,
    }


def step_history_document(
    step_id: str, timeline: Iterable[TimelineEntry], attempts: Iterable[AttemptView]
) -> dict[str, Any]:
    """A step in one run: its timeline, and each of its attempts, from the first to the latest."""
    return {
        "step": step_id,
        "timeline": timeline_document(timeline),
        "attempts": [attempt_document(attempt) for attempt in attempts],
    }


def attempt_document(attempt: AttemptView) -> dict[str, Any]:
    """One attempt of a step; the fields that a step has, too, mean the same."""
    return {
        "attempt": attempt.attempt,
        "executions": attempt.executions,
        "status": attempt.status,
        "start_time": _time(attempt.started_at),
        "end_time": _time(attempt.ended_at),
        "retry_time": _time(attempt.retry_at),
        "params": attempt.params,
        "outputs": attempt.outputs,
        "result": attempt.result,
        "artifacts": attempt.artifacts,
        "error": _error_document(attempt.error),
        "timeline": timeline_document(attempt.timeline),
    }


def timeline_document(entries: Iterable[TimelineEntry]) -> list[dict[str, Any]]:
    """The entries of a timeline; ``seconds`` is the time to the next entry, null for the last."""
    return [
        {
            "time": _time(entry.at),
            "attempt": entry.attempt,
            "execution": entry.execution,
            "what": entry.what,
            "seconds": entry.lasted_s,
        }
        for entry in entries
    ]


def event_document(recorded: RecordedEvent) -> dict[str, Any]:
    """An event of the log: ``kind``, and its fields as they are written (docs/reference/events.md)."""
    head = {"revision": recorded.revision, "time": _time(recorded.at), "owner_id": recorded.owner_id}
    fields: dict[str, Any] = msgspec.json.decode(msgspec.json.encode(recorded.event))
    return head | fields


def explanation_document(flow_id: str, step_id: str, why: Explanation) -> dict[str, Any]:
    """Why a run, or a step of it (``step`` is null for the run), is as it is."""
    return _run_parts(flow_id) | {"step": step_id or None, "sentence": why.sentence, "since": _time(why.since)}


# -- the rest of a store ----------------------------------------------------------------------------------------


def tag_permit_document(tag: TagPermit) -> dict[str, Any]:
    """The permits of a tag; ``limit`` is null if no user has set one."""
    return {"tag": tag.tag, "limit": tag.limit, "held": tag.held, "waiting": tag.waiting}


def dead_letter_document(letter: DeadLetter) -> dict[str, Any]:
    """A message that could not be handled, with the run that it is for."""
    return {
        "message_id": letter.message_id,
        **_run_parts(letter.flow_id),
        "kind": letter.kind,
        "body": letter.body,
        "sent_time": _time(letter.sent_at),
        "deliveries": letter.deliveries,
        "reason": letter.reason,
    }


def verification_document(found: Verification) -> dict[str, Any]:
    """What was verified, and the violations that were found."""
    return {
        "groups": found.groups,
        "runs": found.runs,
        "attempts": found.attempts,
        "records": found.records,
        "events": found.events,
        "violation_count": found.violation_count,
        "violations": [_violation_document(violation) for violation in found.violations],
    }


def _violation_document(violation: Violation) -> dict[str, Any]:
    return {
        "invariant": violation.invariant,
        **_run_parts(violation.flow_id),
        "step": violation.step_id or None,
        "revision": violation.revision or None,
        "position": violation.position or None,
        "group_id": violation.group_id if violation.group_id >= 0 else None,
        "message": violation.message,
        "promised": violation.meaning,
        "what_to_do": violation.remedy,
    }


# -- parts ------------------------------------------------------------------------------------------------------


def _time(seconds: float | None) -> str | None:
    return None if seconds is None else iso_time(seconds)


def _error_document(error: StepError | None) -> dict[str, Any] | None:
    return None if error is None else {"type": error.type, "message": error.message, "traceback": error.traceback}


def _run_parts(flow_id: str) -> dict[str, Any]:
    """Workflow, instance and run of a flow id; null for what it does not name."""
    try:
        which = FlowId.parse(flow_id)
    except NotFound:
        return {"workflow_id": flow_id or None, "instance_id": None, "run_id": None}
    return {"workflow_id": which.workflow_id, "instance_id": which.instance_id, "run_id": which.run_id}
