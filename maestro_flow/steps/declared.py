"""Params that a step type declares: their types, defaults, and which ones are required."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from attrs import field, frozen
from attrs.validators import instance_of

from maestro_flow.core.params.casts import TypeMismatch, cast, cast_literal
from maestro_flow.core.params.messages import preview
from maestro_flow.core.params.references import has_reference
from maestro_flow.errors import ParamError
from maestro_flow.model.params import Param, ParamType

__all__ = ["ParamSpec", "declaration_problems", "with_declared"]


@frozen
class ParamSpec:
    """A param that a step type declares. A step may have others, such as its outputs."""

    name: str = field(validator=instance_of(str))
    type: ParamType = field(validator=instance_of(ParamType))
    required: bool = field(default=False, kw_only=True)
    default: Any = field(default=None, kw_only=True)
    """The value if a step does not have the param; None: no value."""
    description: str = field(default="", kw_only=True)

    def __attrs_post_init__(self) -> None:
        if self.default is not None:
            if self.required:
                raise ValueError(f"param {self.name!r} is required, so it cannot have a default")
            try:
                _cast(self, self.default)
            except TypeMismatch as mismatch:
                raise ValueError(f"the default of param {self.name!r}: {mismatch}") from None


def with_declared(specs: Sequence[ParamSpec], params: Mapping[str, Any], step_id: str) -> dict[str, Any]:
    """A step's params with the declared types and defaults.

    Raises:
        ParamError: one is missing, or does not fit its type.
    """
    made = dict(params)
    for spec in specs:
        if spec.name in params:
            try:
                made[spec.name] = _cast(spec, params[spec.name])
            except TypeMismatch as mismatch:
                raise ParamError(_must_be(spec, mismatch, step_id)) from None
        elif spec.required:
            raise ParamError(_needs(spec, step_id))
        elif spec.default is not None:
            made[spec.name] = _cast(spec, spec.default)
    return made


def declaration_problems(
    specs: Sequence[ParamSpec], params: Mapping[str, Param], step_id: str
) -> Iterator[tuple[str, str]]:
    """The problems of a step's params that can be found without evaluation, as (name, problem).

    The name is "" if a param is missing.
    """
    for spec in specs:
        param = params.get(spec.name)
        if param is None:
            if spec.required:
                yield "", _needs(spec, step_id)
            continue
        try:
            _check_literal(spec, param)
        except TypeMismatch as mismatch:
            yield spec.name, _must_be(spec, mismatch, step_id)


def _check_literal(spec: ParamSpec, param: Param) -> None:
    if param.expression is not None:
        return
    value = param.value
    if spec.type is ParamType.MAP and isinstance(value, dict):
        return  # its entries have types of their own
    if isinstance(value, str) and has_reference(value):
        return
    if isinstance(value, str):
        cast(spec.type, value)
    else:
        cast_literal(spec.type, param.plain)


def _cast(spec: ParamSpec, value: Any) -> Any:
    if spec.type is not ParamType.MAP:
        return cast(spec.type, value)
    return Param(ParamType.MAP, cast(ParamType.MAP, value)).plain


def _must_be(spec: ParamSpec, mismatch: TypeMismatch, step_id: str) -> str:
    return f"param {spec.name!r} of step {step_id!r} must be of type {spec.type}, not {preview(mismatch.value)}"


def _needs(spec: ParamSpec, step_id: str) -> str:
    about = f": {spec.description}" if spec.description else ""
    return f"step {step_id!r} needs the param {spec.name!r} of type {spec.type}{about}"
