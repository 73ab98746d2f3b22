"""Nodes share the groups: the arithmetic, and engines on one store, on the virtual clock and in real processes."""

from __future__ import annotations

from collections.abc import Callable
from importlib.metadata import EntryPoint

import pytest
from hypothesis import given
from hypothesis import strategies as st

from maestro_flow import Engine, RunStatus, StepContext, StepResult, StepType, Verdict, Workflow
from maestro_flow.node.fair_share import better_node, fair_share, surplus
from maestro_flow.steps.loading import STEP_TYPES
from tests.engine.world import Process, World

GROUPS = 64
POLL = EntryPoint("Poll", f"{__name__}:Poll", STEP_TYPES)


@given(st.integers(1, 200), st.lists(st.integers(0, 200), min_size=1, max_size=12))
def test_shares_come_to_rest_and_are_fair(groups: int, weights: list[int]) -> None:
    """From any distribution, with all nodes acting at once on what they saw a moment ago."""
    held = [0] * len(weights)
    for number in range(groups):
        held[weights[number % len(weights)] % len(weights)] += 1
    for _ in range(4 * groups + 10):
        seen = list(held)
        given_up = [surplus(groups, mine, seen[:n] + seen[n + 1 :]) for n, mine in enumerate(seen)]
        if not any(given_up):
            break
        held = [mine - count for mine, count in zip(held, given_up, strict=True)]
        free = sum(given_up)
        for n in 2 * sorted(range(len(held)), key=lambda n: weights[n]):  # whoever comes first, up to its share
            taken = max(0, min(free, fair_share(groups, held[:n] + held[n + 1 :]) - held[n]))
            held[n] += taken
            free -= taken
        assert not free, "all shares together are all groups"
    else:
        raise AssertionError(f"it goes back and forth: {held}")
    assert sum(held) == groups
    assert min(held) >= groups // len(held)


def test_alone_nothing_is_given_up() -> None:
    assert surplus(GROUPS, GROUPS, []) == 0


def test_the_better_node_has_most_of_what_is_lacking() -> None:
    offers = {"a": {"x"}, "b": {"x", "y", "z"}, "c": {"q"}}
    assert better_node({"x", "y"}, offers) == "b"
    assert better_node({"r"}, offers) == better_node({"r"}, {}) == ""


def together(*processes: Process, until: Callable[[], bool], seconds: float = 60.0) -> None:
    """Let processes live side by side until something is so."""
    for _ in range(int(seconds / 0.05)):
        for process in processes:
            process.runtime.run(until, timeout_s=0.05)
        if until():
            return
    raise AssertionError("it never came to that")


def shares(*processes: Process) -> list[int]:
    return [len(process.engine._node.serving_groups()) for process in processes]


def chain(name: str = "chain", seconds: float = 3.0) -> Workflow:
    wf = Workflow(name)
    wf.add("first", type="Sleep", params={"sleep_seconds": seconds})
    wf.add("second", type="Sleep", params={"sleep_seconds": seconds}, after="first")
    return wf


def test_a_node_that_comes_gets_its_share_and_nothing_is_interrupted() -> None:
    """PROTOCOL 14: what runs ends where it runs; what follows it runs where the group is then."""
    world = World()
    first = world.process(seed=1)
    first.engine.push(chain())
    runs = [first.engine.start("chain") for _ in range(40)]
    first.runtime.run(lambda: False, timeout_s=1.0)
    second = world.process(seed=2)
    together(first, second, until=lambda: shares(first, second) == [32, 32])
    together(first, second, until=lambda: all(run.status.is_terminal for run in runs))
    assert {run.status for run in runs} == {RunStatus.SUCCEEDED}
    steps = [step for run in runs for step in world.state(run).steps.values()]
    assert all((step.attempt, step.execution, step.crashes) == (1, 1, 0) for step in steps)
    records = [record for run in runs for record in world.storage.read_flow(run.flow_id)]
    assert len({record.owner_id for record in records}) == 2


class Poll(StepType):
    """Waits for something outside for 100 s."""

    def execute(self, context: StepContext) -> StepResult:
        is_over = context.now >= context.started_at + 100.0
        return StepResult(Verdict.DONE if is_over else Verdict.CONTINUE, next_poll_s=5)


