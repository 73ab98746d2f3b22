"""Whatever is read, it is accepted or refused with a DefinitionError: never a traceback."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from maestro_flow.dsl.fields import KINDS, SCOPES
from maestro_flow.dsl.load import load_definition
from maestro_flow.dsl.parse import Loaded, parse_definition
from maestro_flow.errors import DefinitionError
from maestro_flow.model.definition_codec import decode_definition, encode_definition
from tests.dsl.documents import request, step
from tests.samples import SAMPLES

NAMES = sorted({name for scope in [*SCOPES.values(), KINDS] for name in scope.fields})
WORDS = [*NAMES, "a", "b", "true", "LONG", "MAP", "EXPONENTIAL_BACKOFF", "$x", "$$", "1d", "12", ""]
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5) | st.sampled_from(WORDS),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from(NAMES) | st.text(max_size=3), inner),
    max_leaves=15,
)
FULL = request(
    step("a", "b", timeout="1h", retry_policy={"error_retry_limit": 1, "backoff": {"type": "FIXED_BACKOFF"}}),
    step("c", transition={"successors": {"a": "b__m > 1"}}, failure_mode="ignore_failure", timeout="${l}"),
    step(
        "b",
        params={"m": {"type": "MAP", "value": {"x": {"type": "LONG", "value": 1}}}, "s": "t"},
        tags=["x", {"name": "y", "permit": 3}],
    ),
    params={"l": [1, 2]},
    timeout="${l}min",
    instance_step_concurrency=3,
    time_triggers=[{"type": "CRON"}],
    properties={"owner": "me", "run_strategy": {"rule": "parallel", "workflow_concurrency": 2}},
)
SEEDS = [FULL, *(json.loads(path.read_text()) for path in sorted(SAMPLES.glob("*.json")))]

few = settings(max_examples=150, suppress_health_check=[HealthCheck.too_slow], deadline=None)


def outcome(read: Callable[[], Loaded]) -> Loaded | DefinitionError:
    """What is read, or why not, on one line; any other exception fails the test."""
    try:
        return read()
    except DefinitionError as error:
        refused = error
    assert "\n" not in str(refused)
    return refused


def accept_or_refuse(document: Any) -> None:
    """What is accepted can also be stored, and is what it was when it is read again."""
    read = outcome(lambda: parse_definition(document))
    if isinstance(read, Loaded):
        encoded = encode_definition(read.definition)
        assert decode_definition(encoded) == read.definition


@st.composite
def mutants(draw: st.DrawFn) -> Any:
    """A definition in which something was replaced, removed or added."""
    document = copy.deepcopy(draw(st.sampled_from(SEEDS)))
    for _ in range(draw(st.integers(1, 3))):
        holder: Any = document
        while True:
            keys = list(holder) if isinstance(holder, dict) else list(range(len(holder)))
            if not keys:
                break
            key = draw(st.sampled_from(keys))
            if isinstance(holder[key], dict | list) and holder[key] and draw(st.booleans()):
                holder = holder[key]
                continue
            if draw(st.booleans()):
                holder[key] = draw(JSON)
            else:
                del holder[key]
            break
        if isinstance(holder, dict):
            holder[draw(st.sampled_from(WORDS))] = draw(JSON)
    return document


@few
@given(JSON)
def test_any_json(document: Any) -> None:
    accept_or_refuse(document)


@few
@given(JSON, JSON)
def test_any_workflow(workflow: Any, one_step: Any) -> None:
    accept_or_refuse({"workflow": workflow})
    accept_or_refuse(request({"step": one_step}))


@few
@given(mutants())
def test_definitions_with_something_wrong(document: Any) -> None:
    accept_or_refuse(document)


@few
@given(st.binary(max_size=60) | st.text(max_size=60).map(lambda text: text.encode("utf-8", "replace")))
@pytest.mark.parametrize("name", ["a.json", "a.yaml", "a"])
def test_any_bytes(tmp_path_factory: pytest.TempPathFactory, name: str, data: bytes) -> None:
    load_bytes(tmp_path_factory.getbasetemp() / name, data)


@few
@given(st.text("{}[]:,-?&*!|>'\"%@`#ab1 \n\t<", max_size=40))
def test_any_yaml_punctuation(tmp_path_factory: pytest.TempPathFactory, text: str) -> None:
    load_bytes(tmp_path_factory.getbasetemp() / "b.yaml", text.encode())


@few
@given(st.sampled_from(SEEDS), st.data())
@pytest.mark.parametrize("name", ["a.json", "a.yaml"])
def test_damaged_files(tmp_path_factory: pytest.TempPathFactory, name: str, seed: Any, data: st.DataObject) -> None:
    encoded = json.dumps(seed, indent=1).encode()
    start = data.draw(st.integers(0, len(encoded)))
    removed = data.draw(st.integers(0, 5))
    damage = data.draw(st.binary(max_size=3))
    load_bytes(tmp_path_factory.getbasetemp() / name, encoded[:start] + damage + encoded[start + removed :])


def load_bytes(path: Path, data: bytes) -> None:
    path.write_bytes(data)
    read = outcome(lambda: load_definition(path))
    assert isinstance(read, Loaded) or read.source == str(path)
