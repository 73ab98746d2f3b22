"""The params of a workflow or a step, as a definition writes them."""

from __future__ import annotations

from typing import Any

from maestro_flow.dsl.fields import SCOPES
from maestro_flow.dsl.ids import check_param_name
from maestro_flow.dsl.interpolation import unescape
from maestro_flow.dsl.place import Place
from maestro_flow.dsl.reader import Notes, expect_object, read_fields, read_tags
from maestro_flow.dsl.types import cast, infer_type, read_mode, read_type
from maestro_flow.model.params import Param, ParamMode, ParamType

__all__ = ["read_params"]

_FULL_FORM = frozenset(SCOPES["param"].fields)
_TYPES = frozenset(ParamType)


def read_params(given: Any, place: Place, notes: Notes) -> tuple[dict[str, Param], dict[str, Any]]:
    """Params by name, each short (a literal) or full (``{type, value, mode, ...}``); and what is only stored of them.

    Raises:
        DefinitionError: a name is not legal, a value does not fit its type, or something in it is not supported yet.
    """
    params: dict[str, Param] = {}
    stored: dict[str, Any] = {}
    for name, param in expect_object(given, place).items():
        here = place / name
        params[check_param_name(name, here)], rest = _read_param(param, here, notes)
        if rest:
            stored[name] = rest
    return params, stored


def _read_param(given: Any, place: Place, notes: Notes) -> tuple[Param, dict[str, Any]]:
    if not _is_full(given):
        kind = infer_type(given, place)
        return Param(kind, _read_value(kind, given, place, notes)), {}
    fields, stored = read_fields(given, place, notes, "param")
    read_tags(stored, place, notes)
    here = place / "value"
    if "value" not in fields:
        raise place.error("a param needs a value")
    kind = read_type(fields["type"], place / "type") if "type" in fields else infer_type(fields["value"], here)
    mode = read_mode(fields["mode"], place / "mode") if "mode" in fields else ParamMode.MUTABLE
    value = _read_value(kind, fields["value"], here, notes)
    if kind is ParamType.MAP and value != fields["value"]:
        stored["value"] = fields["value"]  # with the types and modes of its entries, which a plain value does not have
    return Param(kind, value, mode), stored


def _read_value(kind: ParamType, given: Any, place: Place, notes: Notes) -> Any:
    def nested(_name: str, entry: Any, here: Place) -> Any:
        param, _ = _read_param(entry, here, notes)
        if param.mode is not ParamMode.MUTABLE:
            notes.warn(here / "mode", "stored, but not acted on: the mode of the whole MAP counts")
        return param.value

    value = cast(kind, given, place, nested)
    return value if kind is ParamType.MAP else unescape(value, place)  # the entries of a MAP have been unescaped


def _is_full(given: Any) -> bool:
    """A full param, rather than a literal object that happens to have such keys.

    Either it says what value it has, and nothing that is no field of a param, or it says both type and value.
    """
    if not isinstance(given, dict):
        return False
    has_value = "value" in given or "expression" in given
    if "type" in given:
        return has_value or (given.keys() <= _FULL_FORM and str(given["type"]).upper() in _TYPES)
    return has_value and given.keys() <= _FULL_FORM
