"""The params of a workflow or a step, as a definition writes them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from msgspec.structs import replace

from maestro_flow.core.params.casts import cast_literal
from maestro_flow.core.params.messages import preview
from maestro_flow.core.params.plan import names_of, needed_names
from maestro_flow.dsl.fields import SCOPES
from maestro_flow.dsl.ids import check_param_name
from maestro_flow.dsl.location import Location
from maestro_flow.dsl.plain import plain
from maestro_flow.dsl.reader import Notes, expect_object, read_fields, read_tags
from maestro_flow.dsl.types import cast_at, infer_type, read_mode, read_type
from maestro_flow.errors import SelError
from maestro_flow.model.params import Param, ParamMode, ParamSource, ParamType

__all__ = ["check_param", "check_references", "read_params", "take_params"]

_FULL_FORM = frozenset(SCOPES["param"].fields)
_TYPES = frozenset(ParamType)
_SPELLED_MAX = 12


def read_params(
    given: Any, location: Location, notes: Notes, *, of_step: bool = False
) -> tuple[dict[str, Param], dict[str, Any]]:
    """Params by name, each short (a literal) or full (``{type, value, mode, ...}``); and the fields only stored.

    Raises:
        DefinitionError: a name is not legal, a value does not fit its type, an expression is not SEL, or params
            depend on each other in a cycle.
    """
    params: dict[str, Param] = {}
    stored: dict[str, Any] = {}
    for name, param in expect_object(given, location).items():
        here = location / name
        params[check_param_name(name, here)], rest = _read_param(param, here, notes)
        if rest:
            stored[name] = rest
    check_references(params, location, of_step=of_step)
    return params, stored


def _read_param(given: Any, location: Location, notes: Notes) -> tuple[Param, dict[str, Any]]:
    if not _is_full(given):
        return _read_value(infer_type(given, location), given, location, notes)
    fields, stored = read_fields(given, location, notes, "param")
    read_tags(stored, location, notes)
    mode = read_mode(fields["mode"], location / "mode") if "mode" in fields else ParamMode.MUTABLE
    if "expression" in fields:
        if "value" in fields:
            raise location.error("a param has either a value or an expression; remove one of them")
        if "type" not in fields:
            raise location.error("an expression needs the type of its value: add the field 'type'")
        kind = read_type(fields["type"], location / "type")
        source = check_expression(fields["expression"], location / "expression")
        return Param(kind, mode=mode, expression=source), stored
    here = location / "value"
    if "value" not in fields:
        raise location.error("a param needs a value or an expression")
    kind = read_type(fields["type"], location / "type") if "type" in fields else infer_type(fields["value"], here)
    param, rest = _read_value(kind, fields["value"], here, notes)
    return replace(param, mode=mode), stored | ({"value": rest} if rest else {})


def _read_value(kind: ParamType, given: Any, location: Location, notes: Notes) -> tuple[Param, dict[str, Any]]:
    """A literal; and the fields of a MAP's entries that are only stored."""
    if kind is not ParamType.MAP or not isinstance(given, dict):
        return Param(kind, cast_at(cast_literal, kind, given, location)), {}
    entries, stored = {}, {}
    for name, entry in given.items():
        entries[name], rest = _read_param(entry, location / name, notes)
        if rest:
            stored[name] = rest
    return Param(kind, entries), stored


def _is_full(given: Any) -> bool:
    """Whether this is a full param, rather than a literal object that happens to have such keys.

    A full param has a value or an expression, and either a type as well or only fields of a param.
    """
    if not isinstance(given, dict):
        return False
    has_value = "value" in given or "expression" in given
    if "type" in given:
        return has_value or (given.keys() <= _FULL_FORM and str(given["type"]).upper() in _TYPES)
    return has_value and given.keys() <= _FULL_FORM


