"""Every reason for which a document is refused, with the place and the line that a user reads."""

from __future__ import annotations

from typing import Any

import pytest

from maestro_flow.dsl.load import load_definition
from maestro_flow.dsl.parse import parse_definition
from maestro_flow.errors import DefinitionError
from tests.dsl.documents import request, step
from tests.samples import sample as sample_file

LONG_ID = "a" * 129
S = "workflow.steps[0].step"
EXPECTED = "expected seconds, or a duration such as '1d 2h 30min 10s 500ms'"
NUMBER = "expected a whole number"


def transition(**fields: Any) -> dict[str, Any]:
    return request(step(transition=fields), step("b"))


def retry(**fields: Any) -> dict[str, Any]:
    return request(step(retry_policy=fields))


def backoff(**fields: Any) -> dict[str, Any]:
    return retry(backoff=fields)


WHOLE: list[tuple[Any, str]] = [
    ({}, "the field 'workflow' is missing"),
    ([], "expected an object, got []"),
    (None, "expected an object, got null"),
    ({"workflow": None}, "the field 'workflow' is missing"),
    ({"workfow": {}}, "the field 'workflow' is missing; is \"workfow\" meant to be it?"),
    ({"workflow": []}, "workflow: expected an object, got []"),
    ({"workflow": {}}, "workflow: a workflow needs the field 'id'"),
    ({"workflow": {"id": "w"}}, "workflow: a workflow needs the field 'steps'"),
    (request() | {"properties": 1}, "properties: expected an object, got 1"),
    (
        request(properties={"ownr": 1}),
        "properties.ownr: unknown field (did you mean 'owner'?); the fields here are owner, ",
    ),
    (request(properties={"owner": 1}), "properties.owner: expected text, got 1"),
    (request(properties={"owner": {}}), "properties.owner.name: expected text, got null"),
    (request(properties={"description": 1}), "properties.description: expected text, got 1"),
    (request(properties={"tags": 1}), "properties.tags: expected a list, got 1"),
    (
        {"Workflow": {"id": "w", "jobs": []}},
        "Workflow: not supported yet: this is Maestro's YAML DSL (Workflow with jobs)",
    ),
    ({"workflow": {"id": "w", "jobs": []}}, "workflow: not supported yet: this is Maestro's YAML DSL"),
    ({1: 2}, "the key 1 is not text; put it in quotes"),
    (request(params={"a": {1}}), "workflow.params.a: a value of type set cannot be used here; expected text, a number"),
    (request() | {"x": 2**63}, "x: the number 9223372036854775808 does not fit in 64 bits"),
    (request() | {"x": [float("nan")]}, "x[0]: nan is not a valid JSON number"),
    (request() | {"x": "\ud800"}, 'x: "\\ud800" is not valid text: it contains a lone surrogate'),
]

