"""Why a step is in its status: one sentence, made from the state of its run and the surroundings. Pure.

The first cause that applies is named, in the order in which the engine meets them: the step belongs to another run, has
ended, its run is not active, the step runs, or waits (``core.holds``).
"""

from __future__ import annotations

from maestro_flow.core.holds import Paused, Permits, Ready, Retry, Unsupported
from maestro_flow.core.state import FlowState
from maestro_flow.core.steps import StepState
from maestro_flow.model.status import RunStatus, StepStatus
from maestro_flow.views.explain_run import active_steps, run_ended, why_run, with_owner
from maestro_flow.views.explanation import Explanation, Surroundings
from maestro_flow.views.phrases import error_text, listed, names, states
from maestro_flow.views.times import iso_time

__all__ = ["explain_step"]


def explain_step(state: FlowState, step_id: str, around: Surroundings) -> Explanation:
    """Why the step, which is one of the graph, is in its status."""
    why = why_step(state, step_id, around)
    return Explanation(f"step {step_id} of run {state.flow_id} {why.sentence}", why.since)


def why_step(state: FlowState, step_id: str, around: Surroundings) -> Explanation:
    step = state.steps.get(step_id)
    if step_id in state.carried:
        return _carried(state, step_id)
    if step is not None and step.status.is_terminal and not state.steps.is_in(Retry, step_id):
        return Explanation(_step_ended(state, step_id, step), step.ended_at)
    if state.status.is_terminal:
        return Explanation(_never_began(state, step_id), state.ended_at)
    if state.status is RunStatus.CREATED:
        run = why_run(state, around)
        return Explanation(f"has not begun, because its run {run.sentence}", run.since)
    if step is not None and step.is_active:
        sentence, since = _active_step(state, step_id, step)
    else:
        sentence, since = _waiting(state, step_id, step, around)
    return with_owner(state, around, sentence, around.changed_at if since is None else since)


# -- steps that have ended, or will never begin -----------------------------------------------------------------


def _carried(state: FlowState, step_id: str) -> Explanation:
    here = state
    while step_id in here.carried and here.previous is not None:
        here = here.previous
    step = here.steps.get(step_id)
    status = here.status_of(step_id)
    since = None if step is None else step.ended_at
    return Explanation(f"is not part of this run: run {here.run_id} left it {status}", since)


def _step_ended(state: FlowState, step_id: str, step: StepState) -> str:
    error = error_text(step)
    match step.status:
        case StepStatus.SUCCEEDED:
            began = step.starting_at if step.began_at is None else step.began_at
            took = "" if began is None or step.ended_at is None else f", in {step.ended_at - began:.3f} s"
            return f"succeeded with attempt {step.attempt}{took}"
        case StepStatus.UNSATISFIED:
            return f"is not run, because no condition to it is true: {_conditions(state, step_id)}"
        case StepStatus.SKIPPED:
            by = "the restart" if step_id in state.request.skip_steps else "a user"
            return f"was skipped by {by}"
        case StepStatus.COMPLETED_WITH_ERROR:
            return f"failed, which its failure mode ignores{error and f': {error}'}"
        case StepStatus.STOPPED | StepStatus.TIMED_OUT | StepStatus.FATALLY_FAILED if state.ending is step.status:
            return f"ended {step.status} with its run: {state.ending_reason}"
        case _:
            return f"ended {step.status} with attempt {step.attempt}{error and f': {error}'}"


def _never_began(state: FlowState, step_id: str) -> str:
    if culprits := _failed_before(state, step_id):
        return f"was not created, because {states(state, culprits)}"
    return f"was not begun before its run {run_ended(state)}"


def _conditions(state: FlowState, step_id: str) -> str:
    """The condition on each edge to a step, and its value."""
    found = []
    for before in _predecessors(state, step_id):
        condition = state.graph.steps[before].successors[step_id]
        status = state.status_of(before)
        if status is StepStatus.UNSATISFIED:
            found.append(f"{before} is UNSATISFIED")
        else:
            text = str(condition).lower() if isinstance(condition, bool) else repr(condition)
            found.append(f"from {before}, {text}")
    return listed(found)


# -- steps that run ---------------------------------------------------------------------------------------------


