"""Definitions as the catalog stores them: JSON, the same bytes for the same definition in every version of
maestro-flow.

``push`` compares bodies, so the encoding of a definition that an older version pushed must never change: fields are
only added to kinds of steps that it did not have. msgspec cannot decode a union of attrs classes, so objects that
contain steps are decoded field by field here; a step that has no ``kind`` is a ``TypedStep``.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, get_type_hints

import attrs
import msgspec

from maestro_flow.model.definition import (
    ForeachStep,
    StepDefinition,
    StepKind,
    SubworkflowStep,
    TypedStep,
    WhileStep,
    WorkflowDefinition,
)

__all__ = ["decode_definition", "encode_definition"]


class _Kind(msgspec.Struct):
    kind: StepKind = StepKind.STEP


_kind_of = msgspec.json.Decoder(_Kind).decode
_fields_of = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode
_items_of = msgspec.json.Decoder(list[msgspec.Raw]).decode


def _steps(raw: msgspec.Raw) -> tuple[StepDefinition, ...]:
    return tuple(_DECODERS[_kind_of(step).kind](step) for step in _items_of(raw))


def _by_field(cls: type[Any]) -> Callable[[bytes | msgspec.Raw], Any]:
    """A decoder of an attrs class one of whose fields contains steps; unknown fields are ignored, as by msgspec."""
    hints = get_type_hints(cls)
    fields = [field for field in attrs.fields(cls) if field.init]
    decoders = {
        field.name: _steps if field.name == "steps" else msgspec.json.Decoder(hints[field.name]).decode
        for field in fields
    }
    required = [field.name for field in fields if field.default is attrs.NOTHING]

    def decode(body: bytes | msgspec.Raw) -> Any:
        given = _fields_of(body)
        for name in required:
            if name not in given:
                raise msgspec.ValidationError(f"Object missing required field `{name}`")
        return cls(**{name: decode_field(given[name]) for name, decode_field in decoders.items() if name in given})

    return decode


_DECODERS: dict[StepKind, Callable[[msgspec.Raw], StepDefinition]] = {
    StepKind.STEP: msgspec.json.Decoder(TypedStep).decode,
    StepKind.FOREACH: _by_field(ForeachStep),
    StepKind.WHILE: _by_field(WhileStep),
    StepKind.SUBWORKFLOW: _by_field(SubworkflowStep),
}
_workflow = _by_field(WorkflowDefinition)


def encode_definition(definition: WorkflowDefinition) -> bytes:
    """The body that is pushed."""
    return msgspec.json.encode(definition)


def decode_definition(body: bytes) -> WorkflowDefinition:
    """The inverse of ``encode_definition``.

    Raises:
        msgspec.MsgspecError: it is not a definition, or has a kind of step that this version does not know.
    """
    definition: WorkflowDefinition = _workflow(body)
    return definition