WORKFLOW = [
    (request(id=""), 'workflow.id: expected non-empty text, got ""'),
    (request(id=1), "workflow.id: expected non-empty text, got 1"),
    (
        request(id="a b"),
        "workflow.id: \"a b\" is not legal: a workflow id starts with a letter, a digit or '_', and contains",
    ),
    (request(id="a/b"), 'workflow.id: "a/b" is not legal'),
    (request(id="a\n"), 'workflow.id: "a\\n" is not legal'),
    (request(id="é"), 'workflow.id: "é" is not legal'),
    (request(id="-a"), 'workflow.id: "-a" is not legal'),
    (request(id=LONG_ID), "has 129 characters; at most 128 are allowed"),
    (
        request(id="Maestro_x"),
        "\"Maestro_x\" is not legal: names that start with 'maestro_' or end with '_maestro' are reserved",
    ),
    (request(id="x_maestro"), '"x_maestro" is not legal: names that start'),
    (request(name=1), "workflow.name: expected text, got 1"),
    (request(name="n" * 257), "workflow.name: the text has 257 characters; at most 256 are allowed"),
    (
        request(description="d" * 16_385),
        "workflow.description: the text has 16,385 characters; at most 16,384 are allowed",
    ),
    (request(timeout="soon"), f'workflow.timeout: "soon" is not a valid duration; {EXPECTED}'),
    (request(parms={}), "workflow.parms: unknown field (did you mean 'params'?); the fields here are id, name, "),
    (request(zzz={}), "workflow.zzz: unknown field; the fields here are id, name, description, tags, timeout"),
    (request(tags=[1]), "workflow.tags[0]: expected an object, got 1"),
    (request(tags=[""]), 'workflow.tags[0]: "" is not a valid tag name; expected 1 to 128 printable characters'),
    (request(tags=[{"namespace": "system"}]), "workflow.tags[0]: a tag needs the field 'name'"),
    (request(tags=[{"nam": "x"}]), "workflow.tags[0].nam: unknown field (did you mean 'name'?)"),
    (request(time_triggers={}), "workflow.time_triggers: expected a list, got {}"),
    (
        request(time_triggers=[{"corn": "* * * * *"}]),
        "workflow.time_triggers[0].corn: unknown field (did you mean 'cron'?)",
    ),
    (request(signal_triggers=["x"]), 'workflow.signal_triggers[0]: expected an object, got "x"'),
    (request(params=[]), "workflow.params: expected an object, got []"),
]

STEPS = [
    ({"workflow": {"id": "w", "steps": []}}, "workflow.steps: expected at least one step"),
    ({"workflow": {"id": "w", "steps": {}}}, "workflow.steps: expected a list, got {}"),
    (request(*(step(f"s{n}") for n in range(301))), "workflow.steps: 301 steps are too many; at most 300 are allowed"),
    (request("a"), 'workflow.steps[0]: expected an object, got "a"'),
    (request({}), "workflow.steps[0]: expected an object with one field, the kind of the step"),
    (
        request({"id": "a"}),
        "workflow.steps[0].id: unknown field; the fields here are step, foreach, while, subworkflow",
    ),
    (request({"stp": {}}), "workflow.steps[0].stp: unknown field (did you mean 'step'?)"),
    (request({"foreach": {}}), "workflow.steps[0].foreach: not supported yet: composite steps"),
    (request({"while": {}}), "workflow.steps[0].while: not supported yet: composite steps"),
    (request({"subworkflow": {}}), "workflow.steps[0].subworkflow: not supported yet: composite steps"),
    (request({"template": {}}), "workflow.steps[0].template: not supported yet: composite steps"),
    (request({"step": 1}), f"{S}: expected an object, got 1"),
    (request({"step": {"type": "NoOp"}}), f"{S}: a step needs the field 'id'"),
    (request({"step": {"id": "a"}}), f"{S}: a step needs the field 'type'"),
    (request(step("a__b")), f"{S}.id: \"a__b\" is not legal: a step id must not contain '__'"),
    (
        request(step("1a")),
        f"{S}.id: \"1a\" is not legal: a step id starts with a letter or '_', and contains only letters",
    ),
    (request(step("maestro_a")), f'{S}.id: "maestro_a" is not legal: names that start'),
    (request(step(type="")), f'{S}.type: "" is not a valid name of a step type'),
    (request(step(type=3)), f"{S}.type: expected text, got 3"),
    (request(step(name=[])), f"{S}.name: expected text, got []"),
    (request(step(description=1)), f"{S}.description: expected text, got 1"),
    (
        request(step(retries=1)),
        f"{S}.retries: unknown field; the fields here are id, name, description, type, sub_type",
    ),
    (
        request(step(failure_mode="ignore_failures")),
        f"{S}.failure_mode: unknown failure mode \"ignore_failures\" (did you mean 'ignore_failure'?); the",
    ),
    (request(step(failure_mode=1)), f"{S}.failure_mode: unknown failure mode 1; the modes are fail_after_running"),
    (request(step(signal_dependencies=[{}])), f"{S}.signal_dependencies: not supported yet: signals"),
    (request(step(signal_outputs={"a": 1})), f"{S}.signal_outputs: not supported yet: signals"),
    (request(step("a"), step("a")), 'workflow.steps[1].step.id: the step id "a" is taken, by workflow.steps[0].step'),
    (
        request(step("job1", "job9"), step("job2")),
        f'{S}.transition.successors.job9: there is no step "job9" (did you mean',
    ),
    (request(step("a", "a")), f'{S}.transition.successors.a: the step "a" cannot follow itself'),
    (request(step("a", "b"), step("b", "a")), "workflow.steps: the steps form a cycle: a -> b -> a"),
    (
        request(step("x", "a"), step("a", "b"), step("b", "c"), step("c", "a")),
        "workflow.steps: the steps form a cycle: a -> b -> c -> a",
    ),
    (
        request(*(step(f"s{n}", f"s{(n + 1) % 50}") for n in range(50))),
        "s0 -> s1 -> s2 -> s3 -> s4 -> s5 -> ... 39 more ... -> s45 -> s46 -> s47 -> s48 -> s49 -> s0",
    ),
]