def _active_step(state: FlowState, step_id: str, step: StepState) -> tuple[str, float | None]:
    attempt = f"attempt {step.attempt}"
    if step.execution > 1:
        attempt += f" (execution {step.execution}{_crashes(step)})"
    ending = step.ending or state.ending
    hold = state.steps.hold(step_id)
    if hold is not None:
        lacks = "the code of its type, which its owner does not have"
        missing = lacks if isinstance(hold, Unsupported) else "a free slot"
        return f"{attempt} was interrupted with the process that ran it, and waits for {missing}", None
    since = step.starting_at if step.began_at is None else step.began_at
    if ending is not None:
        return f"{attempt} is being terminated, to end as {ending}", None
    limit = "" if step.timeout_s is None else f", for {step.timeout_s:g} s at most"
    return f"{attempt} is under way{limit}", since


def _crashes(step: StepState) -> str:
    if not step.crashes:
        return ""
    times = "once" if step.crashes == 1 else f"{step.crashes} times"
    return f"; the process that ran it died {times}"


# -- steps that wait --------------------------------------------------------------------------------------------


def _waiting(state: FlowState, step_id: str, step: StepState | None, around: Surroundings) -> tuple[str, float | None]:
    match state.steps.hold(step_id):
        case Retry() if step is not None:
            at = iso_time(state.steps.retry_at(step_id), timespec="seconds")
            return (
                f"waits for attempt {step.attempt + 1} at {at}, after {step.status}: {error_text(step)}",
                step.ended_at,
            )
        case Paused():
            why = "at its breakpoint" if step_id in state.breakpoints else "by a user"
            return f"is paused {why}, until it is resumed", None
        case Permits() if step is not None:
            tags = listed([_tag(tag, limit, around) for tag, limit in sorted(step.permits.items())])
            return f"waits for permits of {tags}", None
        case Unsupported():
            kind = state.graph.steps[step_id].type
            owner = "" if around.holder is None else f" ({around.holder.process or around.holder.owner_id})"
            return f"waits for the code of its type {kind!r}, which the owner of the run{owner} does not have", None
        case Ready():
            return _ready(state, step_id)
        case _:
            return _before_its_turn(state, step_id)


def _before_its_turn(state: FlowState, step_id: str) -> tuple[str, float | None]:
    if culprits := _failed_before(state, step_id):
        return f"cannot begin, because {states(state, culprits)}; restart or skip that", None
    incomplete = [before for before in _predecessors(state, step_id) if not state.status_of(before).is_complete]
    return f"waits for {states(state, incomplete)}", state.started_at


def _ready(state: FlowState, step_id: str) -> tuple[str, float | None]:
    ended = [state.steps[before].ended_at for before in _predecessors(state, step_id) if before in state.steps]
    since = max((at for at in ended if at is not None), default=state.started_at)
    limit = state.graph.definition.instance_step_concurrency
    if limit is not None and state.active >= limit:
        busy = names(active_steps(state))
        return f"waits for its turn: instance_step_concurrency is {limit}, and under way are {busy}", since
    return "waits for a free slot on the node that owns the run", since


def _tag(tag: str, limit: int, around: Surroundings) -> str:
    """A tag with how many of its permits are taken, where that is known."""
    if tag not in around.tags:
        return f"{tag} (at most {limit} at once)"
    set_by_user, taken = around.tags[tag]
    return f"{tag} ({taken} of {limit if set_by_user is None else set_by_user} taken)"


# -- the graph --------------------------------------------------------------------------------------------------


def _predecessors(state: FlowState, step_id: str) -> list[str]:
    return [step.id for step in state.graph.definition.steps if step_id in step.successors]


def _failed_before(state: FlowState, step_id: str) -> list[str]:
    """Steps before this one, near or far, that have ended and let no successor run."""
    before: dict[str, list[str]] = {}
    for step in state.graph.definition.steps:
        for successor in step.successors:
            before.setdefault(successor, []).append(step.id)
    found, seen, waiting = [], {step_id}, [step_id]
    while waiting:
        for other in before.get(waiting.pop(), ()):
            if other in seen:
                continue
            seen.add(other)
            status = state.status_of(other)
            if status.is_terminal and not status.is_complete and not state.steps.is_in(Retry, other):
                found.append(other)
            elif not status.is_complete:
                waiting.append(other)
    return [each for each in state.graph.steps if each in found]
