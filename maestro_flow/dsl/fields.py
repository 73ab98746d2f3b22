"""The one list of all fields of a definition, and how each is treated (docs/reference/definitions.md shows it)."""

from __future__ import annotations

from enum import Enum
from typing import Any

from attrs import frozen

__all__ = ["KINDS", "SCOPES", "Field", "Scope", "Treatment"]


class Treatment(Enum):
    """What this version does with a field."""

    ENFORCED = "enforced"
    STORED = "stored"
    """Kept verbatim with the definition, but not acted on."""
    REFUSED = "refused"
    """The definition is rejected: not supported yet."""


@frozen
class Field:
    """One field. ``note`` says what it means, what is missing if it is only stored, or what to do instead.

    ``warn``: users expect this stored field to have an effect, so loading warns, unless its value is in ``quiet``:
    nothing is lost by ignoring those. A refused field with a value in ``quiet`` is dropped. In any field, null counts
    as absent.
    """

    name: str
    treatment: Treatment
    note: str
    warn: bool = False
    quiet: tuple[Any, ...] = ()


@frozen
class Scope:
    """The fields of one kind of object; with ``extras``, unknown fields are stored with a warning, not refused."""

    title: str
    fields: dict[str, Field]
    extras: bool = False


def _enforced(name: str, note: str) -> Field:
    return Field(name, Treatment.ENFORCED, note)


def _stored(name: str, note: str) -> Field:
    return Field(name, Treatment.STORED, note)


def _inert(name: str, note: str, *quiet: Any) -> Field:
    return Field(name, Treatment.STORED, note, warn=True, quiet=quiet)


def _refused(name: str, note: str, *quiet: Any) -> Field:
    return Field(name, Treatment.REFUSED, note, quiet=quiet)


def _scope(title: str, *fields: Field, extras: bool = False) -> Scope:
    return Scope(title, {field.name: field for field in fields}, extras)


_NO_TRIGGERS = "nothing starts runs by itself: start them from outside"

KINDS = _scope(
    "a step, by kind",
    _enforced("step", "a step with a type"),
    _refused("foreach", "composite steps; write one step for each iteration, or loop inside a step"),
    _refused("while", "composite steps; loop inside a step"),
    _refused("subworkflow", "composite steps; put the steps of the other workflow here, or start it from a step"),
    _refused("template", "composite steps; write the step out"),
)