TRANSITIONS = [
    (transition(successors=["b"]), f'{S}.transition.successors: expected an object, got ["b"]'),
    (transition(next={}), f"{S}.transition.next: unknown field; the fields here are successors, predecessors"),
    (
        transition(successors={"b": 1}),
        f"{S}.transition.successors.b: expected a condition: true, false or a SEL expression, got 1",
    ),
    (
        transition(successors={"b": None}),
        f"{S}.transition.successors.b: expected a condition: true, false or a SEL expression, got null",
    ),
    (
        transition(successors={"b": "x >"}),
        f'{S}.transition.successors.b: the condition "x >" is not SEL: ',
    ),
    (transition(successors={"b": ""}), f'{S}.transition.successors.b: the condition "" is empty; expected true'),
    (transition(predecessors="b"), f'{S}.transition.predecessors: expected a list, got "b"'),
    (transition(predecessors=[1]), f"{S}.transition.predecessors[0]: expected text, got 1"),
    (
        transition(predecessors=["b"]),
        f"{S}.transition.predecessors: b does not match the successors of the steps, which give none; leave the",
    ),
]

NUMBERS = [
    (
        request(step(timeout=0)),
        f"{S}.timeout: a timeout of 0 is out of range; expected more than 0 and at most 120 days",
    ),
    (request(step(timeout="121d")), f'{S}.timeout: a timeout of "121d" is out of range'),
    (request(step(timeout=-1)), f"{S}.timeout: -1 is negative; {EXPECTED}"),
    (request(step(timeout="")), f'{S}.timeout: "" is not a valid duration; {EXPECTED}'),
    (request(step(timeout="soon")), f'{S}.timeout: "soon" is not a valid duration; {EXPECTED}'),
    (
        request(step(timeout="5 parsecs")),
        f'{S}.timeout: "5 parsecs" is not a valid duration: unknown unit "parsecs"; {EXPECTED}',
    ),
    (request(step(timeout="5s later")), f'{S}.timeout: "5s later" is not a valid duration; {EXPECTED}'),
    (request(step(timeout="$$t")), f'{S}.timeout: "$$t" is not a valid duration; {EXPECTED}'),
    (request(step(timeout=1.5)), f"{S}.timeout: {EXPECTED}, got 1.5"),
    (request(step(timeout=True)), f"{S}.timeout: {EXPECTED}, got true"),
    (request(step(timeout={})), f"{S}.timeout: {EXPECTED}, got {{}}"),
    (retry(error_retry_limit=-1), f"{S}.retry_policy.error_retry_limit: -1 is negative; expected 0 to 99"),
    (retry(error_retry_limit="many"), f'{S}.retry_policy.error_retry_limit: {NUMBER}, got "many"'),
    (retry(timeout_retry_limit="$"), f'{S}.retry_policy.timeout_retry_limit: {NUMBER}, got "$"'),
    (retry(platform_retry_limit=1.5), f"{S}.retry_policy.platform_retry_limit: {NUMBER}, got 1.5"),
    (
        retry(eror_retry_limit=1),
        f"{S}.retry_policy.eror_retry_limit: unknown field (did you mean 'error_retry_limit'?)",
    ),
    (backoff(), f"{S}.retry_policy.backoff.type: expected EXPONENTIAL_BACKOFF or FIXED_BACKOFF, got null"),
    (
        backoff(type="LINEAR"),
        f'{S}.retry_policy.backoff.type: expected EXPONENTIAL_BACKOFF or FIXED_BACKOFF, got "LINEAR"',
    ),
    (retry(backoff=3), f"{S}.retry_policy.backoff: expected an object, got 3"),
    (
        backoff(type="FIXED_BACKOFF", error_retry_exponent=2),
        f"{S}.retry_policy.backoff.error_retry_exponent: unknown field (did you mean 'error_retry_backoff_in_secs'?)",
    ),
    (
        backoff(type="EXPONENTIAL_BACKOFF", error_retry_backoff_in_secs="x"),
        f'{S}.retry_policy.backoff.error_retry_backoff_in_secs: "x" is not a valid duration; {EXPECTED}',
    ),
    (
        backoff(type="EXPONENTIAL_BACKOFF", timeout_retry_exponent=-2),
        f"{S}.retry_policy.backoff.timeout_retry_exponent: -2 is negative; expected 0 to 2147483647",
    ),
]

