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
from maestro_flow.dsl.params import read_params
from maestro_flow.dsl.place import Place, listing
from maestro_flow.dsl.reader import Notes, expect_list, expect_object, expect_text, read_fields
from maestro_flow.dsl.retries import read_retry_policy
from maestro_flow.model.definition import FailureMode, RetryPolicy, TypedStep

__all__ = ["ReadStep", "check_predecessors", "check_type", "read_failure_mode", "read_step"]


@frozen
class ReadStep:
    """A step, its place, and the predecessors it was given (None: the field is absent)."""

    definition: TypedStep
    place: Place
    predecessors: tuple[str, ...] | None = None


def read_step(given: Any, place: Place, notes: Notes, known_types: Collection[str] | None) -> ReadStep:
    """A step in its wrapper: ``{"step": {...}}``.

    Raises:
        DefinitionError: its kind is not supported, or something in it is wrong.
    """
    wrapper, _ = read_fields(given, place, notes, KINDS)
    if len(wrapper) != 1:
        raise place.error('expected an object with one field, the kind of the step: {"step": {...}}')
    place = place / "step"
    fields, stored = read_fields(wrapper["step"], place, notes, "step")
    for name in ("id", "type"):
        if name not in fields:
            raise place.error(f"a step needs the field {name!r}")
    tags = read_tag_list(fields.get("tags", []), place / "tags", notes)
    params, rest = read_params(fields.get("params", {}), place / "params", notes, of_step=True)
    check_params_size(params, place / "params")
    stored |= keep_attributes(fields.get("tags", [])) | ({"params": rest} if rest else {})
    successors, predecessors = _read_transition(fields.get("transition", {}), place / "transition", notes)
    mode = fields.get("failure_mode", FailureMode.FAIL_AFTER_RUNNING)
    policy = fields.get("retry_policy")
    timeout = fields.get("timeout")
    step = TypedStep(
        id=check_step_id(fields["id"], place / "id"),
        type=check_type(fields["type"], place / "type", known_types),
        name=expect_text(fields.get("name", ""), place / "name", NAME_CHARS_MAX),
        description=expect_text(fields.get("description", ""), place / "description", TEXT_CHARS_MAX),
        params=params,
        successors=successors,
        retry_policy=RetryPolicy() if policy is None else read_retry_policy(policy, place / "retry_policy", notes),
        timeout_s=None if timeout is None else read_timeout(timeout, place / "timeout"),
        failure_mode=read_failure_mode(mode, place / "failure_mode"),
        tags=tags,
        stored=stored,
    )
    return ReadStep(step, place, predecessors)


def check_type(given: Any, place: Place, known_types: Collection[str] | None) -> str:
    """The name of a step type; it must be one of ``known_types``, unless that is None.

    Raises:
        DefinitionError: it is not text, or not a known type.
    """
    name = expect_text(given, place, ID_CHARS_MAX)
    if not name or not name.isprintable():
        raise place.error(f"{preview(name)} is not a valid name of a step type")
    if known_types is not None and name not in known_types:
        known = sorted(known_types)
        hint = did_you_mean(name, known)
        raise place.error(f"unknown step type {name!r}{hint}; the installed types are {listing(known)}")
    return name


def read_failure_mode(given: Any, place: Place) -> FailureMode:
    """A failure mode by its name, in upper or lower case, like all members of Maestro's enums (FailureMode.java).

    Raises:
        DefinitionError: there is no such mode.
    """
    try:
        return FailureMode(given.upper())
    except (AttributeError, ValueError):
        known = [mode.lower() for mode in FailureMode]
        hint = did_you_mean(str(given).lower(), known)
        raise place.error(f"unknown failure mode {preview(given)}{hint}; the modes are {listing(known)}") from None


def _read_transition(given: Any, place: Place, notes: Notes) -> tuple[dict[str, bool | str], tuple[str, ...] | None]:
    fields, _ = read_fields(given, place, notes, "transition")
    here = place / "successors"
    successors = {
        step_id: read_condition(condition, here / step_id)
        for step_id, condition in expect_object(fields.get("successors", {}), here).items()
    }
    if "predecessors" not in fields:
        return successors, None
    here = place / "predecessors"
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
            place = step.place / "transition" / "predecessors"
            raise place.error(
                f"{listing(step.predecessors)} does not match the successors of the steps, which give "
                f"{listing(expected)}; leave the field out"
            )
