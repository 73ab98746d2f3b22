"""Changes of params: who may change which, and what comes of it (Maestro: ParamsMergeHelper.java, ParamMode.java)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

from msgspec.structs import replace

from maestro_flow.core.params.casts import Misfit, cast_literal, shown
from maestro_flow.model.params import Param, ParamMode, ParamSource, ParamType

__all__ = ["CHANGEABLE", "Blame", "is_stricter", "kept", "merge_params"]

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


class Blame(Protocol):
    """Makes the error about a param, or about an entry of one: ``path`` is ``name`` or ``name.entry``."""

    def of_param(self, path: str, param: Param, problem: str, /) -> Exception: ...  # pragma: no cover


def is_stricter(mode: ParamMode, than: ParamMode) -> bool:
    return _STRICTNESS[mode] > _STRICTNESS[than]


def merge_params(
    base: Mapping[str, Param], changes: Mapping[str, Param], source: ParamSource, subject: Blame
) -> dict[str, Param]:
    """``base`` with the changes: what is new comes last; MAP and STRING_MAP are merged by entry, others replaced.

    A change has the type of what it changes, or is cast to it. Its mode may be stricter, and then counts from now on;
    the mode MUTABLE says nothing. A change to what is there already is none.

    Raises:
        ParamError: the mode of a param keeps this source from changing it, a change is of another type, or looser.
    """
    merged = dict(base)
    for name, change in changes.items():
        merged[name] = _merge(name, merged.get(name), change, source, subject, least=ParamMode.MUTABLE)
    return merged


def _merge(
    path: str, old: Param | None, change: Param, source: ParamSource, subject: Blame, *, least: ParamMode
) -> Param:
    """A param or an entry of a MAP; ``least`` is the mode of the MAP around it, which counts if it is stricter."""
    if old is None:
        return _sourced(change, source)
    mode = least if is_stricter(least, old.mode) else old.mode
    changed = _changed(path, old, _fitted(path, old, change, subject), source, subject, mode=mode)
    if changed == old:
        return old
    if mode not in CHANGEABLE[source]:
        raise subject.of_param(
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


def _changed(path: str, old: Param, change: Param, source: ParamSource, subject: Blame, *, mode: ParamMode) -> Param:
    """What the change makes of the old param, with the old source, so that it can be compared."""
    new_mode = old.mode
    if change.mode is not ParamMode.MUTABLE and change.mode is not old.mode:
        if not is_stricter(change.mode, old.mode):
            raise subject.of_param(path, old, f"it is {old.mode} and cannot be made {change.mode}: that is looser")
        new_mode = change.mode
    value = change.value
    if change.expression is None and isinstance(value, dict) and isinstance(old.value, dict):
        if old.type is ParamType.MAP:
            entries = {
                name: _merge(f"{path}.{name}", old.value.get(name), entry, source, subject, least=mode)
                for name, entry in value.items()
            }
            value = {**old.value, **entries}
        else:
            value = {**old.value, **value}
    return replace(old, value=value, expression=change.expression, mode=new_mode)


def _fitted(path: str, old: Param, change: Param, subject: Blame) -> Param:
    """The change with the type of what it changes."""
    if change.expression is not None:
        return change
    if change.type is old.type:
        return change
    try:
        return replace(change, type=old.type, value=cast_literal(old.type, _untyped(change, old.type)))
    except Misfit as misfit:
        raise subject.of_param(path, old, f"a change {misfit}") from None


def _untyped(change: Param, kind: ParamType) -> Any:
    """A MAP may become a STRING_MAP, if its entries fit; and a MAP takes a STRING_MAP with entries of one type."""
    if kind is not ParamType.MAP and change.type is ParamType.MAP:
        return change.plain
    return change.value


def _sourced(param: Param, source: ParamSource) -> Param:
    return param if param.source is source else replace(param, source=source)


def _content(param: Param) -> str:
    return f"the expression {shown(param.expression)}" if param.expression is not None else shown(param.plain)


def kept(definition: Mapping[str, Param], previous: Mapping[str, Param]) -> dict[str, Param]:
    """The params that a restart begins with: what the previous run had, but for those that are IMMUTABLE.

    These are evaluated again from the definition. ``previous`` are data, escaped.
    """
    base = dict(definition)
    for name, param in previous.items():
        if param.mode is not ParamMode.IMMUTABLE or name not in definition:
            base[name] = param
    return base
