"""Reads a definition, Maestro's create request ``{properties, workflow, is_active, git_info, ...}``, into the model."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from attrs import evolve, frozen

from maestro_flow.core.params.messages import did_you_mean, preview
from maestro_flow.dsl.concurrency import keep_attributes, read_concurrency, read_run_strategy, read_tag_list
from maestro_flow.dsl.durations import read_timeout
from maestro_flow.dsl.graph import check_graph, check_params_size
from maestro_flow.dsl.ids import check_workflow_id
from maestro_flow.dsl.limits import FILE_STEPS_MAX, NAME_CHARS_MAX, TEXT_CHARS_MAX
from maestro_flow.dsl.location import ROOT, Location
from maestro_flow.dsl.names import check_names
from maestro_flow.dsl.params import read_params
from maestro_flow.dsl.plain import plain
from maestro_flow.dsl.reader import Notes, expect_list, expect_object, expect_text, read_fields, read_tags
from maestro_flow.dsl.steps import ReadStep, check_predecessors, read_step
from maestro_flow.errors import DefinitionError
from maestro_flow.model.definition import RunRule, WorkflowDefinition

__all__ = ["Loaded", "parse_definition"]

_TRIGGERS = {"time_triggers": "time_trigger", "signal_triggers": "signal_trigger"}


@frozen
class Loaded:
    """An accepted definition, with a warning line for everything in it that will not act as one might expect."""

    definition: WorkflowDefinition
    warnings: tuple[str, ...] = ()


def parse_definition(
    document: Mapping[str, Any], source: str = "", *, known_types: Collection[str] | None = None
) -> Loaded:
    """Read a definition that is already JSON; ``source`` says in errors where it came from.

    ``known_types`` are the installed step types; None accepts any name.

    Raises:
        DefinitionError: something is wrong; the message has the location in the document and what was expected there.
    """
    try:
        return _parse(plain(document, ROOT), known_types)
    except DefinitionError as error:
        raise error.at(source) from None


def _parse(document: Any, known_types: Collection[str] | None) -> Loaded:
    notes = Notes()
    _refuse_dsl(expect_object(document, ROOT))
    fields, stored = read_fields(document, ROOT, notes, "request")
    if "workflow" not in fields:
        raise ROOT.error(f"the field 'workflow' is missing{_misspelled(stored)}")
    properties = _read_properties(fields.get("properties", {}), ROOT / "properties", notes, stored)
    definition = _read_workflow(fields["workflow"], notes, stored, known_types)
    return Loaded(evolve(definition, **properties, stored=stored), tuple(notes.lines))


def _misspelled(stored: Mapping[str, Any]) -> str:
    return next((f"; is {preview(name)} meant to be it?" for name in stored if did_you_mean(name, ["workflow"])), "")


def _refuse_dsl(document: dict[str, Any]) -> None:
    """Refuse Maestro's second format, with jobs in place of steps, which Maestro's own tools translate."""
    for name in ("Workflow", "workflow"):
        workflow = document.get(name)
        if isinstance(workflow, dict) and "steps" not in workflow and ("jobs" in workflow or name == "Workflow"):
            raise (ROOT / name).error(
                "not supported yet: this is Maestro's YAML DSL (Workflow with jobs); "
                "rewrite it as a create request (workflow with steps)"
            )


def _read_properties(given: Any, location: Location, notes: Notes, request: dict[str, Any]) -> dict[str, Any]:
    """The properties that matter to the definition; those that are only stored go into ``request``."""
    fields, stored = read_fields(given, location, notes, "properties")
    read_tags(stored, location, notes)
    expect_text(stored.get("description", ""), location / "description", TEXT_CHARS_MAX)
    owner, here = fields.get("owner", ""), location / "owner"
    if isinstance(owner, dict):
        stored["owner"] = owner
        owner, here = owner.get("name"), here / "name"
    strategy = fields.get("run_strategy", RunRule.SEQUENTIAL)
    steps = fields.get("step_concurrency")
    if stored:
        request["properties"] = stored
    return {
        "owner": expect_text(owner, here, NAME_CHARS_MAX),
        "run_strategy": read_run_strategy(strategy, location / "run_strategy", notes),
        "step_concurrency": None if steps is None else read_concurrency(steps, location / "step_concurrency"),
    }


def _read_workflow(
    given: Any, notes: Notes, request: dict[str, Any], known_types: Collection[str] | None
) -> WorkflowDefinition:
    """The workflow itself; fields that are only stored go into ``request``."""
    location = ROOT / "workflow"
    fields, stored = read_fields(given, location, notes, "workflow")
    for name in ("id", "steps"):
        if name not in fields:
            raise location.error(f"a workflow needs the field {name!r}")
    workflow_id = check_workflow_id(fields["id"], location / "id")
    tags = read_tag_list(fields.get("tags", []), location / "tags", notes)
    for name, scope in _TRIGGERS.items():
        for index, trigger in enumerate(expect_list(stored.get(name, []), location / name)):
            read_fields(trigger, (location / name)[index], notes, scope)
    params, rest = read_params(fields.get("params", {}), location / "params", notes)
    check_params_size(params, location / "params")
    stored |= keep_attributes(fields.get("tags", [])) | ({"params": rest} if rest else {})
    if stored:
        request["workflow"] = stored
    steps = _read_steps(fields["steps"], location / "steps", notes, known_types)
    timeout, concurrency = fields.get("timeout"), fields.get("instance_step_concurrency")
    definition = WorkflowDefinition(
        id=workflow_id,
        steps=tuple(step.definition for step in steps),
        name=expect_text(fields.get("name", ""), location / "name", NAME_CHARS_MAX),
        description=expect_text(fields.get("description", ""), location / "description", TEXT_CHARS_MAX),
        params=params,
        timeout_s=None if timeout is None else read_timeout(timeout, location / "timeout"),
        instance_step_concurrency=(
            None if concurrency is None else read_concurrency(concurrency, location / "instance_step_concurrency")
        ),
        tags=tags,
    )
    check_graph(definition, FILE_STEPS_MAX, location / "steps", lambda index: steps[index].location)
    check_predecessors(steps)
    check_names(definition, location, lambda index: steps[index].location, notes.warn)
    return definition


def _read_steps(given: Any, location: Location, notes: Notes, known_types: Collection[str] | None) -> list[ReadStep]:
    listed = expect_list(given, location)
    if len(listed) > FILE_STEPS_MAX:  # checked before any of them is read
        raise location.error(f"{len(listed)} steps are too many; at most {FILE_STEPS_MAX} are allowed")
    return [read_step(step, location[index], notes, known_types) for index, step in enumerate(listed)]
