"""A definition as Maestro's create request ``{properties, workflow, is_active, git_info, ...}``, into the model."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from attrs import frozen

from maestro_flow.dsl.graph import check_graph, check_params_size
from maestro_flow.dsl.ids import check_workflow_id
from maestro_flow.dsl.limits import FILE_STEPS_MAX, NAME_CHARS_MAX, TEXT_CHARS_MAX
from maestro_flow.dsl.params import read_params
from maestro_flow.dsl.place import ROOT, Place, guess, shown
from maestro_flow.dsl.plain import plain
from maestro_flow.dsl.reader import Notes, expect_list, expect_object, expect_text, read_fields, read_tags
from maestro_flow.dsl.steps import check_predecessors, read_step
from maestro_flow.errors import DefinitionError
from maestro_flow.model.definition import WorkflowDefinition

__all__ = ["Loaded", "parse_definition"]

_TRIGGERS = {"time_triggers": "time_trigger", "signal_triggers": "signal_trigger"}


@frozen
class Loaded:
    """A definition that was accepted, and a line for everything in it that will not act as it might be expected to."""

    definition: WorkflowDefinition
    warnings: tuple[str, ...] = ()


def parse_definition(
    document: Mapping[str, Any], source: str = "", *, known_types: Collection[str] | None = None
) -> Loaded:
    """Read a definition that is already JSON; ``source`` names where it came from, in errors.

    ``known_types`` are the step types that there are; None accepts any name.

    Raises:
        DefinitionError: with the place in the document, and what was expected there.
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
    owner, properties = _read_properties(fields.get("properties", {}), ROOT / "properties", notes)
    if properties:
        stored["properties"] = properties
    return Loaded(_read_workflow(fields["workflow"], notes, owner, stored, known_types), tuple(notes.lines))


def _misspelled(stored: Mapping[str, Any]) -> str:
    return next((f"; is {shown(name)} meant to be it?" for name in stored if guess(name, ["workflow"])), "")


def _refuse_dsl(document: dict[str, Any]) -> None:
    """Maestro has a second format, with jobs in place of steps, which its own tools translate."""
    for name in ("Workflow", "workflow"):
        workflow = document.get(name)
        if isinstance(workflow, dict) and "steps" not in workflow and ("jobs" in workflow or name == "Workflow"):
            raise (ROOT / name).error(
                "not supported yet: this is Maestro's YAML DSL (Workflow with jobs); "
                "write the same as a create request (workflow with steps)"
            )


def _read_properties(given: Any, place: Place, notes: Notes) -> tuple[str, dict[str, Any]]:
    fields, stored = read_fields(given, place, notes, "properties")
    read_tags(stored, place, notes)
    expect_text(stored.get("description", ""), place / "description", TEXT_CHARS_MAX)
    owner = fields.get("owner", "")
    place = place / "owner"
    if isinstance(owner, dict):
        stored["owner"] = owner
        owner, place = owner.get("name"), place / "name"
    return expect_text(owner, place, NAME_CHARS_MAX), stored


def _read_workflow(
    given: Any, notes: Notes, owner: str, request_stored: dict[str, Any], known_types: Collection[str] | None
) -> WorkflowDefinition:
    place = ROOT / "workflow"
    fields, stored = read_fields(given, place, notes, "workflow")
    for name in ("id", "steps"):
        if name not in fields:
            raise place.error(f"a workflow needs the field {name!r}")
    workflow_id = check_workflow_id(fields["id"], place / "id")
    read_tags(stored, place, notes)
    for name, scope in _TRIGGERS.items():
        for index, trigger in enumerate(expect_list(stored.get(name, []), place / name)):
            read_fields(trigger, (place / name)[index], notes, scope)
    params, rest = read_params(fields.get("params", {}), place / "params", notes)
    check_params_size(params, place / "params")
    if rest:
        stored["params"] = rest
    here = place / "steps"
    listed = expect_list(fields["steps"], here)
    if len(listed) > FILE_STEPS_MAX:  # before each of them is read
        raise here.error(f"{len(listed)} steps are too many; at most {FILE_STEPS_MAX} are allowed")
    steps = [read_step(step, here[index], notes, known_types) for index, step in enumerate(listed)]
    if stored:
        request_stored["workflow"] = stored
    definition = WorkflowDefinition(
        id=workflow_id,
        steps=tuple(step.definition for step in steps),
        name=expect_text(fields.get("name", ""), place / "name", NAME_CHARS_MAX),
        description=expect_text(fields.get("description", ""), place / "description", TEXT_CHARS_MAX),
        owner=owner,
        params=params,
        stored=request_stored,
    )
    check_graph(definition, FILE_STEPS_MAX, here, lambda index: steps[index].place)
    check_predecessors(steps)
    return definition