CASES = WHOLE + WORKFLOW + STEPS + TRANSITIONS + NUMBERS


@pytest.mark.parametrize(("document", "message"), CASES, ids=[message[:60] for _, message in CASES])
def test_a_document_is_refused_with_its_place_and_the_reason(document: Any, message: str) -> None:
    with pytest.raises(DefinitionError) as refused:
        parse_definition(document, "flow.json")
    assert str(refused.value).startswith("flow.json: ")
    assert message in str(refused.value)


@pytest.mark.parametrize(("document", "message"), CASES, ids=[message[:60] for _, message in CASES])
def test_a_message_is_one_line_and_not_long(document: Any, message: str) -> None:
    with pytest.raises(DefinitionError) as refused:
        parse_definition(document)
    assert "\n" not in str(refused.value)
    assert len(str(refused.value)) < 500


@pytest.mark.parametrize(
    ("given", "problem"),
    [
        ("Noop", "unknown step type 'Noop' (did you mean 'NoOp'?); the installed types are NoOp, Sleep"),
        ("Kubernetes", "unknown step type 'Kubernetes'; the installed types are NoOp, Sleep"),
    ],
)
def test_a_step_type_must_be_known_when_the_known_ones_are_told(given: str, problem: str) -> None:
    with pytest.raises(DefinitionError) as refused:
        parse_definition(request(step(type=given)), known_types={"Sleep", "NoOp"})
    assert (refused.value.path, refused.value.problem) == (f"{S}.type", problem)


@pytest.mark.parametrize(
    ("sample", "path", "problem"),
    [
        ("sample-conditional-wf.yaml", "Workflow", "this is Maestro's YAML DSL"),
        ("sample-nested-foreach-wf.json", "workflow.steps[0].foreach", "composite steps"),
        ("sample-subworkflow-wf.json", "workflow.steps[0].subworkflow", "composite steps"),
    ],
)
def test_samples_that_need_more_than_this_version_has(sample: str, path: str, problem: str) -> None:
    with pytest.raises(DefinitionError) as refused:
        load_definition(sample_file(sample))
    assert refused.value.path == path
    assert refused.value.problem.startswith("not supported yet: ")
    assert problem in refused.value.problem
    assert refused.value.source == str(sample_file(sample))


def test_depth_is_limited() -> None:
    deep: list[Any] = []
    for _ in range(5000):
        deep = [deep]
    with pytest.raises(DefinitionError, match="nested more than 100 levels deep"):
        parse_definition(request() | {"x": deep})
