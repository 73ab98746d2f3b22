"""One step of a definition, and which steps follow it."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from attrs import frozen

from maestro_flow.core.params.messages import did_you_mean, preview
from maestro_flow.dsl.concurrency import keep_attributes, read_tag_list
from maestro_flow.dsl.conditions import read_condition
from maestro_flow.dsl.durations import read_timeout
from maestro_flow.dsl.fields import KINDS
from maestro_flow.dsl.graph import check_params_size
from maestro_flow.dsl.ids import check_step_id
from maestro_flow.dsl.limits import ID_CHARS_MAX, NAME_CHARS_MAX, TEXT_CHARS_MAX
from maestro_flow.dsl.location import Location, listing
from maestro_flow.dsl.params import read_params
from maestro_flow.dsl.reader import Notes, expect_list, expect_object, expect_text, read_fields
from maestro_flow.dsl.retries import read_retry_policy
from maestro_flow.model.definition import FailureMode, RetryPolicy, TypedStep

__all__ = ["ReadStep", "check_predecessors", "check_type", "read_failure_mode", "read_step"]


@frozen
class ReadStep:
    """A step, its location, and the predecessors it was given (None: the field is absent)."""

    definition: TypedStep
    location: Location
    predecessors: tuple[str, ...] | None = None


def read_step(given: Any, location: Location, notes: Notes, known_types: Collection[str] | None) -> ReadStep:
    """A step in its wrapper: ``{"step": {...}}``.

    Raises:
        DefinitionError: its kind is not supported, or something in it is wrong.
    """
    wrapper, _ = read_fields(given, location, notes, KINDS)
    if len(wrapper) != 1:
        raise location.error('expected an object with one field, the kind of the step: {"step": {...}}')
    location = location / "step"
    fields, stored = read_fields(wrapper["step"], location, notes, "step")
    for name in ("id", "type"):
        if name not in fields:
            raise location.error(f"a step needs the field {name!r}")
    tags = read_tag_list(fields.get("tags", []), location / "tags", notes)
    params, rest = read_params(fields.get("params", {}), location / "params", notes, of_step=True)
    check_params_size(params, location / "params")
    stored |= keep_attributes(fields.get("tags", [])) | ({"params": rest} if rest else {})
    successors, predecessors = _read_transition(fields.get("transition", {}), location / "transition", notes)
    mode = fields.get("failure_mode", FailureMode.FAIL_AFTER_RUNNING)
    policy = fields.get("retry_policy")
    timeout = fields.get("timeout")
    step = TypedStep(
        id=check_step_id(fields["id"], location / "id"),
        type=check_type(fields["type"], location / "type", known_types),
        name=expect_text(fields.get("name", ""), location / "name", NAME_CHARS_MAX),
        description=expect_text(fields.get("description", ""), location / "description", TEXT_CHARS_MAX),
        params=params,
        successors=successors,
        retry_policy=RetryPolicy() if policy is None else read_retry_policy(policy, location / "retry_policy", notes),
        timeout_s=None if timeout is None else read_timeout(timeout, location / "timeout"),
        failure_mode=read_failure_mode(mode, location / "failure_mode"),
        tags=tags,
        stored=stored,
    )
    return ReadStep(step, location, predecessors)


def check_type(given: Any, location: Location, known_types: Collection[str] | None) -> str:
    """The name of a step type; it must be one of ``known_types``, unless that is None.

    Raises:
        DefinitionError: it is not text, or not a known type.
    """
    name = expect_text(given, location, ID_CHARS_MAX)
    if not name or not name.isprintable():
        raise location.error(f"{preview(name)} is not a valid name of a step type")
    if known_types is not None and name not in known_types:
        known = sorted(known_types)
        hint = did_you_mean(name, known)
        raise location.error(f"unknown step type {name!r}{hint}; the installed types are {listing(known)}")
    return name


def read_failure_mode(given: Any, location: Location) -> FailureMode:
    """A failure mode by its name, in upper or lower case, like all members of Maestro's enums (FailureMode.java).

    Raises:
        DefinitionError: there is no such mode.
    """
    try:
        return FailureMode(given.upper())
    except (AttributeError, ValueError):
        known = [mode.lower() for mode in FailureMode]
        hint = did_you_mean(str(given).lower(), known)
        raise location.error(f"unknown failure mode {preview(given)}{hint}; the modes are {listing(known)}") from None


def _read_transition(
    given: Any, location: Location, notes: Notes
) -> tuple[dict[str, bool | str], tuple[str, ...] | None]:
    fields, _ = read_fields(given, location, notes, "transition")
    here = location / "successors"
    successors = {
        step_id: read_condition(condition, here / step_id)
        for step_id, condition in expect_object(fields.get("successors", {}), here).items()
    }
    if "predecessors" not in fields:
        return successors, None
    here = location / "predecessors"
    listed = expect_list(fields["predecessors"], here)
    return successors, tuple(expect_text(item, here[index], ID_CHARS_MAX) for index, item in enumerate(listed))


def check_predecessors(steps: Collection[ReadStep]) -> None:
    """Check that the predecessors a step was given are the steps that it follows, in any order.

    Raises:
        DefinitionError: they are not.
    """
    actual: dict[str, set[str]] = {step.definition.id: set() for step in steps}
    for step in steps:
        for successor in step.definition.successors:
            actual[successor].add(step.definition.id)
    for step in steps:
        expected = sorted(actual[step.definition.id])
        if step.predecessors is not None and sorted(step.predecessors) != expected:
            location = step.location / "transition" / "predecessors"
            raise location.error(
                f"{listing(step.predecessors)} does not match the successors of the steps, which give "
                f"{listing(expected)}; leave the field out"
            )
