"""The params of a run: those of the workflow's definition, changed by what is given when it is started."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from maestro_flow.dsl.graph import check_params_size
from maestro_flow.dsl.ids import check_param_name
from maestro_flow.dsl.limits import RUN_PARAMS_MAX
from maestro_flow.dsl.place import ROOT, Place, shown
from maestro_flow.dsl.plain import plain
from maestro_flow.dsl.types import cast, infer_type
from maestro_flow.model.params import Param, ParamMode, ParamType

__all__ = ["infer_params", "parse_param_text", "parse_params"]

_UNCHANGEABLE = frozenset({ParamMode.IMMUTABLE, ParamMode.CONSTANT})


def parse_params(definition_params: Mapping[str, Param], given: Mapping[str, Any]) -> dict[str, Param]:
    """All params of a run, in the order of the definition: its values, and what is given (plain values) over them.

    A param that the definition declares is cast to its type; maps are merged key by key, as in Maestro. Any other one
    has the type of its value. Texts are taken as they are: a ``$`` means nothing here.

    Raises:
        DefinitionError: a value does not fit, a param may not be changed at the start, or there are too many.
    """
    place = ROOT / "params"
    _expect_mapping(given, place)
    if len(given) > RUN_PARAMS_MAX:
        raise place.error(f"{len(given)} params are given; at most {RUN_PARAMS_MAX} are allowed")
    params = dict(definition_params)
    for name, value in given.items():
        here = place / str(name)
        declared = definition_params.get(name)
        params[check_param_name(name, here)] = _change(declared, plain(value, here), here)
    check_params_size(params, place)
    return params


def infer_params(given: Mapping[str, Any], place: Place) -> dict[str, Param]:
    """Params from plain Python values, each with the type of its value.

    Raises:
        DefinitionError: a name is not legal, or a value is not one that params have.
    """
    _expect_mapping(given, place)
    return {
        check_param_name(name, place / str(name)): _change(None, plain(value, place / str(name)), place / str(name))
        for name, value in given.items()
    }


def _expect_mapping(given: Any, place: Place) -> None:
    if not isinstance(given, Mapping):
        raise place.error(f"expected a mapping of names to values, got {shown(given)}")


def _change(declared: Param | None, value: Any, place: Place) -> Param:
    if declared is None:
        kind = infer_type(value, place)
        return Param(kind, cast(kind, value, place, _infer_entry))
    changed = _merge(declared.type, declared.value, value, place)
    if declared.mode in _UNCHANGEABLE and changed != declared.value:
        raise place.error(f"the param is {declared.mode} and cannot be changed; its value is {shown(declared.value)}")
    return Param(declared.type, changed, declared.mode)


def _merge(kind: ParamType, old: Any, value: Any, place: Place) -> Any:
    """The new value of a param; an entry of a MAP keeps the type that it has."""

    def entry(name: str, item: Any, here: Place) -> Any:
        if name not in old:
            return _infer_entry(name, item, here)
        return _merge(infer_type(old[name], here), old[name], item, here)

    changed = cast(kind, value, place, entry)
    return {**old, **changed} if isinstance(changed, dict) else changed


def _infer_entry(_name: str, item: Any, place: Place) -> Any:
    return cast(infer_type(item, place), item, place, _infer_entry)


def parse_param_text(param_type: ParamType | None, text: str) -> Any:
    """The value that a text on the command line means, for ``parse_params`` to check and cast.

    A STRING is the text itself. Any other type, and a param that is not declared (None), is JSON, or else text.
    """
    if param_type is ParamType.STRING:
        return text
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return text
