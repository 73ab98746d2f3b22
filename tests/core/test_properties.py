"""Random graphs, random orders of what happens, crashes anywhere: the log always folds to the state, and the end is
what an independent evaluation of the graph says."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from maestro_flow.core.slots import Slots
from maestro_flow.model.definition import TypedStep, WorkflowDefinition
from maestro_flow.model.status import RunStatus, StepStatus
from tests.core.capacities import capacity
from tests.core.transcript import Player


@st.composite
def workflows(draw: st.DrawFn) -> WorkflowDefinition:
    """Up to nine steps; an edge goes from an earlier to a later one, true or false."""
    count = draw(st.integers(1, 9))
    edges: dict[int, dict[str, bool | str]] = {i: {} for i in range(count)}
    for source in range(count):
        for target in range(source + 1, count):
            if draw(st.booleans()):
                edges[source][f"s{target}"] = draw(st.integers(0, 3)) > 0
    return WorkflowDefinition("wf", tuple(TypedStep(f"s{i}", "Test", successors=edges[i]) for i in range(count)))


def expected(definition: WorkflowDefinition, fatal: set[str]) -> dict[str, StepStatus]:
    """The oracle: walk the steps in topological order (their own) and apply Maestro's rule to each by hand."""
    incoming: dict[str, list[tuple[str, bool | str]]] = {step.id: [] for step in definition.steps}
    for step in definition.steps:
        for successor, condition in step.successors.items():
            incoming[successor].append((step.id, condition))
    ends: dict[str, StepStatus] = {}
    for step in definition.steps:
        edges = incoming[step.id]
        if any(ends[source] in (StepStatus.NOT_CREATED, StepStatus.FATALLY_FAILED) for source, _ in edges):
            ends[step.id] = StepStatus.NOT_CREATED
        elif edges and not any(true and ends[source] is StepStatus.SUCCEEDED for source, true in edges):
            ends[step.id] = StepStatus.UNSATISFIED
        else:
            ends[step.id] = StepStatus.FATALLY_FAILED if step.id in fatal else StepStatus.SUCCEEDED
    return ends


@settings(max_examples=300, deadline=None)
@given(data=st.data(), definition=workflows())
def test_every_order_of_events_leads_to_the_same_end(data: st.DataObject, definition: WorkflowDefinition) -> None:
    ids = [step.id for step in definition.steps]
    fatal = data.draw(st.sets(st.sampled_from(ids)), label="fatal")
    player = Player(definition)
    player.capacity = capacity(
        {"threads": Slots(data.draw(st.integers(1, 3)), 1)}, events_max=data.draw(st.integers(1, 5)), crashes_max=99
    )
    player.play(["start"])
    failed_before: set[str] = set()
    for _ in range(200):
        state = player.state
        assert player.folded() == state
        if state.status.is_terminal:
            break
        running = [i for i in ids if (step := state.steps.get(i)) and step.is_active and state.steps.hold(i) is None]
        assert running, "a run that has not ended has something under way"
        step_id = data.draw(st.sampled_from(running), label="step")
        what = data.draw(st.sampled_from(["end", "end", "end", "began", "user", "crash", "stale"]), label="what")
        if what == "crash":
            player.play(["crash"])
        elif what == "stale":
            player.play([f"done {step_id} of=9.9"])
        elif what == "began":
            player.play([f"began {step_id}"])
        elif what == "user" and step_id not in failed_before:
            failed_before.add(step_id)
            player.play([f"user {step_id}"])
            player.now += 600
            player.play(["tick"])
        else:
            player.play([f"{'fatal' if step_id in fatal else 'done'} {step_id}"])
    state = player.state
    ends = {i: state.steps[i].status if i in state.steps else StepStatus.NOT_CREATED for i in ids}
    assert ends == expected(definition, fatal)
    assert state.status is (RunStatus.FAILED if StepStatus.FATALLY_FAILED in ends.values() else RunStatus.SUCCEEDED)
