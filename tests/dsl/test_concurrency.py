"""Run strategies, limits of steps, tags: the forms, what is refused, and that the store keeps them."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from maestro_flow.errors import DefinitionError
from maestro_flow.model.definition import RunRule, RunStrategy, Tag
from maestro_flow.model.definition_codec import decode_definition, encode_definition
from tests.dsl.documents import parse, parse_step, step

LIMITS = st.integers(1, 1000)


def strategy(given: Any) -> RunStrategy:
    return parse(properties={"run_strategy": given}).definition.run_strategy


def refusal(*steps: Any, **fields: Any) -> str:
    with pytest.raises(DefinitionError) as refused:
        parse(*steps, **fields)
    return str(refused.value)


def test_runs_in_a_file_are_one_at_a_time_by_default() -> None:
    assert parse().definition.run_strategy == RunStrategy(RunRule.SEQUENTIAL, 1)
    assert strategy({}) == RunStrategy(RunRule.SEQUENTIAL, 1)


@pytest.mark.parametrize("rule", RunRule)
@pytest.mark.parametrize("spell", [str.lower, str.upper, str.title])
def test_a_rule_by_its_name(rule: RunRule, spell: Any) -> None:
    expected = RunStrategy(rule, 20 if rule is RunRule.PARALLEL else 1)
    assert strategy(spell(rule)) == strategy({"rule": spell(rule)}) == expected


@given(LIMITS)
def test_a_number_is_so_many_in_parallel(limit: int) -> None:
    expected = RunStrategy(RunRule.PARALLEL, limit)
    for form in (limit, str(limit), float(limit), {"rule": "parallel", "workflow_concurrency": str(limit)}):
        assert strategy(form) == expected


@pytest.mark.parametrize("rule", [rule for rule in RunRule if rule is not RunRule.PARALLEL])
def test_only_parallel_runs_more_than_one(rule: RunRule) -> None:
    assert strategy({"rule": rule.value, "workflow_concurrency": 1}) == RunStrategy(rule, 1)
    assert refusal(properties={"run_strategy": {"rule": rule.value, "workflow_concurrency": 2}}) == (
        "properties.run_strategy.workflow_concurrency: only PARALLEL allows 2 runs at once; "
        f"the rule {rule} runs one at a time"
    )


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (
            "paralel",
            "properties.run_strategy: unknown run strategy \"paralel\" (did you mean 'PARALLEL'?); the rules",
        ),
        (True, "properties.run_strategy: expected a whole number from 1 to 1,000, got true"),
        (0, "properties.run_strategy: 0 is out of range; expected a whole number from 1 to 1,000"),
        (1001, "properties.run_strategy: 1001 is out of range"),
        ([], "properties.run_strategy: expected a whole number from 1 to 1,000, got []"),
        ({"rule": 1}, "properties.run_strategy.rule: unknown run strategy 1; the rules are SEQUENTIAL, STRICT_SEQ"),
        ({"rul": 1}, "properties.run_strategy.rul: unknown field (did you mean 'rule'?)"),
        (
            {"rule": "parallel", "workflow_concurrency": 1001},
            "properties.run_strategy.workflow_concurrency: 1001 is out of range",
        ),
    ],
)
def test_an_invalid_run_strategy(given: Any, message: str) -> None:
    assert refusal(properties={"run_strategy": given}).startswith(message)


@given(LIMITS, LIMITS)
def test_limits_of_steps(of_all: int, of_one: int) -> None:
    definition = parse(properties={"step_concurrency": of_all}, instance_step_concurrency=str(of_one)).definition
    assert (definition.step_concurrency, definition.instance_step_concurrency) == (of_all, of_one)


def test_steps_are_not_limited_by_default() -> None:
    assert (parse().definition.step_concurrency, parse().definition.instance_step_concurrency) == (None, None)


@pytest.mark.parametrize("given", [0, -1, 1001, "many", 1.5, True, {}])
def test_limits_out_of_range(given: Any) -> None:
    assert "expected a whole number from 1 to 1,000" in refusal(properties={"step_concurrency": given})
    assert refusal(instance_step_concurrency=given).startswith("workflow.instance_step_concurrency: ")
    assert refusal(tags=[{"name": "x", "permit": given}]).startswith("workflow.tags[0].permit: ")


def test_tags_of_steps_and_workflows() -> None:
    definition = parse(
        step(tags=["spark", {"name": "db", "namespace": "user_defined", "permit": "3"}]), tags=["nightly"]
    ).definition
    assert definition.steps[0].tags == (Tag("spark"), Tag("db", "USER_DEFINED", 3))
    assert definition.tags == (Tag("nightly"),)
    assert definition.stored == definition.steps[0].stored == {}
    assert parse_step().tags == ()


@pytest.mark.parametrize(
    ("tags", "message"),
    [
        ("x", 'tags: expected a list, got "x"'),
        ([None], "tags[0]: expected an object, got null"),
        (["a\n"], 'tags[0]: "a\\n" is not a valid tag name; expected 1 to 128 printable characters'),
        (["a" * 129], "is not a valid tag name"),
        ([{"name": 3}], "tags[0].name: 3 is not a valid tag name"),
        (["maestro_w"], "tags[0]: \"maestro_w\" is not legal: names that start with 'maestro_' are reserved"),
        (["x", {"name": "x", "permit": 1}], 'tags[1]: the tag "x" is given twice'),
        (
            [{"name": "x", "namespace": "systm"}],
            "tags[0].namespace: unknown namespace \"systm\" (did you mean 'SYSTEM'?); they are SYSTEM, RUNTIME, ",
        ),
        ([{"name": "x", "namespace": 1}], "tags[0].namespace: expected text, got 1"),
    ],
)
def test_an_invalid_tag(tags: Any, message: str) -> None:
    assert message in refusal(tags=tags)
    assert message in refusal(step(tags=tags))


def test_the_limits_survive_the_store() -> None:
    definition = parse(
        step(
            "a", transition={"successors": {"b": "x > 1", "c": "true"}}, timeout="${t}", failure_mode="ignore_failure"
        ),
        step("b", tags=[{"name": "t", "permit": 2}], retry_policy={"error_retry_limit": "${t}"}, timeout="1500ms"),
        step("c"),
        properties={"run_strategy": 7, "step_concurrency": 5},
        params={"t": 5, "x": 1},
        timeout="$t",
        instance_step_concurrency=3,
        tags=["w"],
    ).definition
    again = decode_definition(encode_definition(definition))
    assert again == definition
    assert again.steps[0].successors == {"b": "x > 1", "c": True}
    assert [each.timeout_s for each in again.steps] == ["${t}", 1.5, None]
    assert (again.timeout_s, again.steps[1].retry_policy.error_retry_limit) == ("$t", "${t}")


def test_a_definition_of_the_first_version_still_decodes() -> None:
    stored = {
        "id": "w",
        "steps": [
            {"id": "a", "type": "NoOp", "successors": {"b": True}, "timeout_s": 3.5},
            {"id": "b", "type": "NoOp"},
        ],
        "params": {"p": {"type": "LONG", "value": 1, "mode": "MUTABLE"}},
        "stored": {"workflow": {"tags": ["t"]}},
    }
    definition = decode_definition(msgspec.json.encode(stored))
    assert definition.run_strategy == RunStrategy(RunRule.PARALLEL, None)
    assert (definition.steps[0].successors, definition.steps[0].timeout_s) == ({"b": True}, 3.5)
    assert (definition.timeout_s, definition.step_concurrency, definition.tags) == (None, None, ())
