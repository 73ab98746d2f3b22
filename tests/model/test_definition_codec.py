"""Stored definitions: what an earlier version has pushed is the same version when it is pushed again, and decodes."""

from __future__ import annotations

import msgspec
import pytest

from maestro_flow.client.client import Client
from maestro_flow.clock import SystemClock
from maestro_flow.model.definition import (
    ForeachStep,
    SubworkflowStep,
    Tag,
    TypedStep,
    WhileStep,
    WorkflowDefinition,
    all_steps,
)
from maestro_flow.model.definition_codec import decode_definition, encode_definition
from maestro_flow.model.params import infer_param
from maestro_flow.storage.memory import MemoryStorage
from tests.model.shapes import FROZEN, SHAPES


@pytest.mark.parametrize("name", SHAPES)
def test_a_definition_that_an_earlier_version_has_pushed_is_the_same_version(name: str) -> None:
    storage, definition = MemoryStorage(SystemClock()), SHAPES[name]()
    frozen = (FROZEN / f"{name}.json").read_bytes()
    assert storage.push(name, frozen) == 1
    with Client(storage) as client:
        assert client.push(definition) == 1, encode_definition(definition)
        assert client.definition(name) == definition
    assert decode_definition(frozen) == definition


def composite() -> WorkflowDefinition:
    """Every kind of step, and loops in loops."""
    inner = WhileStep(
        "inner", (TypedStep("deep", "Sleep"),), "n < 3", params={"loop_params": infer_param("loop_params", {"n": 0})}
    )
    loop = ForeachStep(
        "loop",
        (TypedStep("a", "NoOp", successors={"inner": "x > 1"}), inner),
        params={"loop_params": infer_param("loop_params", {"x": [1, 2]})},
        successors={"call": True},
        tags=(Tag("scarce", permit=1),),
        concurrency=20,
        strict_ordering=True,
    )
    call = SubworkflowStep("call", params={"subworkflow_id": infer_param("subworkflow_id", "other")}, sync=False)
    return WorkflowDefinition("w", (TypedStep("first", "NoOp", successors={"loop": True}), loop, call))


def test_every_kind_of_step_survives_the_store() -> None:
    definition = composite()
    again = decode_definition(encode_definition(definition))
    assert again == definition
    assert [step.id for step in all_steps(again.steps)] == ["first", "loop", "a", "inner", "deep", "call"]
    assert [step.type for step in again.steps] == ["NoOp", "foreach", "subworkflow"]


@pytest.mark.parametrize(
    ("body", "problem"),
    [
        (b"[]", "Expected `object`, got `array`"),
        (b'{"steps":[]}', "missing required field `id`"),
        (b'{"id":1,"steps":[]}', "Expected `str`, got `int`"),
        (b'{"id":"w","steps":[{"id":"a"}]}', "missing required field `type`"),
        (b'{"id":"w","steps":[{"id":"a","kind":"foreach"}]}', "missing required field `steps`"),
        (b'{"id":"w","steps":[{"id":"a","kind":"parallel"}]}', "Invalid enum value 'parallel'"),
        (b'{"id":"w","steps":[{"id":"a","kind":"while","condition":"x","steps":[{"id":1,"type":"T"}]}]}', "got `int`"),
    ],
)
def test_what_cannot_be_decoded_is_said(body: bytes, problem: str) -> None:
    with pytest.raises(msgspec.ValidationError, match=problem):
        decode_definition(body)