def check_expression(given: Any, location: Location) -> str:
    """The text of an expression, if it is SEL.

    Raises:
        DefinitionError: it is not a string, or not SEL.
    """
    if not isinstance(given, str) or not given.strip(" \t\r\n;"):
        raise location.error(f"expected a SEL expression as text, got {preview(given)}")
    try:
        names_of(given)
    except SelError as error:
        raise location.error(f"{preview(given)} is not SEL: {error}") from None
    return given


def take_params(given: Mapping[str, Any], location: Location, *, of_step: bool = False) -> dict[str, Param]:
    """The params of a definition written in Python: plain values, each with the type of its value, and Params.

    Strings work as in a file: ``$name`` and ``${name}`` refer to params, ``$$`` is a dollar sign.

    Raises:
        DefinitionError: a name is not legal, or a value is not one that a param can have.
    """
    if not isinstance(given, Mapping):
        raise location.error(f"expected a mapping of names to values, got {preview(given)}")
    params = {
        check_param_name(name, location / str(name)): _take(value, location / str(name))
        for name, value in given.items()
    }
    check_references(params, location, of_step=of_step)
    return params


def _take(value: Any, location: Location) -> Param:
    if isinstance(value, Param):
        return check_param(value, location)
    if isinstance(value, dict) and any(isinstance(entry, Param) for entry in value.values()):
        entries = {str(name): _take(entry, location / str(name)) for name, entry in value.items()}
        return Param(ParamType.MAP, entries)
    made = plain(value, location)
    kind = infer_type(made, location)
    return Param(kind, cast_at(cast_literal, kind, made, location))


def check_param(param: Param, location: Location) -> Param:
    """A Param created in Python, with its value cast to its type.

    Raises:
        DefinitionError: the value does not fit, the expression is not SEL, or there are both, or neither.
    """
    if not (isinstance(param.type, ParamType) and isinstance(param.mode, ParamMode)):
        raise location.error(
            f"expected a ParamType and a ParamMode, got {preview(param.type)} and {preview(param.mode)}"
        )
    if (param.value is None) == (param.expression is None):
        raise location.error("a param has either a value or an expression")
    if param.expression is not None:
        check_expression(param.expression, location / "expression")
        return replace(param, source=ParamSource.DEFINITION)
    if param.type is ParamType.MAP and isinstance(param.value, dict):
        value = {name: check_param(entry, location / name) for name, entry in param.value.items()}
    else:
        value = cast_at(cast_literal, param.type, plain(param.value, location), location)
    return replace(param, value=value, source=ParamSource.DEFINITION)


def check_references(params: Mapping[str, Param], location: Location, *, of_step: bool) -> None:
    """Check that no param depends on itself, as far as can be told without evaluating any.

    A param of a step may read its own name: that means the param of the run.

    Raises:
        DefinitionError: some form a cycle; the message spells it out.
    """
    needs = {
        name: [needed for needed in needed_names(param) if needed in params and not (of_step and needed == name)]
        for name, param in params.items()
        if param.expression is not None or not isinstance(param.value, int | float)
    }
    cycle = _find_cycle({name: needed for name, needed in needs.items() if needed})
    if cycle:
        if len(cycle) > _SPELLED_MAX:
            cycle = [*cycle[:6], f"... {len(cycle) - 12} more ...", *cycle[-6:]]
        raise (location / cycle[0]).error(f"the param depends on itself: {' -> '.join(cycle)}")


def _find_cycle(needs: dict[str, list[str]]) -> list[str]:
    """Names that depend on each other, with the first repeated at the end; empty if there is no cycle. Iterative."""
    finished: set[str] = set()
    for root, first in needs.items():
        way = {root: iter(first)}
        while way and root not in finished:
            reader = next(reversed(way))
            needed = next(way[reader], None)
            if needed is None:
                finished.add(reader)
                way.popitem()
            elif needed in way:
                names = list(way)
                return [*names[names.index(needed) :], needed]
            elif needed in needs and needed not in finished:
                way[needed] = iter(needs[needed])
    return []
