"""Workflows in Python: what is built, and how mistakes are reported."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from maestro_flow.dsl.builder import Workflow
from maestro_flow.errors import DefinitionError
from maestro_flow.model.definition import (
    Backoff,
    FailureMode,
    RetryPolicy,
    RunRule,
    RunStrategy,
    Tag,
)
from maestro_flow.model.definition_codec import decode_definition, encode_definition
from maestro_flow.model.params import Param, ParamType
from maestro_flow.steps.context import StepContext
from maestro_flow.steps.python import Argument, Source


def etl() -> Workflow:
    wf = Workflow("etl", params={"day": "2026-11-22"}, name="ETL", description="Nightly", owner="me")

    @wf.step
    def extract(day: str) -> list[int]:
        return [int(day[-2:]), 1]

    @wf.step
    def check() -> bool:
        return True

    @wf.step(after=[extract, "check"], retries=3, retry_wait_s=1, retry_backoff=3, timeout_s=60, description="sums")
    def load(extract: list[int]) -> int:
        return sum(extract)

    wf.add("wait", type="Sleep", params={"sleep_seconds": 0.5}, after=load)

    @wf.step(after="wait")
    def report(load: int, day: str, extract: list[int], context: StepContext, *, unit: str = "EUR") -> str:
        return f"{day}: {load} {unit} of {len(extract)} by {context.step_id}"

    return wf


def test_the_definition() -> None:
    definition = etl().definition
    assert (definition.id, definition.name, definition.description, definition.owner) == ("etl", "ETL", "Nightly", "me")
    assert definition.params == {"day": Param(ParamType.STRING, "2026-11-22")}
    assert {step.id: (step.type, list(step.successors)) for step in definition.steps} == {
        "extract": ("Python", ["load"]),
        "check": ("Python", ["load"]),
        "load": ("Python", ["wait"]),
        "wait": ("Sleep", ["report"]),
        "report": ("Python", []),
    }
    load, wait = definition.steps[2:4]
    assert load.retry_policy == RetryPolicy(error_retry_limit=3, error=Backoff(1, 3, 600))
    assert (load.timeout_s, load.description) == (60, "sums")
    assert wait.params == {"sleep_seconds": Param(ParamType.DOUBLE, 0.5)}
    assert wait.retry_policy.error_retry_limit == 0


def test_where_arguments_come_from() -> None:
    functions = etl().functions
    assert list(functions) == ["extract", "check", "load", "report"]
    assert functions["extract"].arguments == (Argument("day", Source.PARAM),)
    assert functions["check"].arguments == ()
    assert functions["report"].arguments == (
        Argument("load", Source.STEP),
        Argument("day", Source.PARAM),
        Argument("extract", Source.STEP),
        Argument("context", Source.CONTEXT),
    )


def test_a_decorated_function_is_still_a_function() -> None:
    wf = Workflow("w")

    def double(number: int = 2) -> int:
        return 2 * number

    assert wf.step(double) is double
    assert wf.step(id="again")(double) is double
    assert wf.functions["again"].function is double
    assert double(4) == 8


def test_the_definition_is_the_same_each_time_and_survives_the_store() -> None:
    wf = etl()
    encoded = encode_definition(wf.definition)
    assert wf.definition is wf.definition
    assert encoded == encode_definition(etl().definition)
    assert decode_definition(encoded) == wf.definition


def test_a_step_that_is_added_later_is_in_the_next_definition() -> None:
    wf = etl()
    before = wf.definition.steps
    wf.add("more", type="NoOp")
    assert [step.id for step in wf.definition.steps] == [*(step.id for step in before), "more"]
    assert repr(wf) == "Workflow('etl', 6 steps)"


def test_after_may_name_a_later_step_and_the_same_step_twice() -> None:
    wf = Workflow("w")
    last = wf.add("last", type="NoOp", after=["first", "first"])
    wf.add("first", type="NoOp")
    assert last == "last"
    assert wf.definition.steps[1].successors == {"last": True}


def test_a_bound_method_and_a_callable_object_can_be_steps() -> None:
    class Feed:
        __hash__ = None  # type: ignore[assignment]

        def fetch(self) -> int:
            return 1

        def __call__(self, fetch: int) -> int:
            return fetch

    wf, source = Workflow("w"), Feed()
    wf.step(source.fetch)
    wf.step(id="show", after=source.fetch)(source)
    wf.add("end", type="NoOp", after=source)
    assert [list(step.successors) for step in wf.definition.steps] == [["show"], ["end"], []]


def test_a_partial_and_a_wrapped_function_can_be_steps() -> None:
    def add(left: int, right: int = 1) -> int:
        return left + right

    @functools.wraps(add)
    def wrapper(*args: int, **kwargs: int) -> int:
        return add(*args, **kwargs)

    wf = Workflow("w", params={"left": 1})
    wf.step(id="part")(functools.partial(add, right=2))
    wf.step(wrapper)
    assert wf.functions["part"].arguments == (Argument("left", Source.PARAM),)
    assert wf.functions["add"].arguments == (Argument("left", Source.PARAM),)


def test_a_retry_policy_may_be_given_as_a_whole() -> None:
    wf, policy = Workflow("w"), RetryPolicy(error_retry_limit=1, timeout_retry_limit=2)
    wf.add("a", type="NoOp", retry_policy=policy)
    assert wf.definition.steps[0].retry_policy is policy


def test_a_first_wait_beyond_ten_minutes_is_the_longest() -> None:
    wf = Workflow("w")
    wf.add("a", type="NoOp", retries=1, retry_wait_s=3600)
    assert wf.definition.steps[0].retry_policy.error == Backoff(3600, 2, 3600)


def test_conditions_stand_on_the_edges_from_the_steps_before() -> None:
    wf = Workflow("w")

    @wf.step
    def count() -> int:
        return 3

    wf.add("other", type="NoOp")
    wf.add("few", type="NoOp", after=[count, "other"], when="count < 2")
    wf.add("many", type="NoOp", after={count: "count >= 2", "other": True})
    wf.add("never", type="NoOp", after="other", when="false")
    assert [step.successors for step in wf.definition.steps[:2]] == [
        {"few": "count < 2", "many": "count >= 2"},
        {"few": "count < 2", "many": True, "never": False},
    ]


def test_a_mapping_names_a_step_once() -> None:
    wf = Workflow("w")
    wf.step(etl)
    with pytest.raises(DefinitionError, match='after= names the step "etl" twice'):
        wf.add("x", type="NoOp", after={etl: "true", "etl": "false"})


def test_what_a_failure_does_and_what_limits_a_step() -> None:
    wf, heavy = Workflow("w", params={"limit_s": 3}), Tag("heavy", permit=2)
    wf.add("a", type="NoOp", failure_mode="ignore_failure", timeout_s="${limit_s}", tags=["spark", heavy])
    wf.add("b", type="NoOp", failure_mode=FailureMode.FAIL_IMMEDIATELY)
    wf.add("c", type="NoOp")
    first = wf.definition.steps[0]
    assert [step.failure_mode for step in wf.definition.steps] == [
        FailureMode.IGNORE_FAILURE,
        FailureMode.FAIL_IMMEDIATELY,
        FailureMode.FAIL_AFTER_RUNNING,
    ]
    assert (first.timeout_s, first.tags) == ("${limit_s}", (Tag("spark"), heavy))


def test_what_limits_a_workflow() -> None:
    wf = Workflow(
        "w",
        params={"limit_s": 9},
        timeout_s="$limit_s",
        run_strategy="strict_sequential",
        step_concurrency=5,
        instance_step_concurrency=2,
        tags=["nightly"],
    )
    wf.add("a", type="NoOp")
    definition = wf.definition
    assert (definition.timeout_s, definition.run_strategy) == ("$limit_s", RunStrategy(RunRule.STRICT_SEQUENTIAL, 1))
    assert (definition.step_concurrency, definition.instance_step_concurrency) == (5, 2)
    assert definition.tags == (Tag("nightly"),)
    assert decode_definition(encode_definition(definition)) == definition


@pytest.mark.parametrize(
    ("given", "strategy"),
    [
        ("parallel", RunStrategy()),
        (RunStrategy(), RunStrategy()),
        (5, RunStrategy(RunRule.PARALLEL, 5)),
        (RunStrategy(RunRule.PARALLEL, 5), RunStrategy(RunRule.PARALLEL, 5)),
        ("Sequential", RunStrategy(RunRule.SEQUENTIAL, 1)),
        (RunStrategy(RunRule.LAST_ONLY), RunStrategy(RunRule.LAST_ONLY, 1)),
    ],
)
def test_run_strategies(given: str | int | RunStrategy, strategy: RunStrategy) -> None:
    wf = Workflow("w", run_strategy=given)
    wf.add("a", type="NoOp")
    assert wf.definition.run_strategy == strategy


def test_a_workflow_in_python_is_not_limited_by_default() -> None:
    definition = etl().definition
    assert not definition.run_strategy.is_limited
    assert (definition.timeout_s, definition.step_concurrency, definition.instance_step_concurrency) == (
        None,
        None,
        None,
    )


def chain(count: int) -> Workflow:
    wf = Workflow("w")
    for number in range(count):
        wf.add(f"s{number}", type="NoOp", after=f"s{number - 1}" if number else ())
    return wf


def test_ten_thousand_steps_and_no_more() -> None:
    wf = chain(10_000)

    @wf.step(id="s9999x")
    def independent() -> None: ...

    with pytest.raises(DefinitionError, match="10001 steps are too many; at most 10000 are allowed"):
        _ = wf.definition
    assert len(chain(10_000).definition.steps) == 10_000


def test_an_argument_may_come_from_the_far_end_of_a_long_chain() -> None:
    wf = chain(5000)

    @wf.step(after="s4999")
    def last(s0: Any) -> Any:
        return s0

    assert wf.functions["last"].arguments == (Argument("s0", Source.STEP),)


def one_step(function: Callable[..., Any], **options: Any) -> Callable[[Workflow], Any]:
    return lambda wf: wf.step(**options)(function)


def use(first: int) -> None: ...
def use_unknown(frist: int) -> None: ...
def use_later(side: int) -> None: ...
def use_itself(use_itself: int) -> None: ...
def star(*numbers: int) -> None: ...
def stars(**options: int) -> None: ...
def positional(number: int, /) -> None: ...
def bad__name() -> None: ...
async def waits() -> None: ...
async def waits_and_yields() -> Any:
    yield 1


def yields() -> Iterator[int]:
    yield 1


class AsyncCallable:
    async def __call__(self) -> None: ...


def ambiguous(wf: Workflow) -> None:
    wf.step(id="one")(use)
    wf.step(id="two")(use)
    wf.add("three", type="NoOp", after=use)


def cycle(wf: Workflow) -> Any:
    wf.add("x", type="NoOp", after="y")
    wf.add("y", type="NoOp", after="x")
    return wf.definition


def add(**options: Any) -> Callable[[Workflow], Any]:
    return lambda wf: wf.add("x", **{"type": "NoOp", **options})


MISTAKES: list[tuple[Callable[[Workflow], Any], str]] = [
    (
        one_step(lambda: 1),
        "workflow 'w': a lambda has no name to use as the step's id; pass id=, or write a function with def",
    ),
    (one_step(functools.partial(use)), "workflow 'w': an object of type partial has no name to use as the step's id"),
    (one_step(3), "workflow 'w': an object of type int has no name"),  # type: ignore[arg-type]
    (one_step(3, id="x"), "workflow 'w', step \"x\": expected a function, got a value of type int"),  # type: ignore[arg-type]
    (one_step(bad__name), 'step "bad__name": "bad__name" is not legal: a step id must not contain \'__\''),
    (one_step(use, id="a b"), 'step "a b": "a b" is not legal: a step id starts with a letter'),
    (one_step(use, id=""), 'step "": expected non-empty text, got ""'),
    (one_step(use, id="first"), 'step "first": there is already a step with this id; pass another id='),
    (
        one_step(use, id="day"),
        'step "day": there is also a param of this name, so a parameter could mean either; rename one',
    ),
    (
        one_step(use, id="context"),
        'step "context": a parameter of this name receives the StepContext; choose another id',
    ),
    (one_step(waits), 'step "waits": async functions are not supported yet; write a plain def'),
    (one_step(waits_and_yields), "async functions are not supported yet"),
    (one_step(AsyncCallable(), id="x"), "async functions are not supported yet"),
    (one_step(yields), 'step "yields": a generator cannot be a step; return a list instead of yielding'),
    (one_step(star), 'step "star": *numbers: name each parameter, so that it is clear what it receives'),
    (one_step(stars), 'step "stars": **options: name each parameter'),
    (one_step(positional), "the parameter 'number' is positional-only; arguments are passed by name"),
    (one_step(dict, id="x"), "its parameters cannot be inspected; wrap it in a function of your own"),
    (
        one_step(use, after=yields),
        'step "use": after=yields: this function is not a step of the workflow yet; decorate it',
    ),
    (one_step(use, after=3), 'step "use": after=3; expected step ids or decorated functions, one or several'),
    (one_step(use, after=[None]), "after=null; expected step ids"),
    (one_step(use, after="use"), 'step "use": a step cannot come after itself'),
    (one_step(use, retry=3), "a step has no option retry= (did you mean 'retries'?); the options are after, when"),
    (ambiguous, "after=use: this function is several steps (one, two); give the id"),
    (add(type="Python"), "workflow 'w', step \"x\": a step of type 'Python' is a function: use @wf.step"),
    (add(type=""), 'step "x".type: "" is not a valid name of a step type'),
    (add(params={"a": None}), 'step "x".params.a: null is not a valid param; expected text'),
    (add(params={"a__b": 1}), 'step "x".params.a__b: "a__b" is not legal: a param name must not contain \'__\''),
    (add(params={"a": object()}), 'step "x".params.a: a value of type object cannot be used here'),
    (add(params={"a": "x" * 750_001}), 'step "x".params: the params have 750,'),
    (add(name=3), 'step "x".name: expected text, got 3'),
    (add(description="d" * 16_385), 'step "x".description: the text has 16,385 characters'),
    (add(retries=-1), 'step "x": retries=-1; expected a whole number from 0 to 99'),
    (add(retries=100), "retries=100; expected a whole number from 0 to 99"),
    (add(retries=True), "retries=true; expected a whole number"),
    (add(retry_wait_s=-1), "retry_wait_s=-1; expected seconds from 0 to 86400, a day"),
    (add(retry_wait_s=float("nan")), "retry_wait_s=NaN; expected seconds"),
    (add(retry_backoff=0.5), "retry_backoff=0.5; expected a factor from 1 to 100"),
    (add(retry_policy=3), "retry_policy=3; expected a RetryPolicy"),
    (
        add(retry_policy=RetryPolicy(error_retry_limit=100)),
        'step "x".retry_policy.error_retry_limit: expected a whole number from 0 to 99, or a string with references to',
    ),
    (add(retry_policy=RetryPolicy(platform_retry_limit=True)), "platform_retry_limit: expected a whole number"),
    (add(retry_policy=RetryPolicy(timeout_retry_limit="$$")), "timeout_retry_limit: expected a whole number from 0 to"),
    (
        add(retry_policy=RetryPolicy(error=Backoff(base_s=-1))),
        "retry_policy.error.base_s: expected a number from 0 to",
    ),
    (
        add(retry_policy=RetryPolicy(platform=Backoff(exponent=True))),
        "policy.platform.exponent: expected a number",
    ),
    (add(retry_policy=RetryPolicy(timeout=Backoff(limit_s=86_401))), "retry_policy.timeout.limit_s: expected a number"),
    (add(retry_policy=RetryPolicy(), retries=1), "retry_policy= is the whole retry policy; leave out retries"),
    (add(timeout_s=0), "timeout_s=0; expected seconds, more than 0 and at most 120 days"),
    (add(timeout_s="1h"), 'timeout_s="1h"; expected seconds'),
    (
        add(timeout_s="$$"),
        'timeout_s="$$"; expected seconds, more than 0 and at most 120 days, or a string with references',
    ),
    (add(failure_mode="ignore"), 'step "x".failure_mode: unknown failure mode "ignore"'),
    (add(when="day > 0"), 'step "x": when= is the condition under which this step follows others; name them in after='),
    (add(after="first", when="day >"), 'step "x".when: the condition "day >" is not SEL: '),
    (add(after="first", when=1), 'step "x".when: expected a condition: true, false or a SEL expression, got 1'),
    (add(after={"first": "day >"}), 'step "x".after.first: the condition "day >" is not SEL: '),
    (
        add(after={"first": "true"}, when="true"),
        "both when= and the mapping in after= give conditions; use one of them",
    ),
    (add(after={"first": None}), 'step "x".after.first: expected a condition'),
    (add(after={3: "true"}), "after=3; expected step ids or decorated functions"),
    (add(tags="etl"), 'step "x": tags="etl"; expected a list of names or Tags'),
    (add(tags=3), 'step "x": tags=3; expected a list of names or Tags'),
    (add(tags=[3]), 'step "x".tags[0]: expected an object, got 3'),
    (add(tags=["a", Tag("a", permit=1)]), 'step "x".tags[1]: the tag "a" is given twice'),
    (add(tags=[Tag("a", permit=0)]), 'step "x".tags[0].permit: 0 is out of range; expected a whole number from 1 to'),
]

MISTAKES_OF_THE_WHOLE: list[tuple[Callable[[Workflow], Any], str]] = [
    (add(after="frist"), "workflow 'w', step \"x\": after='frist': there is no such step (did you mean 'first'?)"),
    (
        one_step(use),
        "the parameter 'first' has the name of step 'first', which does not run before this one; add it to",
    ),
    (
        one_step(use_unknown, after="first"),
        "nor a param of the workflow, and has no default (did you mean 'first'?); available are first, day, context",
    ),
    (
        one_step(use_later, after="first"),
        "the parameter 'side' has the name of step 'side', which does not run before",
    ),
    (one_step(use_itself), "the parameter 'use_itself' is neither an upstream step nor a param of the workflow"),
    (cycle, "workflow 'w': the steps form a cycle: x -> y -> x"),
]


def workflow() -> Workflow:
    wf = Workflow("w", params={"day": 1})
    wf.add("first", type="NoOp")
    wf.add("side", type="NoOp", after="first")
    return wf


def built_after(mistake: Callable[[Workflow], Any], wf: Workflow) -> Any:
    mistake(wf)
    return wf.functions


def described(cases: list[tuple[Any, str]]) -> list[str]:
    return [message[:60] for _, message in cases]


@pytest.mark.parametrize(("mistake", "message"), MISTAKES, ids=described(MISTAKES))
def test_a_mistake_is_told_where_it_is_made(mistake: Callable[[Workflow], Any], message: str) -> None:
    wf = workflow()
    with pytest.raises(DefinitionError) as refused:
        mistake(wf)
    assert message in str(refused.value)


@pytest.mark.parametrize(("mistake", "message"), MISTAKES_OF_THE_WHOLE, ids=described(MISTAKES_OF_THE_WHOLE))
def test_a_mistake_of_the_whole_is_told_when_it_is_built(mistake: Callable[[Workflow], Any], message: str) -> None:
    wf = workflow()
    with pytest.raises(DefinitionError) as refused:
        built_after(mistake, wf)
    assert message in str(refused.value)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"id": "a b"}, 'workflow: "a b" is not legal: a workflow id starts with'),
        ({"id": ""}, "workflow: expected non-empty text"),
        ({"id": "w", "name": 1}, "workflow 'w'.name: expected text, got 1"),
        ({"id": "w", "params": ["a"]}, "workflow 'w'.params: expected a mapping of names to values, got [\"a\"]"),
        ({"id": "w", "params": {"a": None}}, "workflow 'w'.params.a: null is not a valid param"),
        ({"id": "w", "params": {"a": [[1]]}}, "workflow 'w'.params.a: [[1]] is not a valid param"),
        ({"id": "w", "params": {"a": [1, "b"]}}, "workflow 'w'.params.a: [1, \"b\"] is not a valid param"),
        ({"id": "w", "params": {"context": 1}}, "workflow 'w'.params.context: a parameter of this name receives the"),
        ({"id": "w"}, "workflow 'w': expected at least one step"),
        ({"id": "w", "timeout_s": "1h"}, "workflow 'w': timeout_s=\"1h\"; expected seconds, more than 0"),
        (
            {"id": "w", "run_strategy": "serial"},
            "workflow 'w'.run_strategy: unknown run strategy \"serial\"",
        ),
        (
            {"id": "w", "run_strategy": 0},
            "workflow 'w'.run_strategy: 0 is out of range; expected a whole number from 1",
        ),
        ({"id": "w", "run_strategy": None}, "workflow 'w'.run_strategy: expected a whole number from 1 to 1,000, got"),
        (
            {"id": "w", "run_strategy": RunStrategy(RunRule.FIRST_ONLY, 3)},
            "workflow 'w'.run_strategy: only PARALLEL allows 3 runs at once; the rule FIRST_ONLY runs one at a time",
        ),
        ({"id": "w", "step_concurrency": 0}, "workflow 'w'.step_concurrency: 0 is out of range"),
        ({"id": "w", "instance_step_concurrency": 1001}, "workflow 'w'.instance_step_concurrency: 1001 is out of"),
        ({"id": "w", "tags": "a"}, "workflow 'w': tags=\"a\"; expected a list of names or Tags"),
    ],
)
def test_mistakes_in_the_workflow_itself(arguments: dict[str, Any], message: str) -> None:
    with pytest.raises(DefinitionError) as refused:
        _ = Workflow(**arguments).definition
    assert str(refused.value).startswith(message)


def test_texts_of_python_params_are_taken_as_they_are() -> None:
    wf = Workflow("w", params={"cost": "$5 $name $$"})
    wf.add("a", type="NoOp")
    assert wf.definition.params["cost"].value == "$5 $name $$"


def test_a_mistaken_step_leaves_no_trace() -> None:
    wf = workflow()
    with pytest.raises(DefinitionError):
        wf.add("x", type="NoOp", timeout_s=0)
    wf.add("x", type="NoOp")
    assert [step.id for step in wf.definition.steps] == ["first", "side", "x"]
