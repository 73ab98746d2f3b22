"""The params given when a run is started or restarted: changes to those of the definition."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from attrs import frozen

from maestro_flow.core.params.casts import cast
from maestro_flow.core.params.merge import merge_params
from maestro_flow.core.params.messages import did_you_mean, preview
from maestro_flow.dsl.graph import check_params_size
from maestro_flow.dsl.ids import check_param_name
from maestro_flow.dsl.limits import RUN_PARAMS_MAX
from maestro_flow.dsl.location import ROOT, Location
from maestro_flow.dsl.params import check_param
from maestro_flow.dsl.plain import plain
from maestro_flow.dsl.types import cast_at, infer_type
from maestro_flow.errors import DefinitionError
from maestro_flow.model.definition import WorkflowDefinition
from maestro_flow.model.params import Param, ParamSource, ParamType, as_data

__all__ = ["parse_param_text", "parse_params", "parse_step_params"]


def parse_params(
    declared: Mapping[str, Param],
    given: Mapping[str, Any],
    source: ParamSource = ParamSource.LAUNCH,
    location: Location = ROOT / "params",
) -> dict[str, Param]:
    """The checked changes to the params of a run (``source``: LAUNCH or RESTART), without the unchanged ones.

    A plain value of a declared param is cast to its type; any other one has the type of its value. Strings are data:
    ``$`` has no meaning in them. A ``Param`` is a definition: it may have an expression or references.

    Raises:
        DefinitionError: a value does not fit, a param must not be changed now, or there are too many.
    """
    if not isinstance(given, Mapping):
        raise location.error(f"expected a mapping of names to values, got {preview(given)}")
    if len(given) > RUN_PARAMS_MAX:
        raise location.error(f"{len(given)} params were given; at most {RUN_PARAMS_MAX} are allowed")
    changes = {}
    for name, value in given.items():
        here = location / str(name)
        changes[check_param_name(name, here)] = _change(declared.get(name), value, here)
    merged = merge_params(declared, changes, source, _MergeErrors(location))
    check_params_size(merged, location)
    return changes


def parse_step_params(
    definition: WorkflowDefinition,
    given: Mapping[str, Mapping[str, Any]],
    source: ParamSource = ParamSource.LAUNCH,
) -> dict[str, dict[str, Param]]:
    """The same as ``parse_params`` for the params of steps, by step id.

    Raises:
        DefinitionError: as ``parse_params``, or there is no such step.
    """
    location = ROOT / "step_params"
    if not isinstance(given, Mapping):
        raise location.error(f"expected a mapping of step ids to params, got {preview(given)}")
    steps = {step.id: step for step in definition.steps}
    for step_id in given:
        if step_id not in steps:
            raise (location / str(step_id)).error(f"there is no step {preview(step_id)}{did_you_mean(step_id, steps)}")
    return {
        step_id: parse_params(steps[step_id].params, params, source, location / step_id)
        for step_id, params in given.items()
    }


@frozen
class _MergeErrors:
    """The errors of a merge, at the location of the param."""

    location: Location

    def param_error(self, path: str, _param: Param, problem: str) -> DefinitionError:
        location = self.location
        for name in path.split("."):
            location /= name
        return location.error(problem)


def _change(declared: Param | None, value: Any, location: Location) -> Param:
    if isinstance(value, Param):
        return check_param(value, location)
    return as_data(_plain_change(declared, plain(value, location), location))


def _plain_change(declared: Param | None, value: Any, location: Location) -> Param:
    """The change to a param or to an entry of a MAP; a declared entry has its declared type."""
    kind = infer_type(value, location) if declared is None else declared.type
    if kind is not ParamType.MAP or not isinstance(value, dict):
        return Param(kind, cast_at(cast, kind, value, location))
    entries = declared.value if declared is not None and isinstance(declared.value, dict) else {}
    return Param(kind, {name: _plain_change(entries.get(name), item, location / name) for name, item in value.items()})


def parse_param_text(param_type: ParamType | None, text: str) -> Any:
    """The value that an argument of the command line means, for ``parse_params`` to check and cast.

    A STRING is the text itself. Anything else, including a param that is not declared (None), is read as JSON, and is
    text if it is not JSON.
    """
    if param_type is ParamType.STRING:
        return text
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return text