SCOPES = {
    "request": _scope(
        "the whole document",
        _enforced("properties", "properties of the workflow, of all its versions"),
        _enforced("workflow", "the workflow itself"),
        _inert("is_active", "every version that is pushed can be started", True),
        _stored("git_info", "where the definition comes from"),
        extras=True,
    ),
    "properties": _scope(
        "properties",
        _enforced("owner", "text, or an object with `name`"),
        _stored("access_control", "Maestro defines nothing in it either"),
        _enforced("run_strategy", "how runs of the workflow relate; default `SEQUENTIAL`, one at a time"),
        _enforced("step_concurrency", "active steps of all runs at once, 1 to 1,000; default: no limit"),
        _inert("alerting", "no alerts are sent"),
        _stored("alerting_disabled", "no alerts are sent"),
        _stored("signal_trigger_disabled", "there are no triggers"),
        _stored("time_trigger_disabled", "there are no triggers"),
        _stored("description", "of the properties; text"),
        _stored("tags", "list of tags"),
    ),
    "workflow": _scope(
        "workflow",
        _enforced("id", "required; an id"),
        _enforced("name", "text"),
        _enforced("description", "text"),
        _enforced("tags", "list of tags that apply to all of its steps"),
        _enforced("timeout", "of a run: a duration, or a string with references to params of the run"),
        _inert("time_triggers", _NO_TRIGGERS, []),
        _inert("signal_triggers", _NO_TRIGGERS, []),
        _stored("criticality", "`CRITICAL`, `HIGH`, `MEDIUM` or `LOW`"),
        _enforced("instance_step_concurrency", "active steps of one run at once, 1 to 1,000; default: no limit"),
        _enforced("params", "object: name to param"),
        _enforced("steps", "required; list of steps, each an object with its kind as the only field"),
    ),
    "step": _scope(
        "workflow.steps[].step",
        _enforced("id", "required; an id without `__` that starts with a letter or `_`"),
        _enforced("name", "text"),
        _enforced("description", "text"),
        _enforced("type", "required; name of an installed step type, case-sensitive"),
        _inert("sub_type", "job templates are not supported: the params of the step are all it gets"),
        _inert("sub_type_version", "job templates are not supported"),
        _enforced("transition", "which steps follow"),
        _enforced("params", "object: name to param"),
        _enforced("retry_policy", "when and how often to retry"),
        _enforced(
            "timeout",
            "of one attempt, from when its code starts: a duration, or a string with references to params",
        ),
        _enforced(
            "failure_mode",
            "what a permanent failure does: `fail_after_running`, the default: other branches run to their end; "
            "`fail_immediately`: all others are stopped; `ignore_failure`: the run continues as if it had succeeded",
        ),
        _enforced("tags", "list of tags"),
        _refused("signal_dependencies", "signals; have a step wait for what it needs", [], {}),
        _refused("signal_outputs", "signals; have a step notify those who need to know", [], {}),
    ),
    "transition": _scope(
        "workflow.steps[].step.transition",
        _enforced("successors", "object: step id to condition, `true`, `false` or a SEL expression"),
        _enforced("predecessors", "list of step ids; derived from the successors, which it must match if given"),
    ),
    "retry_policy": _scope(
        "workflow.steps[].step.retry_policy",
        _enforced("error_retry_limit", "retries after an error of the step's code; default 2, at most 99"),
        _enforced("platform_retry_limit", "retries after an error of the platform; default 10, at most 99"),
        _enforced("timeout_retry_limit", "retries after a timeout; default 0, at most 99"),
        _enforced("backoff", "how long to wait before a retry"),
    ),
    "exponential_backoff": _scope(
        "workflow.steps[].step.retry_policy.backoff with `type: EXPONENTIAL_BACKOFF`",
        _enforced("type", "`EXPONENTIAL_BACKOFF` or `FIXED_BACKOFF`; required"),
        _enforced("error_retry_backoff_in_secs", "wait before the first retry; default 60"),
        _enforced("error_retry_exponent", "factor between consecutive waits; default 2"),
        _enforced("error_retry_limit_in_secs", "longest wait; default 600, at most a day"),
        _enforced("platform_retry_backoff_in_secs", "the same after an error of the platform; default 60"),
        _enforced("platform_retry_exponent", "default 2"),
        _enforced("platform_retry_limit_in_secs", "default 3600, at most a day"),
        _enforced("timeout_retry_backoff_in_secs", "the same after a timeout; default 60"),
        _enforced("timeout_retry_exponent", "default 2"),
        _enforced("timeout_retry_limit_in_secs", "default 3600, at most a day"),
    ),
    "fixed_backoff": _scope(
        "workflow.steps[].step.retry_policy.backoff with `type: FIXED_BACKOFF`",
        _enforced("type", "`FIXED_BACKOFF`"),
        _enforced("error_retry_backoff_in_secs", "wait before every retry after an error; default 60, at most a day"),
        _enforced("platform_retry_backoff_in_secs", "after an error of the platform; default 60"),
        _enforced("timeout_retry_backoff_in_secs", "after a timeout; default 60"),
    ),
    "param": _scope(
        "a param in its full form",
        _enforced("type", "one of the types below, in upper or lower case; by default, the type of the value"),
        _enforced("value", "a literal of that type; strings may refer to params (`$name`, `${name}`)"),
        _enforced("expression", "SEL that gives the value, instead of `value`; needs `type`"),
        _enforced("mode", "what may change it; default `MUTABLE`"),
        _inert("validator", "values are checked against the type only"),
        _stored("tags", "list of tags"),
        _stored("name", "Maestro writes it, and ignores it on reading"),
        _stored("source", "Maestro writes it: where the value came from"),
        _stored("internal_mode", "Maestro writes it"),
    ),
    "tag": _scope(
        "a tag; a string is short for its name",
        _enforced("name", "text, required"),
        _enforced("namespace", "`SYSTEM`, `PLATFORM`, `RUNTIME`, `USER_DEFINED`, `JOB_TEMPLATE`, `NOTEBOOK_TEMPLATE`"),
        _enforced("permit", "active steps with this tag at once, 1 to 1,000; default: no limit"),
        _stored("attributes", "object"),
    ),
    "run_strategy": _scope(
        "properties.run_strategy in its full form",
        _enforced("rule", "default `SEQUENTIAL`"),
        _enforced("workflow_concurrency", "runs at once, 1 to 1,000; default 20 for `PARALLEL`; always 1 for others"),
    ),
    "time_trigger": _scope(
        "workflow.time_triggers[]",
        _stored("type", "`CRON`, `PREDEFINED` or `INTERVAL`"),
        _stored("cron", "text"),
        _stored("expression", "text"),
        _stored("interval", "text"),
        _stored("start", "text"),
        _stored("timezone", "text"),
        _stored("fuzzy_max_delay", "duration"),
    ),
    "signal_trigger": _scope(
        "workflow.signal_triggers[]",
        _stored("definitions", "object: signal name to match; not checked"),
        _stored("params", "object; not checked"),
        _stored("condition", "text"),
        _stored("dedup_expr", "text"),
    ),
}
"""Every object of a definition by its name here. An object without a row is kept as given."""