def test_a_long_running_step_is_handed_over_and_does_not_count_as_a_crash(monkeypatch: pytest.MonkeyPatch) -> None:
    """PROTOCOL 14: ``drain_s`` bounds the waiting."""
    monkeypatch.setattr("maestro_flow.steps.loading._installed", lambda: {"Poll": POLL})
    world = World()
    first = world.process(seed=1, drain_s=2.0)
    wf = Workflow("polls")
    wf.add("poll", type="Poll")
    first.engine.push(wf)
    runs = [first.engine.start("polls") for _ in range(100)]
    first.runtime.run(lambda: False, timeout_s=3.0)
    second = world.process(seed=2)
    together(first, second, until=lambda: shares(first, second) == [32, 32])
    together(first, second, until=lambda: all(run.status.is_terminal for run in runs), seconds=300)
    steps = [step for run in runs for step in world.state(run).steps.values()]
    assert {step.execution for step in steps} == {1, 2}
    assert {(step.attempt, step.crashes) for step in steps} == {(1, 0)}


def test_three_nodes_share_and_one_that_closes_leaves_its_share_to_the_others() -> None:
    world = World()
    nodes = [world.process(seed=number) for number in range(3)]
    together(*nodes, until=lambda: sum(shares(*nodes)) == GROUPS and min(shares(*nodes)) >= GROUPS // 3)
    nodes[2].engine.close()
    together(*nodes[:2], until=lambda: shares(*nodes[:2]) == [32, 32])


def test_the_share_of_a_node_that_dies_is_taken_over() -> None:
    """PROTOCOL 13."""
    world = World()
    first, dead = world.process(seed=1), world.process(seed=2)
    together(first, dead, until=lambda: shares(first, dead) == [32, 32])
    together(first, until=lambda: shares(first) == [GROUPS])


def functions(name: str, done: list[str]) -> Workflow:
    """Workflow ``name`` with a step of Python code."""
    wf = Workflow(name, run_strategy="sequential")  # in a group that its name decides, whoever holds that

    @wf.step
    def work() -> str:
        done.append(name)
        return name

    return wf


def test_two_programs_with_different_functions_get_along() -> None:
    """PROTOCOL 22: a group goes to whoever has the code that its steps wait for."""
    world, done = World(), list[str]()
    ours, theirs = world.process(seed=1), world.process(seed=2)
    together(ours, theirs, until=lambda: shares(ours, theirs) == [32, 32])
    names = [f"{whose}{number}" for whose in ("ours", "theirs") for number in range(10)]
    runs = []
    for name in names:
        program, other = (ours, theirs) if name.startswith("ours") else (theirs, ours)
        program.engine.push(functions(name, done))
        runs.append(other.engine.start(name))
    together(ours, theirs, until=lambda: all(run.status.is_terminal for run in runs), seconds=300)
    assert {run.status for run in runs} == {RunStatus.SUCCEEDED}
    assert sorted(done) == sorted(names)


def test_a_node_without_the_code_is_given_no_group_that_needs_it() -> None:
    """Fair is what helps: such a group would have to come back."""
    world, done = World(), list[str]()
    ours = world.process(seed=1)
    ours.engine.push(functions("mine", done))
    run = ours.engine.start("mine")
    ours.runtime.run(lambda: run.status.is_terminal, timeout_s=5)
    bare = world.process(seed=2)
    together(ours, bare, until=lambda: shares(ours, bare) == [32, 32])
    assert run.group_id in ours.engine._node.serving_groups()


@pytest.mark.parametrize("count", [2, 3])
def test_engines_in_threads_share_a_file(tmp_path: object, count: int) -> None:
    """On the real clock and the real runtime; every run ends, wherever it was started."""
    url = f"sqlite:///{tmp_path}/store.db"
    wf = Workflow("small")
    wf.add("a", type="NoOp")
    wf.add("b", type="NoOp", after="a")
    engines = [Engine(url, lease_s=2.0, scan_s=0.05) for _ in range(count)]
    try:
        for engine in engines:
            engine.push(wf)
        runs = [engine.start("small") for engine in engines for _ in range(30)]
        assert {run.wait(timeout_s=60) for run in runs} == {RunStatus.SUCCEEDED}
    finally:
        for engine in engines:
            engine.close()
