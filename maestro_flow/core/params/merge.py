"""Changes to params: what may change which, and the result (Maestro: ParamsMergeHelper.java, ParamMode.java)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

from msgspec.structs import replace

from maestro_flow.core.params.casts import TypeMismatch, cast_literal
from maestro_flow.core.params.messages import preview
from maestro_flow.model.params import Param, ParamMode, ParamSource, ParamType

__all__ = ["CHANGEABLE", "ParamErrors", "carried_over", "is_stricter", "merge_params"]

_STRICTNESS = {mode: number for number, mode in enumerate(ParamMode)}
_START = frozenset({ParamMode.MUTABLE, ParamMode.MUTABLE_ON_START, ParamMode.MUTABLE_ON_START_RESTART})

CHANGEABLE = {
    ParamSource.SYSTEM_DEFAULT: frozenset(ParamMode),
    ParamSource.DEFINITION: _START,
    ParamSource.LAUNCH: _START,
    ParamSource.RESTART: frozenset({ParamMode.MUTABLE, ParamMode.MUTABLE_ON_START_RESTART}),
    ParamSource.OUTPUT_PARAMETER: frozenset({ParamMode.MUTABLE}),
}
"""The modes that each source of a change may change."""


class ParamErrors(Protocol):
    """Builds the error about a param, or about an entry of one: ``path`` is ``name`` or ``name.entry``."""

    def param_error(self, path: str, param: Param, problem: str, /) -> Exception: ...  # pragma: no cover


def is_stricter(mode: ParamMode, than: ParamMode) -> bool:
    return _STRICTNESS[mode] > _STRICTNESS[than]


def merge_params(
    base: Mapping[str, Param], changes: Mapping[str, Param], source: ParamSource, context: ParamErrors
) -> dict[str, Param]:
    """``base`` with the changes: new params come last; MAP and STRING_MAP are merged by entry, others replaced.

    A change has the type of what it changes, or is cast to it. Its mode may be stricter, and then applies from now on;
    MUTABLE leaves the mode as it is. A change that changes nothing is always allowed.

    Raises:
        ParamError: the mode of a param does not let this source change it, or a change has another type or a looser
            mode.
    """
    merged = dict(base)
    for name, change in changes.items():
        merged[name] = _merge(name, merged.get(name), change, source, context, outer_mode=ParamMode.MUTABLE)
    return merged


def _merge(
    path: str, old: Param | None, change: Param, source: ParamSource, context: ParamErrors, *, outer_mode: ParamMode
) -> Param:
    """A param or an entry of a MAP; ``outer_mode``, that of the enclosing MAP, applies if it is the stricter one."""
    if old is None:
        return _sourced(change, source)
    mode = outer_mode if is_stricter(outer_mode, old.mode) else old.mode
    changed = _changed(path, old, _fitted(path, old, change, context), source, context, mode=mode)
    if changed == old:
        return old
    if mode not in CHANGEABLE[source]:
        raise context.param_error(
            path,
            old,
            f"it is {mode} and cannot be changed {_WHEN[source]}; its value is {_content(old)}, not {_content(change)}",
        )
    return replace(changed, source=source)


_WHEN = {
    ParamSource.DEFINITION: "by the definition",
    ParamSource.LAUNCH: "at a start",
    ParamSource.RESTART: "at a restart",
    ParamSource.OUTPUT_PARAMETER: "by an output of its step",
}


def _changed(
    path: str, old: Param, change: Param, source: ParamSource, context: ParamErrors, *, mode: ParamMode
) -> Param:
    """The old param with the change, but with the old source, so that the two can be compared."""
    new_mode = old.mode
    if change.mode is not ParamMode.MUTABLE and change.mode is not old.mode:
        if not is_stricter(change.mode, old.mode):
            raise context.param_error(path, old, f"it is {old.mode} and cannot become {change.mode}, which is looser")
        new_mode = change.mode
    value = change.value
    if change.expression is None and isinstance(value, dict) and isinstance(old.value, dict):
        if old.type is ParamType.MAP:
            entries = {
                name: _merge(f"{path}.{name}", old.value.get(name), entry, source, context, outer_mode=mode)
                for name, entry in value.items()
            }
            value = {**old.value, **entries}
        else:
            value = {**old.value, **value}
    return replace(old, value=value, expression=change.expression, mode=new_mode)


def _fitted(path: str, old: Param, change: Param, context: ParamErrors) -> Param:
    """The change with the type of what it changes."""
    if change.expression is not None:
        return change
    if change.type is old.type:
        return change
    try:
        return replace(change, type=old.type, value=cast_literal(old.type, _untyped(change, old.type)))
    except TypeMismatch as mismatch:
        raise context.param_error(path, old, f"a change {mismatch}") from None


def _untyped(change: Param, kind: ParamType) -> Any:
    """The value to cast: a MAP may become a STRING_MAP if its entries fit; a STRING_MAP fits a MAP as it is."""
    if kind is not ParamType.MAP and change.type is ParamType.MAP:
        return change.plain
    return change.value


def _sourced(param: Param, source: ParamSource) -> Param:
    return param if param.source is source else replace(param, source=source)


def _content(param: Param) -> str:
    return f"the expression {preview(param.expression)}" if param.expression is not None else preview(param.plain)


def carried_over(definition: Mapping[str, Param], previous: Mapping[str, Param]) -> dict[str, Param]:
    """The params that a restart begins with: those of the previous run, except that IMMUTABLE ones come from the
    definition and are evaluated again. ``previous`` are data, with every ``$`` escaped.
    """
    base = dict(definition)
    for name, param in previous.items():
        if param.mode is not ParamMode.IMMUTABLE or name not in definition:
            base[name] = param
    return base
